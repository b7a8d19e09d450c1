package vsphere

import (
	"fmt"
	"slices"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// setCDROM puts an ISO into the VM's first drive, or connects it to nothing; a VM without a drive gets one, on IDE when it has a
// free place there, else on SATA.
func (h *hardware) setCDROM(want CDROMSettings) error {
	backing, connect := cdromBacking(want)
	if drive := h.cdrom(); drive != nil {
		if was := newCDROM(drive); was.ISO == want.ISO && (want.ISO != "" || was.Client) {
			return nil
		}
		changed := *drive
		changed.Backing, changed.Connectable = backing, connect
		h.edit(&changed)
		return nil
	}
	a, ok := h.cdromPlace()
	if !ok {
		return sdk.Conflictf("the VM has no place left for a CD-ROM drive")
	}
	controller, err := h.ensureController(a)
	if err != nil {
		return fmt.Errorf("CD-ROM drive: %w", err)
	}
	unit := a.unit
	h.change(types.VirtualDeviceConfigSpecOperationAdd, &types.VirtualCdrom{VirtualDevice: types.VirtualDevice{
		Key: h.key(), ControllerKey: controller, UnitNumber: &unit, Backing: backing, Connectable: connect,
	}})
	return nil
}

func (h *hardware) removeCDROM() {
	if drive := h.cdrom(); drive != nil {
		h.change(types.VirtualDeviceConfigSpecOperationRemove, drive)
	}
}

func (h *hardware) cdrom() *types.VirtualCdrom {
	i := slices.IndexFunc(h.devices, func(d types.BaseVirtualDevice) bool { _, ok := d.(*types.VirtualCdrom); return ok })
	if i < 0 {
		return nil
	}
	drive, _ := h.devices[i].(*types.VirtualCdrom)
	return drive
}

// cdromPlace is where a new drive goes.
func (h *hardware) cdromPlace() (address, bool) {
	for bus := range int32(2) {
		for unit := range int32(2) {
			a := address{"ide", bus, unit}
			if h.controllerOf(a) != nil && h.at(a) == nil {
				return a, true
			}
		}
	}
	for unit := range int32(maxCDROMScanned) {
		if a := (address{"sata", 0, unit}); h.at(a) == nil {
			return a, true
		}
	}
	return address{}, false
}

func cdromBacking(want CDROMSettings) (types.BaseVirtualDeviceBackingInfo, *types.VirtualDeviceConnectInfo) {
	if want.ISO != "" {
		return &types.VirtualCdromIsoBackingInfo{VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: want.ISO}},
			&types.VirtualDeviceConnectInfo{StartConnected: true, Connected: true, AllowGuestControl: true}
	}
	return &types.VirtualCdromRemotePassthroughBackingInfo{}, &types.VirtualDeviceConnectInfo{AllowGuestControl: true}
}

func newCDROM(drive *types.VirtualCdrom) CDROM {
	cd := CDROM{Key: drive.Key, Label: deviceLabel(drive)}
	switch b := drive.Backing.(type) {
	case *types.VirtualCdromIsoBackingInfo:
		cd.ISO = b.FileName
	case *types.VirtualCdromRemotePassthroughBackingInfo, *types.VirtualCdromRemoteAtapiBackingInfo:
		cd.Client = true
	}
	if c := drive.Connectable; c != nil {
		cd.Connected = c.Connected || c.StartConnected
	}
	return cd
}
