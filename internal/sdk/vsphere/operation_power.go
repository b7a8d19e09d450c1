package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// DefaultShutdown is how long a guest may take to shut down or to reboot when nobody says.
const DefaultShutdown = 5 * time.Minute

// VMPowerSpec does a power action on each VM and waits for it. One that is in the state already is skipped.
type VMPowerSpec struct {
	Action  PowerAction   `json:"action"`
	Timeout time.Duration `json:"timeout,omitempty"` // of each VM; 0: DefaultShutdown
	Force   bool          `json:"force,omitempty"`   // with shutdown: power off hard when the guest cannot be asked or is not down in time
}

// Stage is what its progress is called.
func (s VMPowerSpec) Stage() string {
	switch s.Action {
	case ActionOn, ActionOff:
		return "power " + string(s.Action)
	case ActionShutdown:
		return "shut down"
	case ActionReboot, ActionReset, ActionSuspend:
	}
	return string(s.Action)
}

// Validate checks the form of the spec, without a call.
func (s VMPowerSpec) Validate() error {
	switch {
	case !slices.Contains(PowerActions(), s.Action):
		return sdk.WithHint(sdk.Invalidf("%q is no power action", s.Action), "use one of %v", PowerActions())
	case s.Timeout < 0:
		return sdk.Invalidf("timeout %s is no time to wait", s.Timeout)
	case s.Force && s.Action != ActionShutdown:
		return sdk.WithHint(sdk.Invalidf("force says nothing with %s", s.Action), "it is for a shutdown that the guest does not obey; off and reset are hard by themselves")
	}
	return nil
}

func (s VMPowerSpec) timeout() time.Duration {
	if s.Timeout == 0 {
		return DefaultShutdown
	}
	return s.Timeout
}

func (s VMPowerSpec) plan(ctx context.Context, c *Client, ref VMRef) (*vmStep, error) {
	vm, err := c.readForOperation(ctx, ref)
	if err != nil {
		return nil, err
	}
	if goal := s.goal(); goal != "" && vm.PowerState == goal {
		return nil, sdk.Skip("it is %s already", goal)
	}
	if s.Action == ActionShutdown {
		policy := PowerOffPolicy{ShutdownTimeout: s.timeout(), Force: s.Force}
		return &vmStep{would: policy.would(), do: func(ctx context.Context, _ sdk.ProgressFunc) error {
			hard, err := c.stopVM(ctx, vm, policy)
			if err == nil && hard != nil {
				return sdk.Done("powered off hard: %v", hard)
			}
			return err
		}}, nil
	}
	return &vmStep{would: s.words(), do: func(ctx context.Context, _ sdk.ProgressFunc) error {
		return c.powerVM(ctx, vm, s.Action, s.timeout())
	}}, nil
}

// goal is the state that the action leads to from another one; empty: to none.
func (s VMPowerSpec) goal() string {
	switch s.Action {
	case ActionOn:
		return string(types.VirtualMachinePowerStatePoweredOn)
	case ActionOff, ActionShutdown:
		return string(types.VirtualMachinePowerStatePoweredOff)
	case ActionSuspend:
		return string(types.VirtualMachinePowerStateSuspended)
	case ActionReboot, ActionReset:
	}
	return ""
}

func (s VMPowerSpec) words() string {
	switch s.Action {
	case ActionOn:
		return "power on"
	case ActionOff:
		return "power off hard"
	case ActionReboot:
		return fmt.Sprintf("reboot the guest and wait up to %s", s.timeout())
	case ActionReset:
		return "reset hard"
	case ActionShutdown, ActionSuspend:
	}
	return string(s.Action)
}

func (p PowerOffPolicy) would() string {
	switch {
	case p.ShutdownTimeout == 0:
		return "power off hard"
	case p.Force:
		return fmt.Sprintf("shut down the guest, wait up to %s and then power off hard", p.ShutdownTimeout)
	}
	return fmt.Sprintf("shut down the guest and wait up to %s", p.ShutdownTimeout)
}

// stopVM stops a VM as the policy says. hard is why a guest that was asked was powered off hard nevertheless; nil: it was not.
func (c *Client) stopVM(ctx context.Context, vm *VM, policy PowerOffPolicy) (hard, err error) {
	if policy.ShutdownTimeout > 0 {
		err = c.shutdownVM(ctx, vm, policy.ShutdownTimeout)
		if err == nil || !policy.Force || !errors.Is(err, sdk.ErrConflict) || ctx.Err() != nil {
			return nil, err
		}
		hard = err
	}
	return hard, c.powerOffVM(ctx, vm, PowerOffPolicy{Force: policy.Force})
}

// ErrRunning says that a VM is not off, and that nobody said how to stop it. It is an sdk.ErrConflict, too.
var ErrRunning = errors.New("the VM is running")

// VMDeleteSpec deletes each VM with its disks, or takes it out of the inventory. One that is gone is skipped. A running VM is
// stopped as the policy says, whose zero value refuses it. Templates are refused.
type VMDeleteSpec struct {
	Unregister bool           `json:"unregister,omitempty"` // leave its files
	PowerOff   PowerOffPolicy `json:"power_off"`
}

// Stage is what its progress is called.
func (s VMDeleteSpec) Stage() string {
	if s.Unregister {
		return "unregister"
	}
	return "delete"
}

// Validate checks the form of the spec, without a call.
func (s VMDeleteSpec) Validate() error {
	if s.PowerOff.ShutdownTimeout < 0 {
		return sdk.Invalidf("shutdown timeout %s is no time to wait", s.PowerOff.ShutdownTimeout)
	}
	return nil
}

func (s VMDeleteSpec) plan(ctx context.Context, c *Client, ref VMRef) (*vmStep, error) {
	vm, err := c.readForOperation(ctx, ref)
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		return nil, sdk.Skip("it is gone already")
	case errors.Is(err, sdk.ErrUnavailable) && s.Unregister: // its files cannot be reached, which is why it is to go
		vm = &VM{Ref: ref.Ref, Name: ref.Name, PowerState: string(types.VirtualMachinePowerStatePoweredOff)}
	case err != nil:
		return nil, err
	}
	would := "delete it with its disks"
	if s.Unregister {
		would = "take it out of the inventory and leave its files"
	}
	running := vm.PowerState != string(types.VirtualMachinePowerStatePoweredOff)
	if running {
		if s.PowerOff == (PowerOffPolicy{}) {
			return nil, sdk.WithHint(sdk.Kind(ErrRunning, sdk.Conflictf("it is %s", vm.PowerState)), "let it be shut down or powered off, or do so yourself")
		}
		would = s.PowerOff.would() + ", then " + would
	}
	return &vmStep{would: would, do: func(ctx context.Context, _ sdk.ProgressFunc) error { return s.do(ctx, c, vm, running) }}, nil
}

func (s VMDeleteSpec) do(ctx context.Context, c *Client, vm *VM, running bool) error {
	var hard error
	off := *vm
	if running {
		var err error
		if hard, err = c.stopVM(ctx, vm, s.PowerOff); err != nil {
			return err
		}
		off.PowerState = string(types.VirtualMachinePowerStatePoweredOff)
	}
	var err error
	if s.Unregister {
		err = c.unregisterVM(ctx, &off, PowerOffPolicy{})
	} else {
		err = c.deleteVM(ctx, &off, PowerOffPolicy{}, nil)
	}
	if err == nil && hard != nil {
		return sdk.Done("powered off hard: %v", hard)
	}
	return err
}
