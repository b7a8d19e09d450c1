package demo

import (
	"bytes"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
	"github.com/vmware/govmomi/vim25/xml"
)

// RevertToSnapshotTask makes the VM what it was: its configuration, its disks with new deltas on top of those of the snapshot,
// the current snapshot, and its power state: "powered on" only for a snapshot with memory and without suppressPowerOn.
func (x *vmSnapshots) RevertToSnapshotTask(ctx *simulator.Context, req *types.RevertToSnapshot_Task) soap.HasFault {
	return &methods.RevertToSnapshot_TaskBody{Res: &types.RevertToSnapshot_TaskResponse{
		Returnval: x.revert(ctx, req.This, req.SuppressPowerOn),
	}}
}

// RevertToCurrentSnapshotTask does it with the current one. A VM without is NotFound.
func (x *vmSnapshots) RevertToCurrentSnapshotTask(ctx *simulator.Context, req *types.RevertToCurrentSnapshot_Task) soap.HasFault {
	body := new(methods.RevertToCurrentSnapshot_TaskBody)
	if x.vm.Snapshot == nil || x.vm.Snapshot.CurrentSnapshot == nil {
		body.Fault_ = simulator.Fault("", new(types.NotFound))
		return body
	}
	body.Res = &types.RevertToCurrentSnapshot_TaskResponse{
		Returnval: x.revert(ctx, *x.vm.Snapshot.CurrentSnapshot, req.SuppressPowerOn),
	}
	return body
}

func (x *vmSnapshots) revert(ctx *simulator.Context, to types.ManagedObjectReference, suppress *bool) types.ManagedObjectReference {
	return x.task(ctx, "revertToSnapshot", func() (types.AnyType, types.BaseMethodFault) {
		node, _ := x.node(to)
		snapshot, ok := x.v.registry.Get(to).(*simulator.VirtualMachineSnapshot)
		if !ok || node == nil {
			return nil, &types.ManagedObjectNotFound{Obj: to}
		}
		left := flatDisks(x.vm.Config.Hardware.Device)
		x.restore(ctx, snapshot)
		x.v.newDeltas(ctx, x.vm)
		for _, top := range left { // what was written since is lost
			if !x.v.inUse(x.vm, x.all(), top.FileName) {
				x.v.removeDelta(top.FileName)
			}
		}
		ctx.Update(x.vm, []types.PropertyChange{{Name: "snapshot.currentSnapshot", Val: to}})
		state := types.VirtualMachinePowerStatePoweredOff
		if node.State == types.VirtualMachinePowerStatePoweredOn && (suppress == nil || !*suppress) {
			state = types.VirtualMachinePowerStatePoweredOn
		}
		if x.vm.Runtime.PowerState != state {
			ctx.Update(x.vm, []types.PropertyChange{
				{Name: "runtime.powerState", Val: state}, {Name: "summary.runtime.powerState", Val: state},
			})
		}
		return nil, nil
	})
}

// restore takes the snapshot's configuration over. The VM keeps its identity, its name in the inventory and its files.
func (x *vmSnapshots) restore(ctx *simulator.Context, snapshot *simulator.VirtualMachineSnapshot) {
	config, now := deepCopy(snapshot.Config), x.vm.Config
	config.Name, config.Uuid, config.InstanceUuid, config.Files = now.Name, now.Uuid, now.InstanceUuid, now.Files
	config.Modified = time.Now()
	config.ChangeVersion = config.Modified.UTC().Format(time.RFC3339Nano)
	ctx.Update(x.vm, []types.PropertyChange{
		{Name: "config", Val: &config},
		{Name: "summary.config.numCpu", Val: config.Hardware.NumCPU},
		{Name: "summary.config.memorySizeMB", Val: config.Hardware.MemoryMB},
		{Name: "summary.config.annotation", Val: config.Annotation},
		{Name: "summary.config.guestId", Val: config.GuestId},
		{Name: "summary.config.guestFullName", Val: config.GuestFullName},
	})
}

// deepCopy copies a configuration by way of XML, as it would reach a client. The simulator edits devices in place.
func deepCopy(config types.VirtualMachineConfigInfo) types.VirtualMachineConfigInfo {
	var out types.VirtualMachineConfigInfo
	text, err := xml.Marshal(config)
	if err == nil {
		decoder := xml.NewDecoder(bytes.NewReader(text))
		decoder.TypeFunc = types.TypeFunc()
		err = decoder.Decode(&out)
	}
	if err != nil {
		panic(err) // it came from there; guardTask makes it the task's error
	}
	return out
}
