# The last five minutes of a VM, sample by sample.
data "hypersdk_metrics" "web" {
  entity   = "/DC1/vm/web-01"
  counters = ["cpu_percent", "memory_percent"]
  interval = "realtime"
}

# A cluster's day, hour by hour: its hosts together.
data "hypersdk_metrics" "cluster" {
  entity   = "/DC1/host/Cluster1"
  type     = "cluster"
  start    = "24h ago"
  interval = "1h"
}

output "web_cpu_percent" {
  value = [for s in data.hypersdk_metrics.web.samples : lookup(s.values, "cpu_percent", null)]
}

# Where measurements belong in a configuration: a check that warns, not an argument.
check "cluster_has_room" {
  assert {
    condition     = try(data.hypersdk_metrics.cluster.series["memory_percent"].average < 95, true)
    error_message = "The cluster's memory was more than 95 percent full on average over the last day."
  }
}
