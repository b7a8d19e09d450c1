import {
  to = hypersdk_migration.web01
  identity = {
    uri         = "qemu:///system"
    domain_uuid = "6a0a3a0c-6f0e-5b0a-9d57-3a1d8f3d1f7e"
  }
}
