# Hosts of one cluster that can run VMs now.
data "hypersdk_hosts" "ready" {
  cluster = "/DC1/host/C1"
  states  = ["connected"]
}

# All hosts of a naming scheme, wherever they are.
data "hypersdk_hosts" "esx" {
  name = "esx-*"
}

output "free_memory_gb" {
  value = { for h in data.hypersdk_hosts.ready.hosts : h.name => floor((h.memory_mb - h.memory_usage_mb) / 1024) }
}

output "versions" {
  value = distinct(data.hypersdk_hosts.esx.hosts[*].version)
}
