# What `make demo` applies: one VM from the simulated vCenter to the libvirt of this machine.
# The vCenter's address and credentials come from the environment (GOVC_URL, …).

terraform {
  required_providers {
    hypersdk = {
      source = "hypersdk/hypersdk"
    }
  }
}

provider "hypersdk" {}

resource "hypersdk_migration" "web01" {
  source = "/DC0/vm/web-01"

  target = {
    uri  = "qemu:///system"
    name = "web-01"
    pool = "default"
    networks = {
      "*" = { network = "default" }
    }
  }

  verify = {
    boot        = "console"
    boot_marker = "HYPERSDK-GUEST boot-ok"
  }

  on_destroy = "delete" # a demo leaves nothing behind; the default, undefine, keeps the disks
}

output "domain" {
  value = hypersdk_migration.web01.domain_uuid
}

output "disks" {
  value = hypersdk_migration.web01.disks
}

output "boot_evidence" {
  value = hypersdk_migration.web01.boot_evidence
}
