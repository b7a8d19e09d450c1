variable "n" { type = number }
variable "golden" { type = string }
variable "linked" {
  type    = bool
  default = false
}

terraform {
  required_providers {
    hypersdk = { source = "hypersdk/hypersdk" }
  }
}

provider "hypersdk" {}

resource "hypersdk_clone" "c" {
  count         = var.n
  name          = format("bench-%04d", count.index)
  source        = var.golden
  folder        = "/DC0/vm"
  resource_pool = "/DC0/host/DC0_C0/Resources"
  datastore     = "/DC0/datastore/LocalDS_0"
  cpus          = 1
  memory        = 64
  power         = "on"
  linked        = var.linked
  snapshot      = var.linked ? "base" : null
}
