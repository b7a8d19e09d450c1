# Terraform 1.14 or newer. What was written since the snapshot is lost.
action "hypersdk_snapshot_revert" "back" {
  config {
    vm                = "/DC1/vm/web-01"
    snapshot          = "before-upgrade"
    suppress_power_on = true
  }
}

# terraform apply -invoke=action.hypersdk_snapshot_revert.back
