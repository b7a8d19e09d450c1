# Terraform 1.14 or newer: terraform query -generate-config-out=imported.tf
list "hypersdk_template" "golden" {
  provider = hypersdk

  config {
    name = "golden-*"
  }
}
