package demo

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// RemoveSnapshotTask removes a snapshot, with or without those below it. Children that stay take its place. The current
// snapshot becomes the nearest ancestor that is left; a VM whose current root went has none.
func (x *vmSnapshots) RemoveSnapshotTask(ctx *simulator.Context, req *types.RemoveSnapshot_Task) soap.HasFault {
	return &methods.RemoveSnapshot_TaskBody{Res: &types.RemoveSnapshot_TaskResponse{
		Returnval: x.task(ctx, "removeSnapshot", func() (types.AnyType, types.BaseMethodFault) {
			node, above := x.node(req.This)
			if node == nil {
				return nil, &types.ManagedObjectNotFound{Obj: req.This}
			}
			gone := []types.ManagedObjectReference{req.This}
			if req.RemoveChildren {
				gone = leavesFirst(*node)
			}
			x.remove(ctx, gone, above)
			return nil, nil
		}),
	}}
}

// RemoveAllSnapshotsTask removes every snapshot and merges everything.
func (x *vmSnapshots) RemoveAllSnapshotsTask(ctx *simulator.Context, _ *types.RemoveAllSnapshots_Task) soap.HasFault {
	return &methods.RemoveAllSnapshots_TaskBody{Res: &types.RemoveAllSnapshots_TaskResponse{
		Returnval: x.task(ctx, "removeAllSnapshots", func() (types.AnyType, types.BaseMethodFault) {
			var gone []types.ManagedObjectReference
			if x.vm.Snapshot != nil {
				for _, root := range x.vm.Snapshot.RootSnapshotList {
					gone = append(gone, leavesFirst(root)...)
				}
			}
			x.remove(ctx, gone, nil)
			return nil, nil
		}),
	}}
}

// ConsolidateVMDisksTask merges what a removal left; here the whole chain, once no snapshot needs it.
func (x *vmSnapshots) ConsolidateVMDisksTask(ctx *simulator.Context, _ *types.ConsolidateVMDisks_Task) soap.HasFault {
	return &methods.ConsolidateVMDisks_TaskBody{Res: &types.ConsolidateVMDisks_TaskResponse{
		Returnval: x.task(ctx, "consolidateDisks", func() (types.AnyType, types.BaseMethodFault) {
			if x.vm.Snapshot == nil {
				x.v.setDisks(ctx, x.vm, bottom)
			}
			ctx.Update(x.vm, []types.PropertyChange{{Name: "runtime.consolidationNeeded", Val: false}})
			return nil, nil
		}),
	}}
}

// bottom is the base disk of a chain.
func bottom(b *flatBacking) *flatBacking {
	for b.Parent != nil {
		b = b.Parent
	}
	return b
}

// leavesFirst lists a node and what is below it, children before their parents.
func leavesFirst(node types.VirtualMachineSnapshotTree) []types.ManagedObjectReference {
	var all []types.ManagedObjectReference
	for _, child := range node.ChildSnapshotList {
		all = append(all, leavesFirst(child)...)
	}
	return append(all, node.Snapshot)
}

// remove takes the snapshots away, leaves first, and merges their disks. above are the ancestors of the first to go.
func (x *vmSnapshots) remove(ctx *simulator.Context, gone, above []types.ManagedObjectReference) {
	for _, ref := range gone {
		snapshot, ok := x.v.registry.Get(ref).(*simulator.VirtualMachineSnapshot)
		if !ok || x.vm.Snapshot == nil {
			continue
		}
		info := types.VirtualMachineSnapshotInfo{CurrentSnapshot: x.vm.Snapshot.CurrentSnapshot}
		if info.CurrentSnapshot != nil && slices.Contains(gone, *info.CurrentSnapshot) {
			info.CurrentSnapshot = nil
			if len(above) > 0 {
				info.CurrentSnapshot = &above[len(above)-1]
			}
		}
		info.RootSnapshotList = editTree(x.vm.Snapshot.RootSnapshotList, func(n types.VirtualMachineSnapshotTree) []types.VirtualMachineSnapshotTree {
			if n.Snapshot == ref {
				return n.ChildSnapshotList
			}
			return []types.VirtualMachineSnapshotTree{n}
		})
		x.publish(ctx, info)
		x.v.registry.Remove(ctx, ref)
		if x.v.faults.get().LeaveDeltas {
			ctx.Update(x.vm, []types.PropertyChange{{Name: "runtime.consolidationNeeded", Val: true}})
			continue
		}
		x.v.merge(ctx, x.vm, x.all(), snapshot.Config.Hardware.Device)
	}
}

// all are the VM's snapshots.
func (x *vmSnapshots) all() []*simulator.VirtualMachineSnapshot {
	var all []*simulator.VirtualMachineSnapshot
	if x.vm.Snapshot == nil {
		return nil
	}
	for _, root := range x.vm.Snapshot.RootSnapshotList {
		for _, ref := range leavesFirst(root) {
			if s, ok := x.v.registry.Get(ref).(*simulator.VirtualMachineSnapshot); ok {
				all = append(all, s)
			}
		}
	}
	return all
}
