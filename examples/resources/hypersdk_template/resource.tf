# A copy of the build VM becomes the template. The VM goes on as it is.
resource "hypersdk_template" "golden" {
  name       = "golden-2026-11"
  source     = "/DC1/vm/build/golden"
  folder     = "/DC1/vm/templates"
  snapshot   = "base" # linked clones hang on it
  annotation = "Debian 12, built by the image pipeline"

  on_destroy = "delete"
  timeouts   = { create = "1h" }
}

# The VM itself becomes the template, without a copy, and a VM again on destroy.
resource "hypersdk_template" "appliance" {
  name   = "appliance"
  source = "/DC1/vm/build/appliance" # it has to be off
  method = "convert"
  folder = "/DC1/vm/templates"

  on_destroy = "revert"
}

output "linked_clone_base" {
  value = hypersdk_template.golden.snapshot_id
}
