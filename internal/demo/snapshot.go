package demo

import (
	"cmp"
	"slices"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// vmSnapshots answers a VM's and its snapshots' methods as VirtualMachine and VirtualMachineSnapshot of the "vSphere Web
// Services API" describe them, where the simulator's own only keep a tree: the disks get deltas and lose them, and a revert restores
// configuration and power state.
type vmSnapshots struct {
	v        *VCenter
	vm       *simulator.VirtualMachine
	snapshot *simulator.VirtualMachineSnapshot // nil for the methods of the VM
}

// snapshotMethods is the object that answers a method, or nil when it is not one of these.
func (v *VCenter) snapshotMethods(m *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	switch m.Name {
	case "CreateSnapshot_Task", "CreateSnapshotEx_Task", "RevertToCurrentSnapshot_Task", "RemoveAllSnapshots_Task", "ConsolidateVMDisks_Task":
		vm, fault := v.vm(m.This)
		return orNil(&vmSnapshots{v: v, vm: vm}, fault)
	case "RevertToSnapshot_Task", "RemoveSnapshot_Task", "RenameSnapshot":
		snapshot, ok := v.registry.Get(m.This).(*simulator.VirtualMachineSnapshot)
		if !ok {
			return nil, &types.ManagedObjectNotFound{Obj: m.This}
		}
		vm, fault := v.vm(snapshot.Vm)
		return orNil(&vmSnapshots{v: v, vm: vm, snapshot: snapshot}, fault)
	}
	return nil, nil
}

// Reference is the VM's, so that the dispatcher holds its lock.
func (x *vmSnapshots) Reference() types.ManagedObjectReference { return x.vm.Self }

// task runs a task on the VM, with its lock held. A template is NotSupported.
func (x *vmSnapshots) task(ctx *simulator.Context, name string, run func() (types.AnyType, types.BaseMethodFault)) types.ManagedObjectReference {
	return simulator.CreateTask(x.vm, name, func(*simulator.Task) (types.AnyType, types.BaseMethodFault) {
		if x.vm.Config.Template {
			return nil, new(types.NotSupported)
		}
		return run()
	}).Run(ctx)
}

// CreateSnapshotTask takes a snapshot: from then on the VM writes into delta disks ("VirtualDiskFlatVer2BackingInfo.parent").
func (x *vmSnapshots) CreateSnapshotTask(ctx *simulator.Context, req *types.CreateSnapshot_Task) soap.HasFault {
	return &methods.CreateSnapshot_TaskBody{Res: &types.CreateSnapshot_TaskResponse{
		Returnval: x.create(ctx, types.CreateSnapshotEx_Task{Name: req.Name, Description: req.Description, Memory: req.Memory}, req.Quiesce),
	}}
}

// CreateSnapshotExTask is the same with more to say about quiescing.
func (x *vmSnapshots) CreateSnapshotExTask(ctx *simulator.Context, req *types.CreateSnapshotEx_Task) soap.HasFault {
	return &methods.CreateSnapshotEx_TaskBody{Res: &types.CreateSnapshotEx_TaskResponse{
		Returnval: x.create(ctx, *req, req.QuiesceSpec != nil),
	}}
}

func (x *vmSnapshots) create(ctx *simulator.Context, req types.CreateSnapshotEx_Task, quiesce bool) types.ManagedObjectReference {
	return x.task(ctx, "createSnapshot", func() (types.AnyType, types.BaseMethodFault) {
		node := types.VirtualMachineSnapshotTree{
			Vm: x.vm.Self, Name: req.Name, Description: req.Description, Id: x.nextID(), CreateTime: time.Now(),
			State: types.VirtualMachinePowerStatePoweredOff, ReplaySupported: types.NewBool(false),
		}
		if x.vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn {
			node.Quiesced = quiesce && !req.Memory
			if req.Memory {
				node.State = types.VirtualMachinePowerStatePoweredOn
			}
		}
		if node.Quiesced && x.vm.Guest.ToolsRunningStatus != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning) {
			return nil, new(types.ToolsUnavailable) // quiescing is done by VMware Tools
		}
		snapshot := new(simulator.VirtualMachineSnapshot)
		snapshot.Vm, snapshot.Config = x.vm.Self, deepCopy(*x.vm.Config)
		node.Snapshot = x.v.registry.Put(snapshot).Reference()
		x.plant(ctx, node)
		x.v.newDeltas(ctx, x.vm)
		return node.Snapshot, nil
	})
}

