output "id" {
  value = provider::hypersdk::moref("VirtualMachine:vm-42").value # vm-42
}

output "type" {
  value = provider::hypersdk::moref("domain-c8").type # ClusterComputeResource
}
