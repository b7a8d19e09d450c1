package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// PowerAction is what to do with a VM's power.
type PowerAction string

// The power actions. Those through the guest need VMware Tools running in it; the others are as hard as the switch of a
// machine.
const (
	ActionOn       PowerAction = "on"       // from off or suspended
	ActionOff      PowerAction = "off"      // hard
	ActionShutdown PowerAction = "shutdown" // through the guest
	ActionReboot   PowerAction = "reboot"   // through the guest
	ActionReset    PowerAction = "reset"    // hard
	ActionSuspend  PowerAction = "suspend"
)

// PowerActions lists the actions.
func PowerActions() []PowerAction {
	return []PowerAction{ActionOn, ActionOff, ActionShutdown, ActionReboot, ActionReset, ActionSuspend}
}

// PowerVM does the action and waits until it is done, at most for the time given; 0 does not wait, so that what comes of a
// request that vCenter took is not known. A VM that is in the state already is fine. Canceled, it asks vCenter to cancel.
func (c *Client) PowerVM(ctx context.Context, vm *VM, action PowerAction, wait time.Duration) error {
	if !slices.Contains(PowerActions(), action) {
		return sdk.WithHint(sdk.Invalidf("%q is no power action", action), "use one of %v", PowerActions())
	}
	if err := c.powerVM(ctx, vm, action, wait); err != nil {
		return fmt.Errorf("power action %s on VM %q: %w", action, vm.Name, err)
	}
	return nil
}

func (c *Client) powerVM(parent context.Context, vm *VM, action PowerAction, wait time.Duration) error {
	if action == ActionReboot {
		return c.rebootGuest(parent, vm, wait)
	}
	if action == ActionShutdown && wait > 0 {
		return c.shutdownVM(parent, vm, wait)
	}
	if action == ActionShutdown {
		_, err := methods.ShutdownGuest(parent, c.vim, &types.ShutdownGuest{This: vmRef(vm)})
		return guestRefusal(alreadyIn(err, types.VirtualMachinePowerStatePoweredOff))
	}
	ctx := parent
	if wait > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(parent, wait)
		defer cancel()
	}
	task, goal, err := c.startPowerTask(ctx, vm, action)
	if err == nil && wait > 0 {
		_, err = c.tasks.wait(ctx, task, nil)
	}
	if errors.Is(err, context.DeadlineExceeded) && parent.Err() == nil {
		return sdk.Conflictf("it is not done after %s: %v", wait, err)
	}
	return alreadyIn(err, goal)
}

// startPowerTask starts the task of a hard action and says which state it leads to.
func (c *Client) startPowerTask(ctx context.Context, vm *VM, action PowerAction) (task types.ManagedObjectReference, goal types.VirtualMachinePowerState, err error) {
	this := vmRef(vm)
	switch action {
	case ActionOn:
		goal = types.VirtualMachinePowerStatePoweredOn
		var res *types.PowerOnVM_TaskResponse
		if res, err = methods.PowerOnVM_Task(ctx, c.vim, &types.PowerOnVM_Task{This: this}); err == nil {
			task = res.Returnval
		}
	case ActionOff:
		goal = types.VirtualMachinePowerStatePoweredOff
		var res *types.PowerOffVM_TaskResponse
		if res, err = methods.PowerOffVM_Task(ctx, c.vim, &types.PowerOffVM_Task{This: this}); err == nil {
			task = res.Returnval
		}
	case ActionSuspend:
		goal = types.VirtualMachinePowerStateSuspended
		var res *types.SuspendVM_TaskResponse
		if res, err = methods.SuspendVM_Task(ctx, c.vim, &types.SuspendVM_Task{This: this}); err == nil {
			task = res.Returnval
		}
	default: // ActionReset, which leads to no other state
		var res *types.ResetVM_TaskResponse
		if res, err = methods.ResetVM_Task(ctx, c.vim, &types.ResetVM_Task{This: this}); err == nil {
			task = res.Returnval
		}
	}
	return task, goal, err
}

// alreadyIn is nil for the refusal of a VM that is in that state already.
func alreadyIn(err error, state types.VirtualMachinePowerState) error {
	if fault, ok := faultOf(err).(*types.InvalidPowerState); ok && fault.ExistingState == state {
		return nil
	}
	return err
}

// guestRefusal explains that a guest cannot be asked.
func guestRefusal(err error) error {
	if isFault[*types.ToolsUnavailable](err) {
		return sdk.WithHint(sdk.Kind(sdk.ErrConflict, fmt.Errorf("VMware Tools do not run in the guest: %w", err)),
			"start VMware Tools in the guest, or use the hard action: off for shutdown, reset for reboot")
	}
	return err
}

// rebootGuest asks the guest to reboot. The VM stays powered on all the while, so VMware Tools, which stop and come again
// with the guest, tell when it is done.
func (c *Client) rebootGuest(parent context.Context, vm *VM, wait time.Duration) error {
	ask := func(ctx context.Context) error {
		_, err := methods.RebootGuest(ctx, c.vim, &types.RebootGuest{This: vmRef(vm)})
		return guestRefusal(err)
	}
	if wait <= 0 {
		return ask(parent)
	}
	ctx, cancel := context.WithTimeout(parent, wait)
	defer cancel()
	const tools = "guest.toolsRunningStatus"
	var asked, stopped bool
	var refused error
	err := c.watch(ctx, vmRef(vm), []string{tools}, func(changed map[string]any) bool {
		status, told := changed[tools].(string)
		running := status == string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
		switch {
		case !asked:
			asked = true
			refused = ask(ctx)
		case told && !running:
			stopped = true
		}
		return refused != nil || stopped && running
	})
	switch {
	case parent.Err() != nil:
		return fmt.Errorf("%w; the guest may still be rebooting", parent.Err())
	case errors.Is(err, context.DeadlineExceeded) && stopped:
		return sdk.WithHint(sdk.Conflictf("VMware Tools did not come again within %s", wait), "see its console")
	case errors.Is(err, context.DeadlineExceeded):
		return sdk.WithHint(sdk.Conflictf("the guest did not begin to reboot within %s", wait), "see its console")
	case err != nil:
		return err
	}
	return refused
}
