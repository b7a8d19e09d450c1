package vsphere

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// controller is where a disk hangs.
type controller struct {
	kind   string // pvscsi, lsilogic, lsisas, buslogic, ahci, ide, nvme
	prefix string // of addresses: scsi, sata, ide, nvme
	bus    int32
	shared bool
}

// controllerKinds are vSphere's disk controllers by the name of their class, as leases spell it.
var controllerKinds = map[string]controller{
	"ParaVirtualSCSIController":    {kind: "pvscsi", prefix: "scsi"},
	"VirtualLsiLogicController":    {kind: "lsilogic", prefix: "scsi"},
	"VirtualLsiLogicSASController": {kind: "lsisas", prefix: "scsi"},
	"VirtualBusLogicController":    {kind: "buslogic", prefix: "scsi"},
	"VirtualAHCIController":        {kind: "ahci", prefix: "sata"},
	"VirtualIDEController":         {kind: "ide", prefix: "ide"},
	"VirtualNVMEController":        {kind: "nvme", prefix: "nvme"},
}

// busRank is the order in which VMware's firmware tries the buses when no boot order is configured.
var busRank = map[string]int{"scsi": 0, "sata": 1, "ide": 2, "nvme": 3}

func setDevices(vm *VM, config *types.VirtualMachineConfigInfo, around surroundings) {
	controllers := map[int32]controller{}
	for _, device := range config.Hardware.Device {
		if base, ok := device.(types.BaseVirtualController); ok {
			c := controllerKinds[className(device)]
			c.bus = base.GetVirtualController().BusNumber
			if scsi, ok := device.(types.BaseVirtualSCSIController); ok {
				sharing := scsi.GetVirtualSCSIController().SharedBus
				c.shared = sharing != "" && sharing != types.VirtualSCSISharingNoSharing
			}
			controllers[base.GetVirtualController().Key] = c
		}
	}
	for _, device := range config.Hardware.Device {
		label := deviceLabel(device)
		switch d := device.(type) {
		case *types.VirtualDisk:
			vm.Disks = append(vm.Disks, newDisk(d, controllers[d.ControllerKey], around))
		case types.BaseVirtualEthernetCard:
			vm.NICs = append(vm.NICs, newNIC(d, around))
			if _, ok := device.(*types.VirtualSriovEthernetCard); ok {
				vm.Passthrough = append(vm.Passthrough, label)
			}
		case *types.VirtualPCIPassthrough:
			vm.Passthrough = append(vm.Passthrough, label)
		case *types.VirtualUSB:
			vm.USB = append(vm.USB, label)
		case *types.VirtualCdrom:
			vm.CDROMs = append(vm.CDROMs, newCDROM(d))
		case *types.VirtualTPM:
			vm.TPM = true
		}
	}
	sortDisks(vm.Disks, config.BootOptions)
	slices.SortStableFunc(vm.NICs, func(a, b NIC) int { return cmp.Compare(a.Key, b.Key) }) // as vCenter numbers them; the list has any order
}

// sortDisks puts disks into boot order: those of the configured boot order first, then by bus as VMware's firmware tries
// them (SCSI, SATA, IDE, NVMe), bus number and unit.
func sortDisks(disks []Disk, boot *types.VirtualMachineBootOptions) {
	configured := map[int32]int{}
	if boot != nil {
		for i, device := range boot.BootOrder {
			if d, ok := device.(*types.VirtualMachineBootOptionsBootableDiskDevice); ok {
				configured[d.DeviceKey] = i + 1
			}
		}
	}
	rank := func(d Disk) []int {
		first := len(configured) + len(disks) + 1
		if i := configured[d.Key]; i > 0 {
			first = i
		}
		prefix := strings.TrimRight(strings.Split(d.Address, ":")[0], "0123456789")
		var bus, unit int
		_, _ = fmt.Sscanf(strings.TrimPrefix(d.Address, prefix), "%d:%d", &bus, &unit)
		bus0, known := busRank[prefix]
		if !known {
			bus0 = len(busRank)
		}
		return []int{first, bus0, bus, unit, int(d.Key)}
	}
	slices.SortStableFunc(disks, func(a, b Disk) int { return slices.Compare(rank(a), rank(b)) })
}

