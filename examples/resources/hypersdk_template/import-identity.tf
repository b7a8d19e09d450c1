import {
  to = hypersdk_template.golden
  identity = {
    vcenter       = "dbed6e0c-bd88-4ef6-b594-21283e1c677f"
    instance_uuid = "502e2a5f-8b5c-6b44-2e0f-8ad2c1f0a111"
  }
}
