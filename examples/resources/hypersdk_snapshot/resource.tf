resource "hypersdk_snapshot" "before_upgrade" {
  vm          = "/DC1/vm/web-01"
  name        = "before-upgrade"
  description = "all is well; ask the web team before you remove it"
}

# With the memory of the running guest, on top of the first.
resource "hypersdk_snapshot" "running" {
  vm     = "/DC1/vm/web-01"
  name   = "running"
  memory = true

  remove_children = true # on destroy, whatever was taken on top of it goes too
  depends_on      = [hypersdk_snapshot.before_upgrade]
}
