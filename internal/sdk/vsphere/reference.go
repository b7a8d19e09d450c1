package vsphere

import "github.com/vmware/govmomi/vim25/types"

// Reference names an object of vCenter, for callers that know nothing of govmomi.
type Reference = types.ManagedObjectReference

// Reference names the pool.
func (p *ResourcePool) Reference() Reference { return poolRef(p.Ref) }
