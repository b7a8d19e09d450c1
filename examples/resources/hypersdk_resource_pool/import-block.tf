import {
  to = hypersdk_resource_pool.production
  id = "/DC1/host/C1/Resources/production"
}
