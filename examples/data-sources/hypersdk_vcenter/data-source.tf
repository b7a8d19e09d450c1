data "hypersdk_vcenter" "this" {}

output "vcenter" {
  value = "${data.hypersdk_vcenter.this.full_name} (${data.hypersdk_vcenter.this.instance_uuid})"
}
