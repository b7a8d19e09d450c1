package demo

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// templateMarker answers MarkAsTemplate and MarkAsVirtualMachine (VirtualMachine, "vSphere Web Services API"): "resourcePool: a
// template has none". The simulator's own tells no watcher of it and leaves the VM in its pool's list.
type templateMarker struct {
	v  *VCenter
	vm *simulator.VirtualMachine
}

// Reference is the VM's, so that the dispatcher holds its lock.
func (x *templateMarker) Reference() types.ManagedObjectReference { return x.vm.Self }

// MarkAsTemplate takes the VM out of its pool.
func (x *templateMarker) MarkAsTemplate(ctx *simulator.Context, req *types.MarkAsTemplate) soap.HasFault {
	pool := x.vm.ResourcePool
	res := x.vm.MarkAsTemplate(req)
	if res.Fault() == nil {
		x.leavePool(ctx, pool)
		x.publish(ctx, nil, "VirtualMachine.markAsTemplate")
	}
	return res
}

// MarkAsVirtualMachine puts it into a pool, and on another host when one is named.
func (x *templateMarker) MarkAsVirtualMachine(ctx *simulator.Context, req *types.MarkAsVirtualMachine) soap.HasFault {
	was := x.vm.Runtime.Host
	res := x.vm.MarkAsVirtualMachine(req)
	if res.Fault() != nil {
		return res
	}
	pool := req.Pool
	x.joinPool(ctx, pool)
	if req.Host != nil && was != nil && *was != *req.Host {
		x.moveHost(ctx, *was, *req.Host)
	}
	x.publish(ctx, pool, "VirtualMachine.markAsVirtualMachine")
	return res
}

// publish tells whoever waits for updates.
func (x *templateMarker) publish(ctx *simulator.Context, pool any, description string) {
	template := x.vm.Config.Template
	ctx.Update(x.vm, []types.PropertyChange{
		{Name: "config.template", Val: template},
		{Name: "summary.config.template", Val: template},
		{Name: "resourcePool", Val: pool},
	})
	// Marking is no task to its caller, and one in vCenter's list of tasks and events.
	x.v.taskEvent(ctx, x.vm, types.ManagedObjectReference{Type: "Task", Value: "task-" + randomID()}, description)
}

func (x *templateMarker) leavePool(ctx *simulator.Context, pool *types.ManagedObjectReference) {
	if pool == nil {
		return
	}
	switch p := x.v.registry.Get(*pool).(type) {
	case *simulator.ResourcePool:
		x.without(ctx, p, p.Vm)
	case *simulator.VirtualApp:
		x.without(ctx, p, p.Vm)
	}
}

func (x *templateMarker) joinPool(ctx *simulator.Context, pool types.ManagedObjectReference) {
	switch p := x.v.registry.Get(pool).(type) {
	case *simulator.ResourcePool:
		x.with(ctx, p, p.Vm)
	case *simulator.VirtualApp:
		x.with(ctx, p, p.Vm)
	}
}

func (x *templateMarker) moveHost(ctx *simulator.Context, from, to types.ManagedObjectReference) {
	if h, ok := x.v.registry.Get(from).(*simulator.HostSystem); ok {
		x.without(ctx, h, h.Vm)
	}
	if h, ok := x.v.registry.Get(to).(*simulator.HostSystem); ok {
		x.with(ctx, h, h.Vm)
	}
	ctx.Update(x.vm, []types.PropertyChange{{Name: "runtime.host", Val: to}, {Name: "summary.runtime.host", Val: to}})
}

// without takes the VM out of an object's list of VMs.
func (x *templateMarker) without(ctx *simulator.Context, of mo.Reference, list []types.ManagedObjectReference) {
	ctx.WithLock(of, func() {
		kept := slices.DeleteFunc(slices.Clone(list), func(ref types.ManagedObjectReference) bool { return ref == x.vm.Self })
		ctx.Update(of, []types.PropertyChange{{Name: "vm", Val: kept}})
	})
}

// with puts it there, once.
func (x *templateMarker) with(ctx *simulator.Context, of mo.Reference, list []types.ManagedObjectReference) {
	ctx.WithLock(of, func() {
		if !slices.Contains(list, x.vm.Self) {
			ctx.Update(of, []types.PropertyChange{{Name: "vm", Val: append(slices.Clone(list), x.vm.Self)}})
		}
	})
}

// guardTemplate refuses what a template cannot do: NotSupported (PowerOnVM_Task: "if the virtual machine is marked as a template").
func (v *VCenter) guardTemplate(ctx *simulator.Context, ref types.ManagedObjectReference) (fault types.BaseMethodFault) {
	vm, ok := v.registry.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return nil // the simulator's own ManagedObjectNotFound
	}
	ctx.WithLock(vm, func() {
		if vm.Config != nil && vm.Config.Template {
			fault = new(types.NotSupported)
		}
	})
	return fault
}

// guardRename refuses a name that a sibling has: DuplicateName (Rename_Task). The simulator answers InvalidArgument.
func (v *VCenter) guardRename(ctx *simulator.Context, body *types.Rename_Task) (fault types.BaseMethodFault) {
	entity, ok := v.registry.Get(body.This).(mo.Entity)
	if !ok || entity.Entity().Parent == nil {
		return nil
	}
	folder, ok := v.registry.Get(*entity.Entity().Parent).(*simulator.Folder)
	if !ok {
		return nil
	}
	ctx.WithLock(folder, func() {
		if other := v.registry.FindByName(body.NewName, folder.ChildEntity); other != nil && other.Reference() != body.This {
			fault = &types.DuplicateName{Name: body.NewName, Object: other.Reference()}
		}
	})
	return fault
}

// taskEvent posts the event that vCenter has of a task (TaskEvent, "vSphere Web Services API").
func (v *VCenter) taskEvent(ctx *simulator.Context, vm *simulator.VirtualMachine, task types.ManagedObjectReference, description string) {
	event := &types.TaskEvent{Info: types.TaskInfo{
		Key: task.Value, Task: task, DescriptionId: description, Entity: &vm.Self, EntityName: vm.Name, State: types.TaskInfoStateQueued,
	}}
	event.Vm = &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: vm.Name}, Vm: vm.Self}
	manager := v.registry.EventManager()
	ctx.WithLock(manager, func() { manager.PostEvent(ctx, &types.PostEvent{EventToPost: event}) })
}
