package vsphere

import (
	"context"
	"fmt"
	"slices"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// DisconnectNICs makes every adapter start disconnected, so that a power-on by mistake meets no network; adapters of a
// running VM are disconnected at once.
func (c *Client) DisconnectNICs(ctx context.Context, vm *VM) error {
	if err := c.connectNICs(ctx, vm, nil, false); err != nil {
		return fmt.Errorf("disconnect adapters of VM %q: %w", vm.Name, err)
	}
	return nil
}

// ReconnectNICs undoes DisconnectNICs for the adapters given by device key.
func (c *Client) ReconnectNICs(ctx context.Context, vm *VM, keys []int32) error {
	if len(keys) == 0 {
		return nil
	}
	if err := c.connectNICs(ctx, vm, keys, true); err != nil {
		return fmt.Errorf("reconnect adapters of VM %q: %w", vm.Name, err)
	}
	return nil
}

// connectNICs edits the adapters with the keys (nil: all) as they are now, in one reconfiguration. Those that are right
// already are left alone.
func (c *Client) connectNICs(ctx context.Context, vm *VM, keys []int32, connect bool) error {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: vmRef(vm)}}, []types.PropertySpec{
		{Type: "VirtualMachine", PathSet: []string{"config.hardware.device", "runtime.powerState"}},
	})
	if err != nil {
		return err
	}
	if len(content) == 0 {
		return classify(notFound(vmRef(vm)))
	}
	m, err := decode[mo.VirtualMachine](content[0])
	if err != nil {
		return err
	}
	if m.Config == nil {
		return nil
	}
	running := m.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	changes := nicChanges(m.Config.Hardware.Device, keys, connect, running)
	if len(changes) == 0 {
		return nil
	}
	res, err := methods.ReconfigVM_Task(ctx, c.vim, &types.ReconfigVM_Task{
		This: vmRef(vm), Spec: types.VirtualMachineConfigSpec{DeviceChange: changes},
	})
	if err != nil {
		return err
	}
	_, err = c.tasks.wait(ctx, res.Returnval, nil)
	return err
}

func nicChanges(devices []types.BaseVirtualDevice, keys []int32, connect, running bool) []types.BaseVirtualDeviceConfigSpec {
	var changes []types.BaseVirtualDeviceConfigSpec
	for _, device := range devices {
		card, ok := device.(types.BaseVirtualEthernetCard)
		if !ok || (keys != nil && !slices.Contains(keys, device.GetVirtualDevice().Key)) {
			continue
		}
		d := card.GetVirtualEthernetCard()
		if d.Connectable == nil {
			d.Connectable = &types.VirtualDeviceConnectInfo{AllowGuestControl: true}
		}
		state := *d.Connectable
		state.StartConnected = connect
		state.Connected = connect && running
		if state == *d.Connectable {
			continue
		}
		d.Connectable = &state
		changes = append(changes, &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationEdit, Device: device})
	}
	return changes
}
