import {
  to = hypersdk_resource_pool.production
  identity = {
    vcenter = "5f0e4a1d-7a3c-4f0e-9c55-0f6b7d1c2a34" # instance UUID
    moid    = "resgroup-42"
  }
}
