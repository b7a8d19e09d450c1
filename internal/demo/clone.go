package demo

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// vmClone answers VirtualMachine.CloneVM_Task: everything in the CloneSpec counts, a linked clone has a parent and needs a snapshot, the
// name is taken from the beginning, and the task takes its time, tells its progress and can be cancelled (CloneVM_Task,
// VirtualMachineCloneSpec and VirtualMachineRelocateSpec, "vSphere Web Services API"). The copying itself is the simulator's.
type vmClone struct {
	v  *VCenter
	vm *simulator.VirtualMachine
}

// clones are the names that clones under way hold, and the guests of those that were made.
type clones struct {
	mu       sync.Mutex
	names    map[string]bool // folder and name
	machines map[types.ManagedObjectReference]*machine
}

func (c *clones) reserve(folder types.ManagedObjectReference, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := folder.Value + "\x00" + name
	if c.names[key] {
		return false
	}
	if c.names == nil {
		c.names = map[string]bool{}
	}
	c.names[key] = true
	return true
}

func (c *clones) release(folder types.ManagedObjectReference, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.names, folder.Value+"\x00"+name)
}

// Reference is not the VM's: many clones of one source run at once.
func (x *vmClone) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "CloneMaker", Value: "demo"}
}

// CloneVMTask begins the clone.
func (x *vmClone) CloneVMTask(_ *simulator.Context, asked *types.CloneVM_Task) soap.HasFault {
	v, own := x.v, backgroundContext(x.v.model.Service)
	stored := *asked
	stored.Name = escapeName(unescapeName(asked.Name)) // a % that begins an escape stays (CloneVM_Task, name)
	req := &stored
	faults := v.faults.get()
	begun := &types.VmBeingClonedEvent{DestName: req.Name, DestFolder: types.FolderEventArgument{Folder: req.Folder}}
	own.WithLock(x.vm, func() {
		begun.Vm = &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: x.vm.Name}, Vm: x.vm.Self}
		if host, ok := v.registry.Get(*x.vm.Runtime.Host).(*simulator.HostSystem); ok {
			begun.Host = &types.HostEventArgument{EntityEventArgument: types.EntityEventArgument{Name: host.Name}, Host: host.Self}
		}
	})
	v.postEvent(begun)
	t := job{entity: x.vm, method: "CloneVM_Task", id: "clone", chain: begun.ChainId, take: faults.CloneDelay}
	t.work = func() (types.AnyType, types.BaseMethodFault) {
		if faults.FailClone != nil {
			return nil, faults.FailClone
		}
		return x.make(own, req)
	}
	t.end = func() { v.clones.release(req.Folder, req.Name) }
	if taken := x.taken(own, req); taken != nil {
		t.take, t.end = 0, func() {}
		t.work = func() (types.AnyType, types.BaseMethodFault) {
			return nil, &types.DuplicateName{Name: req.Name, Object: *taken}
		}
	}
	task := v.startTask(t)
	return &methods.CloneVM_TaskBody{Res: &types.CloneVM_TaskResponse{Returnval: task}}
}

// taken is what has the clone's name, else the name is its own from now on. A clone under way has no VM yet that could be named.
func (x *vmClone) taken(ctx *simulator.Context, req *types.CloneVM_Task) *types.ManagedObjectReference {
	folder, ok := x.v.registry.Get(req.Folder).(*simulator.Folder)
	if !ok {
		return &req.Folder
	}
	var children []types.ManagedObjectReference
	ctx.WithLock(folder, func() { children = slices.Clone(folder.ChildEntity) })
	if found := x.v.registry.FindByName(req.Name, children); found != nil {
		ref := found.Reference()
		return &ref
	}
	if !x.v.clones.reserve(req.Folder, req.Name) {
		return &types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-0"}
	}
	return nil
}

