# Terraform 1.14 or newer: terraform query -generate-config-out=imported.tf
list "hypersdk_resource_pool" "all" {
  provider = hypersdk

  config {
    name = "/DC1/host/C1/Resources/*"
  }
}
