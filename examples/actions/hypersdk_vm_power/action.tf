# Terraform 1.14 or newer.
action "hypersdk_vm_power" "restart" {
  config {
    vm      = "/DC1/vm/web-01"
    power   = "reboot" # through the guest; reset is the hard one
    timeout = "5m"
  }
}

# terraform apply -invoke=action.hypersdk_vm_power.restart, or after a change:
resource "terraform_data" "settings" {
  input = "v2"

  lifecycle {
    action_trigger {
      events  = [after_update]
      actions = [action.hypersdk_vm_power.restart]
    }
  }
}
