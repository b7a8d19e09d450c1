# Terraform 1.14 or newer: terraform query -generate-config-out=imported.tf
list "hypersdk_migration" "web" {
  provider = hypersdk

  config {
    uri  = "qemu:///system"
    name = "web-*"
  }
}
