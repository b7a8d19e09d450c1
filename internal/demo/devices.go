package demo

import (
	"fmt"

	"github.com/vmware/govmomi/vim25/types"
)

// newSCSIController makes the adapter of that name, or nil.
func newSCSIController(kind string) types.BaseVirtualSCSIController {
	base := types.VirtualSCSIController{SharedBus: types.VirtualSCSISharingNoSharing, ScsiCtlrUnitNumber: 7}
	switch kind {
	case "pvscsi":
		return &types.ParaVirtualSCSIController{VirtualSCSIController: base}
	case "lsilogic":
		return &types.VirtualLsiLogicController{VirtualSCSIController: base}
	case "lsisas":
		return &types.VirtualLsiLogicSASController{VirtualSCSIController: base}
	case "buslogic":
		return &types.VirtualBusLogicController{VirtualSCSIController: base}
	}
	return nil
}

// newController makes the controller of a disk and its label; nil for IDE, whose two controllers every VM has.
func newController(d GuestDisk, a address) (types.BaseVirtualController, string) {
	switch a.bus {
	case "scsi":
		c, _ := newSCSIController(d.Controller).(types.BaseVirtualController)
		return c, fmt.Sprintf("SCSI controller %d", a.num)
	case "sata":
		return &types.VirtualAHCIController{}, fmt.Sprintf("SATA controller %d", a.num)
	case "nvme":
		return &types.VirtualNVMEController{SharedBus: string(types.VirtualNVMEControllerSharingNoSharing)},
			fmt.Sprintf("NVME controller %d", a.num)
	}
	return nil, ""
}

// newEthernetCard makes the adapter of that type, or nil.
func newEthernetCard(kind string) types.BaseVirtualEthernetCard {
	switch kind {
	case "vmxnet3":
		return new(types.VirtualVmxnet3)
	case "e1000":
		return new(types.VirtualE1000)
	case "e1000e":
		return new(types.VirtualE1000e)
	}
	return nil
}

// diskDevices lists the disks of a guest with their controllers in front of them, with the keys and labels that vSphere
// gives them. file names the datastore path of each.
func diskDevices(g Guest, images []*image, file func(i int) string) ([]types.BaseVirtualDevice, error) {
	var devices []types.BaseVirtualDevice
	have := map[int32]bool{}
	for i, d := range g.Disks {
		a, err := parseAddress(d.Address)
		if err != nil {
			return nil, err
		}
		c, label := newController(d, a)
		if c != nil && !have[a.controllerKey()] {
			have[a.controllerKey()] = true
			base := c.GetVirtualController()
			base.Key, base.BusNumber, base.ControllerKey = a.controllerKey(), a.num, pciControllerKey
			base.DeviceInfo = &types.Description{Label: label}
			devices = append(devices, c.(types.BaseVirtualDevice)) //nolint:forcetypeassert // every controller is a device
		}
		devices = append(devices, newDisk(i, a, images[i].capacity, file(i)))
	}
	return devices, nil
}

const pciControllerKey = 100

func newDisk(index int, a address, capacity int64, file string) *types.VirtualDisk {
	return &types.VirtualDisk{
		VirtualDevice: types.VirtualDevice{
			Key:           a.diskKey(),
			ControllerKey: a.controllerKey(),
			UnitNumber:    types.NewInt32(a.unit),
			DeviceInfo:    &types.Description{Label: fmt.Sprintf("Hard disk %d", index+1)},
			Backing: &types.VirtualDiskFlatVer2BackingInfo{
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: file},
				DiskMode:                     string(types.VirtualDiskModePersistent),
				ThinProvisioned:              types.NewBool(true),
				Sharing:                      string(types.VirtualDiskSharingSharingNone),
			},
		},
		CapacityInBytes: capacity,
		CapacityInKB:    capacity / 1024,
	}
}

// newNIC makes one adapter on its network.
func newNIC(index int, n GuestNIC, backing types.BaseVirtualDeviceBackingInfo) types.BaseVirtualDevice {
	card := newEthernetCard(n.Type)
	base := card.GetVirtualEthernetCard()
	base.Key = int32(4000 + index)
	base.ControllerKey = pciControllerKey
	base.UnitNumber = types.NewInt32(int32(7 + index))
	base.DeviceInfo = &types.Description{Label: fmt.Sprintf("Network adapter %d", index+1)}
	base.Backing = backing
	base.MacAddress = n.MAC
	base.AddressType = string(types.VirtualEthernetCardMacTypeAssigned)
	base.WakeOnLanEnabled = types.NewBool(true)
	base.Connectable = &types.VirtualDeviceConnectInfo{StartConnected: true, AllowGuestControl: true, Connected: true, Status: "untried"}
	return card.(types.BaseVirtualDevice) //nolint:forcetypeassert // every adapter is a device
}