// plant puts a new snapshot on top of the current one, as the current one.
func (x *vmSnapshots) plant(ctx *simulator.Context, node types.VirtualMachineSnapshotTree) {
	info := types.VirtualMachineSnapshotInfo{CurrentSnapshot: &node.Snapshot}
	if now := x.vm.Snapshot; now == nil || now.CurrentSnapshot == nil {
		if now != nil {
			info.RootSnapshotList = slices.Clone(now.RootSnapshotList)
		}
		info.RootSnapshotList = append(info.RootSnapshotList, node)
	} else {
		parent := *now.CurrentSnapshot
		info.RootSnapshotList = editTree(now.RootSnapshotList, func(n types.VirtualMachineSnapshotTree) []types.VirtualMachineSnapshotTree {
			if n.Snapshot == parent {
				n.ChildSnapshotList = append(n.ChildSnapshotList, node)
			}
			return []types.VirtualMachineSnapshotTree{n}
		})
	}
	x.publish(ctx, info)
}

// publish makes the tree the VM's; an empty one is unset, as "VirtualMachine.snapshot" is.
func (x *vmSnapshots) publish(ctx *simulator.Context, info types.VirtualMachineSnapshotInfo) {
	if len(info.RootSnapshotList) == 0 {
		ctx.Update(x.vm, []types.PropertyChange{{Name: "snapshot", Val: nil}, {Name: "rootSnapshot", Val: nil}})
		return
	}
	roots := make([]types.ManagedObjectReference, len(info.RootSnapshotList))
	for i, root := range info.RootSnapshotList {
		roots[i] = root.Snapshot
	}
	ctx.Update(x.vm, []types.PropertyChange{{Name: "snapshot", Val: &info}, {Name: "rootSnapshot", Val: roots}})
}

// nextID is above every id of the VM's snapshots.
func (x *vmSnapshots) nextID() int32 {
	var last int32
	if x.vm.Snapshot != nil {
		editTree(x.vm.Snapshot.RootSnapshotList, func(n types.VirtualMachineSnapshotTree) []types.VirtualMachineSnapshotTree {
			last = max(last, n.Id)
			return nil
		})
	}
	return last + 1
}

// RenameSnapshot changes name and description, of which at least one is given; names need not be unique.
func (x *vmSnapshots) RenameSnapshot(ctx *simulator.Context, req *types.RenameSnapshot) soap.HasFault {
	body := new(methods.RenameSnapshotBody)
	if req.Name == "" && req.Description == "" {
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "name"})
		return body
	}
	info := *x.vm.Snapshot // it has at least this one
	info.RootSnapshotList = editTree(info.RootSnapshotList, func(n types.VirtualMachineSnapshotTree) []types.VirtualMachineSnapshotTree {
		if n.Snapshot == x.snapshot.Self {
			n.Name, n.Description = cmp.Or(req.Name, n.Name), cmp.Or(req.Description, n.Description)
		}
		return []types.VirtualMachineSnapshotTree{n}
	})
	x.publish(ctx, info)
	body.Res = new(types.RenameSnapshotResponse)
	return body
}

// editTree is a copy of a tree in which edit took the place of each node, from the leaves up.
func editTree(nodes []types.VirtualMachineSnapshotTree, edit func(types.VirtualMachineSnapshotTree) []types.VirtualMachineSnapshotTree) []types.VirtualMachineSnapshotTree {
	var out []types.VirtualMachineSnapshotTree
	for _, n := range nodes {
		n.ChildSnapshotList = editTree(n.ChildSnapshotList, edit)
		out = append(out, edit(n)...)
	}
	return out
}

// node is a snapshot's place in the tree and the chain of its ancestors, the nearest last.
func (x *vmSnapshots) node(ref types.ManagedObjectReference) (found *types.VirtualMachineSnapshotTree, above []types.ManagedObjectReference) {
	var walk func([]types.VirtualMachineSnapshotTree, []types.ManagedObjectReference)
	walk = func(nodes []types.VirtualMachineSnapshotTree, chain []types.ManagedObjectReference) {
		for i := range nodes {
			if nodes[i].Snapshot == ref {
				found, above = &nodes[i], slices.Clone(chain)
			}
			walk(nodes[i].ChildSnapshotList, append(slices.Clone(chain), nodes[i].Snapshot))
		}
	}
	if x.vm.Snapshot != nil {
		walk(x.vm.Snapshot.RootSnapshotList, nil)
	}
	return found, above
}
