# Linux VMs of a folder that are off: what can be moved tonight.
data "hypersdk_vms" "tonight" {
  folder    = "/DC1/vm/prod"
  guest     = "debian*"
  states    = ["poweredOff"]
  templates = false
}

output "tonight" {
  value = { for vm in data.hypersdk_vms.tonight.vms : vm.path => "${sum(vm.disks[*].capacity_gb)} GB" }
}

# VMs that somebody forgot a snapshot on.
data "hypersdk_vms" "all" {}

output "snapshots" {
  value = { for vm in data.hypersdk_vms.all.vms : vm.path => vm.snapshots if vm.snapshot_count > 0 }
}
