package demo

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// guardReconfigure refuses what vCenter refuses and the simulator does not: a name that a neighbour has (DuplicateName), and of a running
// VM the number of CPUs or the memory where hot-plugging is off (CpuHotPlugNotSupported, MemoryHotPlugNotSupported), cores per
// socket and the mode of a disk (InvalidPowerState) ("VirtualMachine.ReconfigVM_Task", "vSphere Web Services API").
func (v *VCenter) guardReconfigure(ctx *simulator.Context, body *types.ReconfigVM_Task) types.BaseMethodFault {
	vm, fault := v.vm(body.This)
	if fault != nil {
		return fault
	}
	if fault := v.guardNewName(ctx, vm, body.Spec.Name); fault != nil {
		return fault
	}
	ctx.WithLock(vm, func() {
		numberAdapters(vm, body.Spec.DeviceChange)
		fault = hotFault(vm, &body.Spec)
	})
	return fault
}

// firstAdapter is the key of "Network adapter 1".
const firstAdapter = 4000

// numberAdapters gives new adapters the keys that vCenter gives them, the lowest that are free from 4000: "Network adapter 2" has 4001. The
// simulator goes on from 200, before all that are there. The caller holds the VM's lock.
func numberAdapters(vm *simulator.VirtualMachine, changes []types.BaseVirtualDeviceConfigSpec) {
	taken := map[int32]bool{}
	for _, device := range vm.Config.Hardware.Device {
		taken[device.GetVirtualDevice().Key] = true
	}
	for _, change := range changes {
		spec := change.GetVirtualDeviceConfigSpec()
		card, ok := spec.Device.(types.BaseVirtualEthernetCard)
		switch {
		case !ok:
		case spec.Operation == types.VirtualDeviceConfigSpecOperationRemove:
			delete(taken, card.GetVirtualEthernetCard().Key)
		case spec.Operation == types.VirtualDeviceConfigSpecOperationAdd && card.GetVirtualEthernetCard().Key <= 0:
			key := int32(firstAdapter)
			for taken[key] {
				key++
			}
			card.GetVirtualEthernetCard().Key, taken[key] = key, true
		}
	}
}

func (v *VCenter) guardNewName(ctx *simulator.Context, vm *simulator.VirtualMachine, name string) types.BaseMethodFault {
	if name == "" || name == vm.Name || vm.Parent == nil {
		return nil
	}
	folder, ok := v.registry.Get(*vm.Parent).(*simulator.Folder)
	if !ok {
		return nil
	}
	var children []types.ManagedObjectReference
	ctx.WithLock(folder, func() { children = slices.Clone(folder.ChildEntity) })
	if other := v.registry.FindByName(name, children); other != nil && other.Reference() != vm.Self {
		return &types.DuplicateName{Name: name, Object: other.Reference()}
	}
	return nil
}

// hotFault is what is wrong with a change of a running VM. The caller holds its lock.
func hotFault(vm *simulator.VirtualMachine, spec *types.VirtualMachineConfigSpec) types.BaseMethodFault {
	if vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		return nil
	}
	on := func(b *bool) bool { return b != nil && *b }
	cpus, memory, cores := vm.Config.Hardware.NumCPU, int64(vm.Config.Hardware.MemoryMB), vm.Config.Hardware.NumCoresPerSocket
	switch {
	case spec.NumCPUs > cpus && !on(vm.Config.CpuHotAddEnabled), spec.NumCPUs > 0 && spec.NumCPUs < cpus && !on(vm.Config.CpuHotRemoveEnabled):
		return new(types.CpuHotPlugNotSupported)
	case spec.MemoryMB > memory && !on(vm.Config.MemoryHotAddEnabled), spec.MemoryMB > 0 && spec.MemoryMB < memory:
		return new(types.MemoryHotPlugNotSupported)
	case spec.NumCoresPerSocket != nil && cores != nil && *spec.NumCoresPerSocket != *cores:
		return invalidPowerState(vm, types.VirtualMachinePowerStatePoweredOff)
	}
	return nil
}
