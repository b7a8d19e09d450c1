# Who switched VMs of a datacenter on or made new ones since yesterday.
data "hypersdk_events" "recent" {
  entity = "/DC1"
  types  = ["VmPoweredOnEvent", "VmCreatedEvent", "VmClonedEvent"]
  since  = "24h"
  limit  = 200
}

# What went wrong anywhere in the last hour.
data "hypersdk_events" "trouble" {
  since    = "1h ago"
  severity = ["warning", "error"]
}

output "changes" {
  value = [for e in data.hypersdk_events.recent.events : "${e.created_at} ${e.user}: ${e.message}"]
}

# Where events belong in a configuration: a check that warns, not an argument.
check "quiet_hour" {
  assert {
    condition     = length(data.hypersdk_events.trouble.events) == 0
    error_message = "vCenter recorded warnings or errors in the last hour."
  }
}
