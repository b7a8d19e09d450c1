data "hypersdk_datacenters" "all" {}

output "folders" {
  value = { for d in data.hypersdk_datacenters.all.datacenters : d.path => d.vm_folder }
}

output "vms" {
  value = sum(data.hypersdk_datacenters.all.datacenters[*].vms)
}
