resource "hypersdk_migration" "web01" {
  source       = "/DC1/vm/web-01"
  source_after = "powered_off" # shut it down for the copy, and leave it off

  target = {
    name      = "web-01"
    pool      = "default"
    autostart = true
    networks = {
      "VM Network" = { bridge = "br0" }
      "*"          = { network = "default" }
    }
    disks = {
      "scsi0:2" = { skip = true } # scratch
    }
  }

  verify = {
    boot = "console" # nothing is final before the guest says on its console that it is up
  }

  on_destroy = "undefine" # keep the disks
  timeouts   = { create = "6h" }
}

output "domain" {
  value = hypersdk_migration.web01.domain_uuid
}