func newDisk(d *types.VirtualDisk, on controller, around surroundings) Disk {
	disk := Disk{
		Key: d.Key, Label: deviceLabel(d), Controller: on.kind, CapacityBytes: d.CapacityInBytes, Shared: on.shared,
	}
	if disk.CapacityBytes == 0 {
		disk.CapacityBytes = d.CapacityInKB << 10
	}
	var unit int32
	if d.UnitNumber != nil {
		unit = *d.UnitNumber
	}
	disk.Address = fmt.Sprintf("%s%d:%d", on.prefix, on.bus, unit)
	setBacking(&disk, d.Backing)
	disk.Datastore, _, _ = strings.Cut(strings.TrimPrefix(disk.File, "["), "]")
	store := around.datastores[disk.Datastore]
	disk.DatastoreAccessible, disk.DatastoreType = store.accessible, store.kind
	return disk
}

func setBacking(disk *Disk, backing types.BaseVirtualDeviceBackingInfo) {
	sharing := ""
	switch b := backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		disk.File, disk.Mode, sharing = b.FileName, b.DiskMode, b.Sharing
		disk.Thin, disk.UUID = isTrue(b.ThinProvisioned), b.Uuid
		disk.HasParent = b.Parent != nil
	case *types.VirtualDiskSeSparseBackingInfo:
		disk.File, disk.Mode, disk.Thin, disk.HasParent = b.FileName, b.DiskMode, true, b.Parent != nil
	case *types.VirtualDiskSparseVer2BackingInfo:
		disk.File, disk.Mode, disk.Thin, disk.HasParent = b.FileName, b.DiskMode, true, b.Parent != nil
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		disk.File, disk.Mode, sharing, disk.RDM = b.FileName, b.DiskMode, b.Sharing, true
		disk.HasParent = b.Parent != nil
	case *types.VirtualDiskRawDiskVer2BackingInfo:
		disk.File, sharing, disk.RDM = b.DescriptorFileName, b.Sharing, true
	case types.BaseVirtualDeviceFileBackingInfo:
		disk.File = b.GetVirtualDeviceFileBackingInfo().FileName
	}
	disk.ParentFile, disk.Provisioning = parentOf(backing), provisioningOf(backing)
	if sharing == string(types.VirtualDiskSharingSharingMultiWriter) {
		disk.Shared = true
	}
}

func newNIC(device types.BaseVirtualEthernetCard, around surroundings) NIC {
	card := device.GetVirtualEthernetCard()
	nic := NIC{
		Key: card.Key, Label: deviceLabel(card), MAC: strings.ToLower(card.MacAddress),
		Network: networkName(card.Backing, around), Type: nicType(device),
	}
	if c := card.Connectable; c != nil {
		nic.Connected, nic.StartConnected = c.Connected, c.StartConnected
	}
	return nic
}

func nicType(device types.BaseVirtualEthernetCard) string {
	switch device.(type) {
	case *types.VirtualVmxnet3Vrdma:
		return "vmxnet3vrdma"
	case *types.VirtualVmxnet3:
		return "vmxnet3"
	case *types.VirtualVmxnet2, *types.VirtualVmxnet:
		return "vmxnet"
	case *types.VirtualE1000e:
		return "e1000e"
	case *types.VirtualE1000:
		return "e1000"
	case *types.VirtualPCNet32:
		return "pcnet32"
	case *types.VirtualSriovEthernetCard:
		return "sriov"
	}
	return strings.ToLower(strings.TrimPrefix(className(device), "Virtual"))
}

// networkName is the name of the network behind an adapter; the key or id when the name may not be read.
func networkName(backing types.BaseVirtualDeviceBackingInfo, around surroundings) string {
	switch b := backing.(type) {
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		return cmpName(around.networks, b.Port.PortgroupKey)
	case *types.VirtualEthernetCardOpaqueNetworkBackingInfo:
		return cmpName(around.networks, b.OpaqueNetworkId)
	case *types.VirtualEthernetCardNetworkBackingInfo:
		if b.Network != nil && around.networks[b.Network.Value] != "" {
			return around.networks[b.Network.Value]
		}
		return b.DeviceName
	case types.BaseVirtualDeviceDeviceBackingInfo:
		return b.GetVirtualDeviceDeviceBackingInfo().DeviceName
	}
	return ""
}

func cmpName(names map[string]string, key string) string {
	if name := names[key]; name != "" {
		return name
	}
	return key
}

func deviceLabel(device types.BaseVirtualDevice) string {
	d := device.GetVirtualDevice()
	if d.DeviceInfo != nil {
		if label := d.DeviceInfo.GetDescription().Label; label != "" {
			return label
		}
	}
	return fmt.Sprintf("%s %d", className(device), d.Key)
}

// className is the vSphere class of a device, which govmomi's Go type is named after.
func className(device any) string {
	return strings.TrimPrefix(strings.TrimPrefix(fmt.Sprintf("%T", device), "*"), "types.")
}
