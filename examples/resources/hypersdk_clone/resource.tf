variable "join_password" {
  type      = string
  sensitive = true
  ephemeral = true
  default   = null
}

# A linked clone with its own address. One task of vCenter's makes, customizes and starts it.
resource "hypersdk_clone" "web" {
  name          = "web-01"
  source        = "/DC1/vm/templates/debian-12"
  linked        = true
  snapshot      = "base"
  folder        = "/DC1/vm/web"
  resource_pool = "/DC1/host/C1/Resources/prod"
  datastore     = "/DC1/datastore/ds1"

  cpus              = 4
  memory            = 8192
  memory_allocation = { reservation = 4096, shares = "high" }

  disks    = { "scsi0:1" = { size = 100, provisioning = "thin", on_remove = "keep" } }
  networks = { "0" = { network = "/DC1/network/web" } }

  customize = {
    linux      = { hostname = "web-01", domain = "example.com" }
    interfaces = { "0" = { ipv4 = "10.0.0.11/24" } }
    gateway    = "10.0.0.1"
    dns        = ["10.0.0.2"]
  }
  wait_for = { customization = true, ip = true }

  tags     = ["env/prod"]
  timeouts = { create = "45m" }
}

# As many as it takes: clones that wait for their turn say so in the log.
resource "hypersdk_clone" "worker" {
  for_each = toset(["worker-1", "worker-2", "worker-3"])

  name          = each.key
  source        = "/DC1/vm/templates/debian-12"
  resource_pool = "/DC1/host/C1"

  cloud_init = {
    metadata = yamlencode({ instance-id = each.key, local-hostname = each.key })
    userdata_wo = join("\n", ["#cloud-config", yamlencode({
      packages = ["nginx"]
    })])
    version = 1
  }
}

# Secrets are write-only: in no plan and no state. Raise the version when one changes.
resource "hypersdk_clone" "files" {
  name          = "files-01"
  source        = "/DC1/vm/templates/windows-2022"
  resource_pool = "/DC1/host/C1"

  customize = {
    windows = {
      computer_name                    = "FILES-01"
      join_domain                      = "corp.example.com"
      domain_admin                     = "joiner@corp.example.com"
      domain_admin_password_wo         = var.join_password
      domain_admin_password_wo_version = 1
    }
  }
}

output "address" {
  value = hypersdk_clone.web.ip_address
}