// make copies the VM and finishes the copy. When the power-on fails the copy stays.
func (x *vmClone) make(ctx *simulator.Context, req *types.CloneVM_Task) (types.AnyType, types.BaseMethodFault) {
	from, fault := x.from(ctx, req)
	if fault != nil {
		return nil, fault
	}
	if c := req.Spec.Customization; c != nil && !req.Spec.Template {
		if fault := checkNICs(c, from.nicsAfter(req.Spec.Config)); fault != nil {
			return nil, fault
		}
	}
	vm, fault := x.copy(ctx, req)
	if fault != nil {
		return nil, fault
	}
	if fault := x.finish(ctx, req, from, vm); fault != nil {
		x.v.finished(ctx, func() soap.HasFault { return vm.DestroyTask(ctx, &types.Destroy_Task{This: vm.Self}) })
		return nil, fault
	}
	x.v.postEvent(&types.VmClonedEvent{
		VmCloneEvent: types.VmCloneEvent{VmEvent: vmEvent(vm)},
		SourceVm:     types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: x.vm.Name}, Vm: x.vm.Self},
	})
	if !req.Spec.PowerOn || req.Spec.Template {
		return vm.Self, nil
	}
	if failure := x.v.faults.get().FailPowerOn; failure != nil {
		return nil, failure
	}
	if fault := x.v.finished(ctx, func() soap.HasFault { return vm.PowerOnVMTask(ctx, &types.PowerOnVM_Task{This: vm.Self}) }); fault != nil {
		return nil, fault
	}
	return vm.Self, nil
}

// origin is what a clone is a copy of: the VM as it is, or at a snapshot.
type origin struct {
	config   types.VirtualMachineConfigInfo
	snapshot bool
}

// from checks the source. A linked clone without a snapshot is refused: "createNewChildDiskBacking: … the virtual machine must have a snapshot".
func (x *vmClone) from(ctx *simulator.Context, req *types.CloneVM_Task) (origin, types.BaseMethodFault) {
	var o origin
	ctx.WithLock(x.vm, func() { o.config = *x.vm.Config })
	linked := req.Spec.Location.DiskMoveType == string(types.VirtualMachineRelocateDiskMoveOptionsCreateNewChildDiskBacking)
	if move := req.Spec.Location.DiskMoveType; move != "" && !knownMove(move) {
		return o, &types.InvalidArgument{InvalidProperty: "spec.location.diskMoveType"}
	}
	if req.Spec.Snapshot == nil {
		if linked {
			return o, &types.InvalidArgument{InvalidProperty: "spec.snapshot"}
		}
		return o, nil
	}
	snapshot, ok := x.v.registry.Get(*req.Spec.Snapshot).(*simulator.VirtualMachineSnapshot)
	if !ok {
		return o, &types.ManagedObjectNotFound{Obj: *req.Spec.Snapshot}
	}
	if snapshot.Vm != x.vm.Self {
		return o, &types.InvalidArgument{InvalidProperty: "spec.snapshot"}
	}
	ctx.WithLock(snapshot, func() { o.config, o.snapshot = snapshot.Config, true })
	return o, nil
}

func knownMove(move string) bool {
	for _, known := range types.VirtualMachineRelocateDiskMoveOptions("").Strings() {
		if known == move {
			return true
		}
	}
	return false
}

// nicsAfter counts the adapters that the clone will have.
func (o origin) nicsAfter(config *types.VirtualMachineConfigSpec) int {
	n := len(object.VirtualDeviceList(o.config.Hardware.Device).SelectByType((*types.VirtualEthernetCard)(nil)))
	if config == nil {
		return n
	}
	for _, change := range config.DeviceChange {
		c := change.GetVirtualDeviceConfigSpec()
		if _, ok := c.Device.(types.BaseVirtualEthernetCard); !ok {
			continue
		}
		switch c.Operation {
		case types.VirtualDeviceConfigSpecOperationAdd:
			n++
		case types.VirtualDeviceConfigSpecOperationRemove:
			n--
		case types.VirtualDeviceConfigSpecOperationEdit:
		}
	}
	return n
}

