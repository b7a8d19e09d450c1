import {
  to = hypersdk_clone.web
  identity = {
    vcenter       = "f4b5c1de-64d3-4a25-9d6b-0a5b64a1d0c2"
    instance_uuid = "503c1a5e-8a24-6a30-5b9c-6f7f5b1d2c3e"
  }
}
