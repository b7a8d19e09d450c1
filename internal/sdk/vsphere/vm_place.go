package vsphere

import (
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// clearedAnnotation stands for none: an empty one is not sent at all.
const clearedAnnotation = " "

// setPlace says where in the inventory a VM is.
func setPlace(vm *VM, m *mo.VirtualMachine, around surroundings) {
	if m.Runtime.Host != nil {
		vm.HostRef, vm.HostPath = m.Runtime.Host.Value, around.path(*m.Runtime.Host)
	}
	if parent := around.tree[m.Self].parent; parent != nil {
		vm.Folder, vm.FolderRef = around.path(*parent), parent.Value
	}
	if m.ResourcePool != nil {
		vm.ResourcePool, vm.ResourcePoolRef = around.path(*m.ResourcePool), m.ResourcePool.Value
		vm.owner = around.owners[m.ResourcePool.Value]
	}
	if m.Config == nil {
		return
	}
	vm.VMXPath = m.Config.Files.VmPathName
	vm.Datastore, _, _ = strings.Cut(strings.TrimPrefix(vm.VMXPath, "["), "]")
	store := around.datastores[vm.Datastore].ref
	vm.DatastoreRef = store.Value
	if chain := around.chain(store); len(chain) > 1 && chain[1].Type == "StoragePod" {
		vm.DatastoreCluster, vm.pod = around.path(chain[1]), chain[1].Value
	}
}

// setSettings says what of a VM's configuration a clone or an update may change.
func setSettings(vm *VM, config *types.VirtualMachineConfigInfo) {
	vm.CPUAllocation, vm.MemoryAllocation = newAllocation(config.CpuAllocation), newAllocation(config.MemoryAllocation)
	vm.CPUHotAdd, vm.CPUHotRemove = isTrue(config.CpuHotAddEnabled), isTrue(config.CpuHotRemoveEnabled)
	vm.MemoryHotAdd, vm.MemoryHotAddMax = isTrue(config.MemoryHotAddEnabled), config.HotPlugMemoryLimit
	vm.ExtraConfig = optionMap(config.ExtraConfig)
	vm.CloneMark = vm.ExtraConfig[markKey]
	vm.VAppProperties = map[string]string{}
	if config.VAppConfig != nil {
		for _, p := range config.VAppConfig.GetVmConfigInfo().Property {
			vm.VAppProperties[propertyID(p)] = propertyValue(p)
		}
	}
}

func newAllocation(a *types.ResourceAllocationInfo) AllocationInfo {
	info := AllocationInfo{Limit: -1}
	if a == nil {
		return info
	}
	if a.Reservation != nil {
		info.Reservation = *a.Reservation
	}
	if a.Limit != nil {
		info.Limit = *a.Limit
	}
	if a.Shares != nil {
		info.Shares, info.ShareCount = string(a.Shares.Level), a.Shares.Shares
	}
	return info
}

// setCustomization says how far the customization of the guest is.
func setCustomization(vm *VM, guest *types.GuestInfo) {
	vm.Customization = "none"
	if guest == nil || guest.CustomizationInfo == nil {
		return
	}
	vm.CustomizeError = guest.CustomizationInfo.ErrorMsg
	switch types.GuestInfoCustomizationStatus(guest.CustomizationInfo.CustomizationStatus) {
	case types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_PENDING:
		vm.Customization = "pending"
	case types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_RUNNING:
		vm.Customization = "running"
	case types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_SUCCEEDED:
		vm.Customization = "succeeded"
	case types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_FAILED:
		vm.Customization = "failed"
	case types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_IDLE:
	}
}
