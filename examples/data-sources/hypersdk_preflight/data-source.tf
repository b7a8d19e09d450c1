# A fleet as code: move what can be moved, and list what stands in the way of the others.
data "hypersdk_vms" "fleet" {
  folder    = "/DC1/vm/prod"
  templates = false
}

locals {
  target = {
    pool     = "default"
    networks = { "*" = { network = "default" } }
  }
}

data "hypersdk_preflight" "vm" {
  for_each = { for vm in data.hypersdk_vms.fleet.vms : vm.path => vm.id }

  source       = each.value
  target       = local.target
  source_after = "powered_off"
}

output "ready" {
  value = [for path, check in data.hypersdk_preflight.vm : path if check.ok]
}

output "in_the_way" {
  value = {
    for path, check in data.hypersdk_preflight.vm : path => [
      for f in check.findings : "${f.id}: ${f.action}" if f.severity == "critical"
    ] if !check.ok
  }
}
