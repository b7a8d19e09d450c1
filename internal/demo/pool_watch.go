package demo

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// poolWatch keeps ResourcePool.vm true when a VM changes its pool: the simulator's Relocate leaves both lists as they were.
type poolWatch struct{ v *VCenter }

// Reference is its name among the registry's handlers.
func (w *poolWatch) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "DemoHandler", Value: "pools"}
}

// PutObject has nothing to do: the simulator enters new VMs itself.
func (w *poolWatch) PutObject(*simulator.Context, mo.Reference) {}

// RemoveObject has nothing to do: the simulator does.
func (w *poolWatch) RemoveObject(*simulator.Context, types.ManagedObjectReference) {}

// UpdateObject is called with the VM's lock held, after the change.
func (w *poolWatch) UpdateObject(ctx *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	vm := obj.Reference()
	moved := slices.ContainsFunc(changes, func(c types.PropertyChange) bool { return c.Name == "resourcePool" })
	machine, ok := w.v.registry.Get(vm).(*simulator.VirtualMachine)
	if !moved || !ok {
		return
	}
	x := &poolVerbs{v: w.v}
	for _, ref := range w.v.registry.AllReference("ResourcePool") {
		pool, ok := ref.(*simulator.ResourcePool)
		if !ok {
			continue
		}
		belongs := value(machine.ResourcePool) == pool.Self
		ctx.WithLock(pool, func() {
			at := slices.Index(pool.Vm, vm)
			switch {
			case belongs && at < 0:
				x.update(ctx, pool, types.PropertyChange{Name: "vm", Val: append(slices.Clone(pool.Vm), vm)})
			case !belongs && at >= 0:
				x.update(ctx, pool, types.PropertyChange{Name: "vm", Val: slices.Delete(slices.Clone(pool.Vm), at, at+1)})
			}
		})
	}
}