// copy lets the simulator make the plain copy: its clone knows files and placement. It would escape a name with an escape in it
// once more, and lose the devices over that; so such a name is given afterwards.
func (x *vmClone) copy(ctx *simulator.Context, req *types.CloneVM_Task) (*simulator.VirtualMachine, types.BaseMethodFault) {
	plain := *req
	plain.Spec = types.VirtualMachineCloneSpec{Location: types.VirtualMachineRelocateSpec{
		Pool: req.Spec.Location.Pool, Host: req.Spec.Location.Host, Datastore: req.Spec.Location.Datastore,
	}, Config: &types.VirtualMachineConfigSpec{
		Uuid: identity("clone", randomID()).String(), InstanceUuid: identity("clone", randomID()).String(),
	}}
	if strings.Contains(req.Name, "%") {
		plain.Name = strings.ReplaceAll(req.Name, "%", "_") + "-" + randomID()
	}
	result, fault := x.v.outcome(ctx, func() (body soap.HasFault) {
		x.v.tasks.recent.Lock()
		defer x.v.tasks.recent.Unlock()
		ctx.WithLock(x.vm, func() { body = x.vm.CloneVMTask(ctx, &plain) })
		return body
	})
	if fault != nil {
		return nil, fault
	}
	ref, _ := result.(types.ManagedObjectReference)
	vm, fault := x.v.vm(ref)
	if fault == nil && plain.Name != req.Name {
		ctx.WithLock(vm, func() {
			ctx.Update(vm, []types.PropertyChange{
				{Name: "name", Val: req.Name}, {Name: "config.name", Val: req.Name}, {Name: "summary.config.name", Val: req.Name},
			})
		})
	}
	return vm, fault
}

func vmEvent(vm *simulator.VirtualMachine) types.VmEvent {
	return types.VmEvent{Event: types.Event{
		Vm: &types.VmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: vm.Name}, Vm: vm.Self},
	}}
}

// postEvent records an event.
func (v *VCenter) postEvent(event types.BaseEvent) {
	ctx := backgroundContext(v.model.Service)
	manager := v.registry.EventManager()
	ctx.WithLock(manager, func() { manager.PostEvent(ctx, &types.PostEvent{EventToPost: event}) })
}

// finished begins a task of the simulator's that is a part of ours, waits for it, and takes it out of the lists: vCenter shows one task.
func (v *VCenter) finished(ctx *simulator.Context, begin func() soap.HasFault) types.BaseMethodFault {
	_, fault := v.outcome(ctx, begin)
	return fault
}

func (v *VCenter) outcome(ctx *simulator.Context, begin func() soap.HasFault) (types.AnyType, types.BaseMethodFault) {
	defer v.turns.alone()()
	body := begin()
	if f := body.Fault(); f != nil {
		fault, ok := f.VimFault().(types.BaseMethodFault)
		if !ok {
			return nil, &types.SystemError{Reason: f.String}
		}
		return nil, fault
	}
	ref := taskOf(body)
	task, ok := v.registry.Get(ref).(*simulator.Task)
	if !ok {
		return nil, &types.SystemError{Reason: "the simulator made no task"}
	}
	// The task writes its end on behalf of ctx, whose locks do not keep ctx out.
	info := v.turns.end(backgroundContext(v.model.Service), task)
	v.forgetTask(ctx, task)
	if info.Error != nil {
		return nil, info.Error.Fault
	}
	return info.Result, nil
}

// forgetTask removes a task that only we know of.
func (v *VCenter) forgetTask(ctx *simulator.Context, task *simulator.Task) {
	if manager, ok := v.registry.Get(*v.model.ServiceContent.TaskManager).(*simulator.TaskManager); ok {
		ctx.Map.RemoveReference(ctx, manager, &manager.RecentTask, task.Self)
	}
	if entity, ok := v.registry.Get(*task.Info.Entity).(mo.Entity); ok {
		v.tasks.recent.Lock()
		ctx.Map.RemoveReference(ctx, entity, &entity.Entity().RecentTask, task.Self)
		v.tasks.recent.Unlock()
	}
	v.registry.Remove(ctx, task.Self)
}

func taskOf(body soap.HasFault) types.ManagedObjectReference {
	switch b := body.(type) {
	case *methods.CloneVM_TaskBody:
		return b.Res.Returnval
	case *methods.ReconfigVM_TaskBody:
		return b.Res.Returnval
	case *methods.PowerOnVM_TaskBody:
		return b.Res.Returnval
	case *methods.RelocateVM_TaskBody:
		return b.Res.Returnval
	case *methods.Destroy_TaskBody:
		return b.Res.Returnval
	}
	return types.ManagedObjectReference{}
}

// faultName is the fault's name in the API.
func faultName(fault types.BaseMethodFault) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", fault), "*types.")
}
