moved {
  from = vsphere_resource_pool.production
  to   = hypersdk_resource_pool.production
}
