package demo

import (
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// poolVerbs answers the verbs of ResourcePool as "vSphere Web Services API" and "vSphere Resource Management", chapter
// "Managing Resource Pools", describe them. The simulator's own check neither limits nor capacity, forget expandable, do not
// number shares, tell nobody of a change, and share one summary among all pools.
type poolVerbs struct{ v *VCenter }

// Reference is not a pool's: the dispatcher's lock on it makes the verbs follow one another, while each object is locked only
// as long as it is touched.
func (x *poolVerbs) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "ResourcePool", Value: "demo-pools"}
}

// poolExtension is the handler for the verbs of a pool, or nil.
func (v *VCenter) poolExtension(m *simulator.Method) *poolVerbs {
	switch m.Name {
	case "CreateResourcePool", "UpdateConfig", "MoveIntoResourcePool", "Destroy_Task":
		if _, ok := v.registry.Get(m.This).(*simulator.ResourcePool); ok {
			return &poolVerbs{v: v}
		}
	}
	return nil
}

// CreateResourcePool demands every value of both allocations.
func (x *poolVerbs) CreateResourcePool(ctx *simulator.Context, req *types.CreateResourcePool) soap.HasFault {
	body := new(methods.CreateResourcePoolBody)
	parent := x.pool(req.This)
	cpu, memory := req.Spec.CpuAllocation, req.Spec.MemoryAllocation
	for property, info := range map[string]types.ResourceAllocationInfo{"spec.cpuAllocation": cpu, "spec.memoryAllocation": memory} {
		if info.Reservation == nil || info.Limit == nil || info.ExpandableReservation == nil || info.Shares == nil {
			fault := &types.InvalidArgument{InvalidProperty: property}
			body.Fault_ = simulator.Fault(faultMessage(fault), fault)
			return body
		}
	}
	config := types.ResourceConfigSpec{CpuAllocation: newAllocation(), MemoryAllocation: newAllocation(), ScaleDescendantsShares: scaleDisabled}
	fault := x.duplicate(parent, req.Name, nil)
	if fault == nil {
		fault = x.apply(&config, &req.Spec, parent)
	}
	if fault == nil {
		fault = x.admit(ctx, parent, nil, &config)
	}
	if fault != nil {
		body.Fault_ = simulator.Fault(faultMessage(fault), fault)
		return body
	}
	child := simulator.NewResourcePool(ctx)
	child.Name, child.Owner, child.Config = req.Name, parent.Owner, config
	child.Summary = &types.ResourcePoolSummary{Name: req.Name, Config: config}
	entity := ctx.Map.NewEntity(child)
	self := child.Self
	child.Config.Entity = &self
	ctx.WithLock(parent, func() { // a container view takes a new object in when it finds it below its container
		parent.ResourcePool.ResourcePool = append(slices.Clone(parent.ResourcePool.ResourcePool), self)
	})
	ctx.Map.PutEntity(parent, entity)
	x.update(ctx, parent, types.PropertyChange{Name: "resourcePool", Val: parent.ResourcePool.ResourcePool})
	x.settle(ctx, parent.Owner)
	body.Res = &types.CreateResourcePoolResponse{Returnval: child.Self}
	return body
}

// UpdateConfig changes what the request holds and leaves the rest.
func (x *poolVerbs) UpdateConfig(ctx *simulator.Context, req *types.UpdateConfig) soap.HasFault {
	body := new(methods.UpdateConfigBody)
	pool := x.pool(req.This)
	parent := x.parent(pool)
	var changes []types.PropertyChange
	var fault types.BaseMethodFault
	if req.Name != "" && req.Name != pool.Name {
		if fault = guardEntityName(req.Name); fault == nil && parent != nil {
			fault = x.duplicate(parent, req.Name, &pool.Self)
		}
		changes = append(changes, types.PropertyChange{Name: "name", Val: req.Name})
	}
	if req.Config != nil && fault == nil {
		config := copyConfig(pool.Config)
		if req.Config.ChangeVersion != "" && req.Config.ChangeVersion != config.ChangeVersion {
			fault = new(types.ConcurrentAccess)
		} else if fault = x.apply(&config, req.Config, parent); fault == nil && parent != nil {
			fault = x.admit(ctx, parent, pool, &config)
		}
		changes = append(changes, types.PropertyChange{Name: "config", Val: config})
	}
	if fault != nil {
		body.Fault_ = simulator.Fault(faultMessage(fault), fault)
		return body
	}
	x.update(ctx, pool, changes...)
	x.settle(ctx, pool.Owner)
	body.Res = new(types.UpdateConfigResponse)
	return body
}

// MoveIntoResourcePool moves pools and VMs one after another; "if a failure is detected, then the method terminates with an
// exception", and what was moved before stays moved.
func (x *poolVerbs) MoveIntoResourcePool(ctx *simulator.Context, req *types.MoveIntoResourcePool) soap.HasFault {
	body := new(methods.MoveIntoResourcePoolBody)
	to := x.pool(req.This)
	for _, ref := range req.List {
		var fault types.BaseMethodFault
		switch entity := x.v.registry.Get(ref).(type) {
		case *simulator.ResourcePool:
			fault = x.movePool(ctx, entity, to)
		case *simulator.VirtualMachine:
			fault = x.moveVM(ctx, entity, to)
		default:
			fault = &types.InvalidArgument{InvalidProperty: "list"}
		}
		if fault != nil {
			body.Fault_ = simulator.Fault(faultMessage(fault), fault)
			return body
		}
	}
	x.settle(ctx, to.Owner)
	body.Res = new(types.MoveIntoResourcePoolResponse)
	return body
}

