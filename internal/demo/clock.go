package demo

import (
	"fmt"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// serviceClock answers ServiceInstance.CurrentTime, "the current time on the server" ("vSphere Web Services API"), from
// Options.Clock.
type serviceClock struct {
	v    *VCenter
	self types.ManagedObjectReference
}

// Reference is the service instance's.
func (c *serviceClock) Reference() types.ManagedObjectReference { return c.self }

// CurrentTime reads the clock.
func (c *serviceClock) CurrentTime(*simulator.Context, *types.CurrentTime) soap.HasFault {
	return &methods.CurrentTimeBody{Res: &types.CurrentTimeResponse{Returnval: c.v.opts.Clock().UTC()}}
}

// rename gives clusters and hosts the names that Options.Names has for them.
func (v *VCenter) rename() error {
	left := len(v.opts.Names)
	for _, kind := range []string{"ClusterComputeResource", "HostSystem"} {
		for _, ref := range v.registry.AllReference(kind) {
			entity, ok := ref.(mo.Entity)
			if !ok {
				continue
			}
			name, given := v.opts.Names[entity.Entity().Name]
			if !given {
				continue
			}
			left--
			entity.Entity().Name = name
			if host, ok := ref.(*simulator.HostSystem); ok {
				host.Summary.Config.Name = name
			}
		}
	}
	if left > 0 {
		return fmt.Errorf("names for %d clusters or hosts that there are not", left)
	}
	return nil
}
