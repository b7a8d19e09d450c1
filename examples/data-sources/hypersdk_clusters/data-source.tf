data "hypersdk_clusters" "all" {
  datacenter = "/DC1"
}

# Clusters with half of their memory free, and DRS to place VMs by itself.
output "roomy" {
  value = [
    for c in data.hypersdk_clusters.all.clusters : c.path
    if c.drs_mode == "fullyAutomated" && c.memory_usage_mb < c.memory_effective_mb / 2
  ]
}