func (x *poolVerbs) movePool(ctx *simulator.Context, pool, to *simulator.ResourcePool) types.BaseMethodFault {
	from := x.parent(pool)
	if from == nil || pool.Owner != to.Owner {
		return &types.InvalidArgument{InvalidProperty: "list"} // a root pool, or one of another cluster
	}
	for p := to; p != nil; p = x.parent(p) {
		if p == pool {
			return &types.InvalidArgument{InvalidProperty: "list"}
		}
	}
	if from == to {
		return nil
	}
	if fault := x.duplicate(to, pool.Name, nil); fault != nil {
		return fault
	}
	config := copyConfig(pool.Config)
	x.disown(ctx, from, pool.Self)
	if fault := x.admit(ctx, to, nil, &config); fault != nil {
		x.adopt(ctx, from, pool.Self)
		return fault
	}
	x.update(ctx, pool, types.PropertyChange{Name: "parent", Val: to.Self})
	x.adopt(ctx, to, pool.Self)
	return nil
}

func (x *poolVerbs) moveVM(ctx *simulator.Context, vm *simulator.VirtualMachine, to *simulator.ResourcePool) types.BaseMethodFault {
	var fault types.BaseMethodFault
	ctx.WithLock(vm, func() {
		from, ok := x.v.registry.Get(value(vm.ResourcePool)).(*simulator.ResourcePool)
		if !ok || from.Owner != to.Owner { // a template, or a VM of another cluster
			fault = &types.InvalidArgument{InvalidProperty: "list"}
			return
		}
		ctx.Update(vm, []types.PropertyChange{{Name: "resourcePool", Val: to.Self}}) // poolWatch does the rest
	})
	return fault
}

// DestroyTask gives the pool's VMs and child pools to its parent. A root pool is InvalidArgument.
func (x *poolVerbs) DestroyTask(ctx *simulator.Context, req *types.Destroy_Task) soap.HasFault {
	fault := x.destroy(ctx, x.pool(req.This))
	task := simulator.CreateTask(x, "destroy", func(*simulator.Task) (types.AnyType, types.BaseMethodFault) { return nil, fault })
	task.Info.Entity = &req.This
	return &methods.Destroy_TaskBody{Res: &types.Destroy_TaskResponse{Returnval: task.Run(ctx)}}
}

func (x *poolVerbs) destroy(ctx *simulator.Context, pool *simulator.ResourcePool) types.BaseMethodFault {
	parent := x.parent(pool)
	if parent == nil {
		return new(types.InvalidArgument)
	}
	for _, ref := range slices.Clone(pool.ResourcePool.ResourcePool) {
		child, ok := x.v.registry.Get(ref).(*simulator.ResourcePool)
		if !ok {
			return new(types.NotSupported) // a vApp
		}
		if fault := x.duplicate(parent, child.Name, &pool.Self); fault != nil {
			return fault
		}
	}
	x.disown(ctx, parent, pool.Self)
	for _, ref := range slices.Clone(pool.ResourcePool.ResourcePool) {
		x.update(ctx, x.pool(ref), types.PropertyChange{Name: "parent", Val: parent.Self})
		x.adopt(ctx, parent, ref)
	}
	for _, ref := range slices.Clone(pool.Vm) {
		if vm, ok := x.v.registry.Get(ref).(*simulator.VirtualMachine); ok {
			ctx.WithLock(vm, func() { ctx.Update(vm, []types.PropertyChange{{Name: "resourcePool", Val: parent.Self}}) })
		}
	}
	ctx.Map.Remove(ctx, pool.Self)
	x.settle(ctx, parent.Owner)
	return nil
}

// pool is a pool that is known to exist.
func (x *poolVerbs) pool(ref types.ManagedObjectReference) *simulator.ResourcePool {
	pool, _ := x.v.registry.Get(ref).(*simulator.ResourcePool)
	return pool
}

// parent is the pool's parent; nil for a root pool.
func (x *poolVerbs) parent(pool *simulator.ResourcePool) *simulator.ResourcePool {
	return x.pool(value(pool.Parent))
}

// duplicate finds a name among the children of a pool, but for one of them.
func (x *poolVerbs) duplicate(parent *simulator.ResourcePool, name string, but *types.ManagedObjectReference) types.BaseMethodFault {
	for _, ref := range parent.ResourcePool.ResourcePool {
		child, ok := x.v.registry.Get(ref).(*simulator.ResourcePool)
		if ok && strings.EqualFold(child.Name, name) && ref != value(but) {
			return &types.DuplicateName{Name: name, Object: ref}
		}
	}
	return nil
}

func (x *poolVerbs) adopt(ctx *simulator.Context, parent *simulator.ResourcePool, child types.ManagedObjectReference) {
	children := append(slices.Clone(parent.ResourcePool.ResourcePool), child)
	x.update(ctx, parent, types.PropertyChange{Name: "resourcePool", Val: children})
}

func (x *poolVerbs) disown(ctx *simulator.Context, parent *simulator.ResourcePool, child types.ManagedObjectReference) {
	children := slices.DeleteFunc(slices.Clone(parent.ResourcePool.ResourcePool), func(ref types.ManagedObjectReference) bool { return ref == child })
	x.update(ctx, parent, types.PropertyChange{Name: "resourcePool", Val: children})
}

// update tells everyone who waits for updates.
func (x *poolVerbs) update(ctx *simulator.Context, pool *simulator.ResourcePool, changes ...types.PropertyChange) {
	ctx.WithLock(pool, func() {
		ctx.Update(pool, changes)
		pool.Summary = &types.ResourcePoolSummary{Name: pool.Name, Config: copyConfig(pool.Config), Runtime: pool.Runtime}
	})
}

// value is the reference, or none.
func value(ref *types.ManagedObjectReference) types.ManagedObjectReference {
	if ref == nil {
		return types.ManagedObjectReference{}
	}
	return *ref
}
