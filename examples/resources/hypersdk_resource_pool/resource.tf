resource "hypersdk_resource_pool" "production" {
  name   = "production"
  parent = "/DC1/host/C1" # the cluster's root pool

  cpu = { # MHz
    reservation = 2000
    limit       = 8000
    shares      = "high"
  }
  memory = { # MB
    reservation = 4096
    expandable  = false # what is reserved is all it gives away
  }
}

resource "hypersdk_resource_pool" "batch" {
  name   = "batch"
  parent = hypersdk_resource_pool.production.id

  cpu    = { shares = "custom", share_count = 500 }
  memory = { limit = 2048 }

  on_destroy = "move_children" # VMs in it go to production
}
