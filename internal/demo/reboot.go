package demo

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// guestReboot answers VirtualMachine.RebootGuest: it "returns immediately and does not wait for the guest operating system to
// complete the operation", and needs VMware Tools ("vSphere Web Services API"). Tools stop and come again with the guest,
// while the VM stays powered on. The simulator's own changes nothing.
type guestReboot struct {
	v  *VCenter
	vm *simulator.VirtualMachine
}

// Reference is the VM's, so that the dispatcher holds its lock.
func (x *guestReboot) Reference() types.ManagedObjectReference { return x.vm.Self }

// RebootGuest starts the reboot.
func (x *guestReboot) RebootGuest(*simulator.Context, *types.RebootGuest) soap.HasFault {
	body := new(methods.RebootGuestBody)
	m := x.v.machines[x.vm.Self]
	switch {
	case x.vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn:
		body.Fault_ = simulator.Fault("", invalidPowerState(x.vm, types.VirtualMachinePowerStatePoweredOn))
	case m == nil || x.vm.Guest.ToolsRunningStatus != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning):
		body.Fault_ = simulator.Fault("", new(types.ToolsUnavailable))
	default:
		x.v.goroutines.Go(func() { x.restart(m) })
		body.Res = new(types.RebootGuestResponse)
	}
	return body
}

// restart lets Tools go for as long as a guest takes.
func (x *guestReboot) restart(m *machine) {
	ctx := backgroundContext(x.v.model.Service)
	tools := func(status types.VirtualMachineToolsRunningStatus) {
		ctx.Update(x.vm, []types.PropertyChange{{Name: "guest.toolsRunningStatus", Val: string(status)}})
	}
	ctx.WithLock(x.vm, func() { tools(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning) })
	select {
	case <-x.v.done:
	case <-time.After(shutdownTime):
		ctx.WithLock(x.vm, func() {
			m.report(ctx)
			if x.vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
				return
			}
			tools(types.VirtualMachineToolsRunningStatusGuestToolsRunning) // the simulator tells nobody of a part of what changed whole
		})
	}
}

// guardReset refuses to reset a VM that is not running, as vCenter does: InvalidPowerState. The simulator fails in the middle.
func (v *VCenter) guardReset(ref types.ManagedObjectReference) types.BaseMethodFault {
	vm, fault := v.vm(ref)
	if fault != nil {
		return fault
	}
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		return invalidPowerState(vm, types.VirtualMachinePowerStatePoweredOn)
	}
	return nil
}
