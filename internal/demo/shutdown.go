package demo

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// shutdownTime is how long a guest takes to shut down.
const shutdownTime = 200 * time.Millisecond

// guestShutdown answers VirtualMachine.ShutdownGuest: it "returns immediately and does not wait for the guest operating
// system to complete the operation", and needs VMware Tools ("vSphere Web Services API"). The simulator's own needs none and
// powers off at once.
type guestShutdown struct {
	v  *VCenter
	vm *simulator.VirtualMachine
}

// Reference is the VM's, so that the dispatcher holds its lock.
func (x *guestShutdown) Reference() types.ManagedObjectReference { return x.vm.Self }

// ShutdownGuest starts the shutdown.
func (x *guestShutdown) ShutdownGuest(_ *simulator.Context, req *types.ShutdownGuest) soap.HasFault {
	body := new(methods.ShutdownGuestBody)
	switch {
	case x.vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn:
		body.Fault_ = simulator.Fault("", invalidPowerState(x.vm, types.VirtualMachinePowerStatePoweredOn))
	case x.vm.Guest.ToolsRunningStatus != string(types.VirtualMachineToolsRunningStatusGuestToolsRunning):
		body.Fault_ = simulator.Fault("", new(types.ToolsUnavailable))
	default:
		x.v.goroutines.Go(func() { x.finish(req) })
		body.Res = new(types.ShutdownGuestResponse)
	}
	return body
}

func (x *guestShutdown) finish(req *types.ShutdownGuest) {
	select {
	case <-x.v.done:
	case <-time.After(shutdownTime):
		ctx := backgroundContext(x.v.model.Service)
		ctx.WithLock(x.vm, func() { x.vm.ShutdownGuest(ctx, req) })
	}
}

func invalidPowerState(vm *simulator.VirtualMachine, want types.VirtualMachinePowerState) *types.InvalidPowerState {
	return &types.InvalidPowerState{RequestedState: want, ExistingState: vm.Runtime.PowerState}
}
