package vsphere

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// ShutdownVM asks the guest to shut down through VMware Tools and waits, at most timeout, until the VM is powered off. A VM
// that is off already is fine. It never powers a VM off hard: a guest without running Tools, or one that does not go down
// in time, is sdk.ErrConflict.
func (c *Client) ShutdownVM(ctx context.Context, vm *VM, timeout time.Duration) error {
	if err := c.shutdownVM(ctx, vm, timeout); err != nil {
		return fmt.Errorf("shut down VM %q: %w", vm.Name, err)
	}
	return nil
}

func (c *Client) shutdownVM(parent context.Context, vm *VM, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	var asked bool
	var toolsStatus string
	var refused error
	err := c.followVM(ctx, vm, func(now *VM) (bool, error) {
		toolsStatus = now.ToolsStatus
		if now.PowerState == string(types.VirtualMachinePowerStatePoweredOff) {
			return true, nil
		}
		if !asked {
			asked = true
			_, refused = methods.ShutdownGuest(ctx, c.vim, &types.ShutdownGuest{This: vmRef(vm)})
		}
		return refused != nil, nil
	})
	switch {
	case parent.Err() != nil:
		return fmt.Errorf("%w; the guest may still be going down", parent.Err())
	case errors.Is(err, context.DeadlineExceeded):
		return sdk.WithHint(sdk.Conflictf("it is not off after %s (VMware Tools: %s)", timeout, orUnknown(toolsStatus)),
			"see its console; shut it down inside the guest, then run again")
	case err != nil:
		return err
	case isFault[*types.ToolsUnavailable](refused):
		return sdk.WithHint(sdk.Kind(sdk.ErrConflict, fmt.Errorf("VMware Tools cannot take the request (%s): %w",
			orUnknown(toolsStatus), refused)), "shut it down inside the guest, or start VMware Tools there")
	}
	if fault, ok := faultOf(refused).(*types.InvalidPowerState); ok && fault.ExistingState == types.VirtualMachinePowerStatePoweredOff {
		return nil // it went down by itself
	}
	return refused
}

func orUnknown(s string) string {
	if s == "" {
		return "state unknown"
	}
	return s
}

// PowerOnVM powers the VM on and waits for the task. A VM that is on already is fine.
func (c *Client) PowerOnVM(ctx context.Context, vm *VM) error {
	res, err := methods.PowerOnVM_Task(ctx, c.vim, &types.PowerOnVM_Task{This: vmRef(vm)})
	if err == nil {
		_, err = c.tasks.wait(ctx, res.Returnval, nil)
	}
	if fault, ok := faultOf(err).(*types.InvalidPowerState); ok && fault.ExistingState == types.VirtualMachinePowerStatePoweredOn {
		return nil
	}
	if err != nil {
		return fmt.Errorf("power on VM %q: %w", vm.Name, err)
	}
	return nil
}

func vmRef(vm *VM) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachine", Value: vm.Ref}
}
