# inventory path, or managed object id (resgroup-42)
terraform import hypersdk_resource_pool.production /DC1/host/C1/Resources/production
