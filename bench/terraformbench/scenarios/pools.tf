variable "n" { type = number }

terraform {
  required_providers {
    hypersdk = { source = "hypersdk/hypersdk" }
  }
}

provider "hypersdk" {}

resource "hypersdk_resource_pool" "p" {
  count  = var.n
  name   = format("pool-%04d", count.index)
  parent = "/DC0/host/DC0_C0"

  cpu    = { limit = 2000, shares = "normal" }
  memory = { limit = 4096, shares = "high" }
}
