# Terraform 1.14 or newer: terraform query -generate-config-out=imported.tf
list "hypersdk_clone" "web" {
  provider = hypersdk

  config {
    name = "/DC1/vm/web/*"
  }
}
