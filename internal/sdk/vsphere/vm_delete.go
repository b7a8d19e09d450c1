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

// PowerOffPolicy says how a running VM is stopped. The zero value refuses to stop one.
type PowerOffPolicy struct {
	ShutdownTimeout time.Duration `json:"shutdown_timeout,omitempty"` // ask the guest to shut down and wait so long; 0: do not ask
	Force           bool          `json:"force,omitempty"`            // power off hard when the guest was not asked, cannot be or does not go down
}

// PowerOffVM stops a VM as the policy says and waits until it is off. A VM that is off is fine.
func (c *Client) PowerOffVM(ctx context.Context, vm *VM, policy PowerOffPolicy) error {
	if err := c.powerOffVM(ctx, vm, policy); err != nil {
		return fmt.Errorf("power off VM %q: %w", vm.Name, err)
	}
	return nil
}

func (c *Client) powerOffVM(ctx context.Context, vm *VM, policy PowerOffPolicy) error {
	if policy.ShutdownTimeout > 0 {
		err := c.shutdownVM(ctx, vm, policy.ShutdownTimeout)
		if err == nil || !policy.Force || !errors.Is(err, sdk.ErrConflict) || ctx.Err() != nil {
			return err
		}
		c.log.Debug("power off hard", "vm", vm.Name, "error", err)
	}
	if !policy.Force {
		now, err := c.readVM(ctx, vmRef(vm))
		if err != nil || now.PowerState == string(types.VirtualMachinePowerStatePoweredOff) {
			return err
		}
		return sdk.WithHint(sdk.Conflictf("it is %s", now.PowerState), "let it be shut down or powered off, or do so yourself")
	}
	res, err := methods.PowerOffVM_Task(ctx, c.vim, &types.PowerOffVM_Task{This: vmRef(vm)})
	if err == nil {
		_, err = c.tasks.wait(ctx, res.Returnval, nil)
	}
	if fault, ok := faultOf(err).(*types.InvalidPowerState); ok && fault.ExistingState == types.VirtualMachinePowerStatePoweredOff {
		return nil
	}
	return err
}

// DeleteVM stops the VM as the policy says and deletes it with its disks, but for those at the addresses in keepDisks, which
// are detached first. A VM that does not exist any more is fine.
func (c *Client) DeleteVM(ctx context.Context, vm *VM, policy PowerOffPolicy, keepDisks []string) error {
	if err := c.deleteVM(ctx, vm, policy, keepDisks); err != nil {
		return fmt.Errorf("delete VM %q: %w", vm.Name, err)
	}
	return nil
}

func (c *Client) deleteVM(ctx context.Context, vm *VM, policy PowerOffPolicy, keepDisks []string) error {
	err := c.stopAnd(ctx, vm, policy, func() error {
		if err := c.detachDisks(ctx, vm, keepDisks); err != nil {
			return err
		}
		res, err := methods.Destroy_Task(ctx, c.vim, &types.Destroy_Task{This: vmRef(vm)})
		if err != nil {
			return err
		}
		_, err = c.tasks.wait(ctx, res.Returnval, nil)
		return err
	})
	return c.removed(vm, err)
}

// UnregisterVM takes a VM out of the inventory and leaves its files. It must be off: the policy says how it gets there. A VM
// that does not exist any more is fine.
func (c *Client) UnregisterVM(ctx context.Context, vm *VM, policy PowerOffPolicy) error {
	if err := c.unregisterVM(ctx, vm, policy); err != nil {
		return fmt.Errorf("unregister VM %q: %w", vm.Name, err)
	}
	return nil
}

func (c *Client) unregisterVM(ctx context.Context, vm *VM, policy PowerOffPolicy) error {
	err := c.stopAnd(ctx, vm, policy, func() error {
		_, err := methods.UnregisterVM(ctx, c.vim, &types.UnregisterVM{This: vmRef(vm)})
		return err
	})
	return c.removed(vm, err)
}

// stopAnd does what needs a VM that is off. One that was off when it was read is not asked again.
func (c *Client) stopAnd(ctx context.Context, vm *VM, policy PowerOffPolicy, do func() error) error {
	if vm.PowerState == string(types.VirtualMachinePowerStatePoweredOff) {
		err := do()
		if !isFault[*types.InvalidPowerState](err) {
			return err
		}
	}
	if err := c.powerOffVM(ctx, vm, policy); err != nil {
		return err
	}
	return do()
}

// removed forgets a VM that is gone.
func (c *Client) removed(vm *VM, err error) error {
	if fault, ok := faultOf(err).(*types.ManagedObjectNotFound); ok && fault.Obj == vmRef(vm) {
		err = nil
	}
	if err != nil {
		return err
	}
	c.Forget(vmRef(vm))
	c.marks.release(vm.CloneMark)
	return nil
}

// detachDisks takes disks off a VM and keeps their files. One that the VM has not is sdk.ErrNotFound: deleting the VM could take the
// file with it under another address.
func (c *Client) detachDisks(ctx context.Context, vm *VM, addresses []string) error {
	if len(addresses) == 0 {
		return nil
	}
	_, m, err := c.readVMWhole(ctx, vmRef(vm))
	if err != nil {
		return err
	}
	h := newHardware(c, m.Config.Hardware.Device)
	keep := map[string]DiskRemoval{}
	for _, name := range slices.Sorted(slices.Values(addresses)) {
		a, err := parseAddress(name)
		if err != nil {
			return err
		}
		if h.disk(a) == nil {
			return sdk.WithHint(sdk.NotFoundf("disk %s, which is to be kept, is not there", name), "it has %s", h.addresses())
		}
		keep[name] = KeepDisk
	}
	if err := h.removeDisks(keep); err != nil {
		return err
	}
	return c.reconfigure(ctx, vmRef(vm), types.VirtualMachineConfigSpec{DeviceChange: h.changes}, nil)
}

// reconfigure sends one ReconfigVM_Task.
func (c *Client) reconfigure(ctx context.Context, ref types.ManagedObjectReference, spec types.VirtualMachineConfigSpec, report func(int)) error {
	res, err := methods.ReconfigVM_Task(ctx, c.vim, &types.ReconfigVM_Task{This: ref, Spec: spec})
	if err != nil {
		return err
	}
	_, err = c.tasks.wait(ctx, res.Returnval, report)
	return err
}
