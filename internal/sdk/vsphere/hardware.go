package vsphere

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	gigabyte        = 1 << 30
	pciController   = 100 // the key of every VM's PCI controller
	scsiOwnUnit     = 7   // the controller's own place on its bus
	firstNewKey     = -200
	nicBase         = 4000
	maxNICs         = 10
	maxCDROMScanned = 30
)

// hardware builds the device changes that make devices what settings ask for. Keys of new devices are negative, as vSphere
// wants them, and later changes may refer to earlier ones.
type hardware struct {
	c       *Client
	devices []types.BaseVirtualDevice
	linked  bool // existing disks share a parent: their size is the parent's

	changes []types.BaseVirtualDeviceConfigSpec
	disks   []types.VirtualMachineRelocateSpecDiskLocator // where existing disks go, when they are copied or moved
	nextKey int32
}

func newHardware(c *Client, devices []types.BaseVirtualDevice) *hardware {
	return &hardware{c: c, devices: devices, nextKey: firstNewKey}
}

func (h *hardware) key() int32 {
	h.nextKey--
	return h.nextKey
}

func (h *hardware) change(op types.VirtualDeviceConfigSpecOperation, device types.BaseVirtualDevice) *types.VirtualDeviceConfigSpec {
	spec := &types.VirtualDeviceConfigSpec{Operation: op, Device: device}
	h.changes = append(h.changes, spec)
	return spec
}

// edit makes a changed copy of a device the device's new state, once per device.
func (h *hardware) edit(device types.BaseVirtualDevice) {
	h.change(types.VirtualDeviceConfigSpecOperationEdit, device)
}

// address is where a disk hangs: kind of bus, bus and unit.
type address struct {
	kind      string
	bus, unit int32
}

// busLimits are vSphere's: controllers of a kind and units on each.
var busLimits = map[string]struct{ buses, units int32 }{
	"scsi": {4, 65}, "sata": {4, 30}, "ide": {2, 2}, "nvme": {4, 64},
}

func parseAddress(s string) (address, error) {
	kind := strings.TrimRight(strings.SplitN(s, ":", 2)[0], "0123456789")
	limits, known := busLimits[kind]
	bus, unit, ok := strings.Cut(strings.TrimPrefix(s, kind), ":")
	b, err1 := strconv.ParseInt(bus, 10, 32)
	u, err2 := strconv.ParseInt(unit, 10, 32)
	if !ok || !known || err1 != nil || err2 != nil {
		return address{}, sdk.Invalidf("disk address %q: write scsi0:1, sata0:0, ide1:0 or nvme0:2", s)
	}
	a := address{kind, int32(b), int32(u)}
	if b < 0 || u < 0 || a.bus >= limits.buses || a.unit >= limits.units || kind == "scsi" && a.unit == scsiOwnUnit || a.String() != s {
		return a, sdk.Invalidf("disk address %q: vSphere has no such place (%s has %d controllers of %d units%s)", s, kind, limits.buses, limits.units,
			map[bool]string{true: ", and unit 7 is the controller's own"}[kind == "scsi"])
	}
	return a, nil
}

func (a address) String() string { return fmt.Sprintf("%s%d:%d", a.kind, a.bus, a.unit) }

// controllerOf finds the controller of an address; nil when there is none.
func (h *hardware) controllerOf(a address) types.BaseVirtualController {
	for _, device := range h.devices {
		if base, ok := device.(types.BaseVirtualController); ok {
			if controllerKinds[className(device)].prefix == a.kind && base.GetVirtualController().BusNumber == a.bus {
				return base
			}
		}
	}
	return nil
}

// addressOf is where a device hangs; ok is false when it hangs on no controller of disks.
func (h *hardware) addressOf(device *types.VirtualDevice) (a address, ok bool) {
	for _, d := range h.devices {
		base, isController := d.(types.BaseVirtualController)
		if !isController || d.GetVirtualDevice().Key != device.ControllerKey {
			continue
		}
		kind := controllerKinds[className(d)].prefix
		if kind == "" || device.UnitNumber == nil {
			return a, false
		}
		return address{kind, base.GetVirtualController().BusNumber, *device.UnitNumber}, true
	}
	return a, false
}

// at is the device at an address, of whatever kind; nil when the place is free.
func (h *hardware) at(a address) types.BaseVirtualDevice {
	for _, device := range h.devices {
		if there, ok := h.addressOf(device.GetVirtualDevice()); ok && there == a {
			return device
		}
	}
	return nil
}

func (h *hardware) disk(a address) *types.VirtualDisk {
	for _, device := range h.devices {
		if disk, ok := device.(*types.VirtualDisk); ok {
			if there, ok := h.addressOf(&disk.VirtualDevice); ok && there == a {
				return disk
			}
		}
	}
	return nil
}

// ensureController gives the key of the controller of an address, and adds the controller when it is not there: a SCSI one of the kind
// that the VM has already, else paravirtual.
func (h *hardware) ensureController(a address) (int32, error) {
	if base := h.controllerOf(a); base != nil {
		return base.GetVirtualController().Key, nil
	}
	var device types.BaseVirtualDevice
	switch a.kind {
	case "scsi":
		device = h.newSCSI()
	case "sata":
		device = &types.VirtualAHCIController{}
	case "nvme":
		device = &types.VirtualNVMEController{SharedBus: string(types.VirtualNVMEControllerSharingNoSharing)}
	default:
		return 0, sdk.Invalidf("the VM has no controller %s%d", a.kind, a.bus)
	}
	base, _ := device.(types.BaseVirtualController)
	controller := base.GetVirtualController()
	controller.Key, controller.BusNumber, controller.ControllerKey = h.key(), a.bus, pciController
	h.change(types.VirtualDeviceConfigSpecOperationAdd, device)
	h.devices = append(slices.Clone(h.devices), device)
	return controller.Key, nil
}

func (h *hardware) newSCSI() types.BaseVirtualDevice {
	base := types.VirtualSCSIController{SharedBus: types.VirtualSCSISharingNoSharing}
	for _, device := range h.devices {
		switch device.(type) {
		case *types.VirtualLsiLogicController:
			return &types.VirtualLsiLogicController{VirtualSCSIController: base}
		case *types.VirtualLsiLogicSASController:
			return &types.VirtualLsiLogicSASController{VirtualSCSIController: base}
		case *types.VirtualBusLogicController:
			return &types.VirtualBusLogicController{VirtualSCSIController: base}
		}
	}
	return &types.ParaVirtualSCSIController{VirtualSCSIController: base}
}

// setDisks applies the settings of disks, in the order of their addresses. copying says that existing disks are being copied, so that
// their place and provisioning can be chosen.
func (h *hardware) setDisks(ctx context.Context, disks map[string]DiskSettings, copying bool) error {
	for _, name := range slices.SortedFunc(maps.Keys(disks), compareAddresses) {
		a, err := parseAddress(name)
		if err != nil {
			return err
		}
		if disk := h.disk(a); disk != nil {
			err = h.changeDisk(ctx, disk, disks[name], copying)
		} else {
			err = h.addDisk(ctx, a, disks[name])
		}
		if err != nil {
			return fmt.Errorf("disk %s: %w", name, err)
		}
	}
	return nil
}

// compareAddresses orders disks so that unit 2 comes before unit 10.
func compareAddresses(a, b string) int {
	x, _ := parseAddress(a)
	y, _ := parseAddress(b)
	return cmp.Or(strings.Compare(x.kind, y.kind), cmp.Compare(x.bus, y.bus), cmp.Compare(x.unit, y.unit))
}

func (h *hardware) changeDisk(ctx context.Context, disk *types.VirtualDisk, want DiskSettings, copying bool) error {
	has := disk.CapacityInBytes
	if has == 0 {
		has = disk.CapacityInKB << 10
	}
	changed := *disk
	edit := false
	if bytes := want.SizeGB * gigabyte; want.SizeGB > 0 && bytes != has {
		switch {
		case bytes < has:
			return sdk.WithHint(sdk.Invalidf("%d GB is less than its %s: a disk only grows", want.SizeGB, sdk.FormatBytes(has)),
				"leave the size out, or give at least %d", (has+gigabyte-1)/gigabyte)
		case h.linked || parentOf(disk.Backing) != "" && !copying:
			return sdk.WithHint(sdk.Invalidf("it has a parent disk, whose size is its own too"),
				"leave the size out, make a full clone, or add another disk")
		}
		changed.CapacityInBytes, changed.CapacityInKB, edit = bytes, bytes>>10, true
	}
	if want.Mode != "" && want.Mode != modeOf(disk.Backing) {
		backing, err := withMode(disk.Backing, want.Mode)
		if err != nil {
			return err
		}
		changed.Backing, edit = backing, true
	}
	if edit {
		h.edit(&changed)
	}
	return h.placeDisk(ctx, disk, want, copying)
}

// placeDisk chooses datastore and provisioning of an existing disk, which only a copy or a move can change.
func (h *hardware) placeDisk(ctx context.Context, disk *types.VirtualDisk, want DiskSettings, copying bool) error {
	locator := types.VirtualMachineRelocateSpecDiskLocator{DiskId: disk.Key}
	moves := false
	if ref := fileDatastore(disk.Backing); ref != nil {
		locator.Datastore = *ref
	}
	if want.Datastore != "" {
		ref, err := h.c.Resolve(ctx, KindDatastore, want.Datastore)
		if err != nil {
			return err
		}
		moves = copying || ref != locator.Datastore
		locator.Datastore = ref
	}
	if want.Provisioning != "" && (copying || want.Provisioning != provisioningOf(disk.Backing)) {
		switch {
		case h.linked:
			return sdk.WithHint(sdk.Invalidf("the disk of a linked clone is thin"), "leave the provisioning out, or make a full clone")
		case !copying && !moves:
			return sdk.WithHint(sdk.Conflictf("it is %s; provisioning is chosen when a disk is made, copied or moved", provisioningOf(disk.Backing)),
				"move it to another datastore with the same change, or leave it as it is")
		}
		backing := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: modeOf(disk.Backing)}
		setProvisioning(backing, want.Provisioning)
		locator.DiskBackingInfo, moves = backing, true
	}
	if moves {
		h.disks = append(h.disks, locator)
	}
	return nil
}

func (h *hardware) addDisk(ctx context.Context, a address, want DiskSettings) error {
	if h.at(a) != nil {
		return sdk.Conflictf("another device (%s) is at that address", deviceLabel(h.at(a)))
	}
	if want.SizeGB <= 0 {
		return sdk.WithHint(sdk.Invalidf("the VM has no disk there, and a new one needs its size"), "it has %s", h.addresses())
	}
	controller, err := h.ensureController(a)
	if err != nil {
		return err
	}
	backing := &types.VirtualDiskFlatVer2BackingInfo{DiskMode: cmp.Or(want.Mode, string(types.VirtualDiskModePersistent))}
	setProvisioning(backing, cmp.Or(want.Provisioning, "thin"))
	if want.Datastore != "" {
		ref, err := h.c.Resolve(ctx, KindDatastore, want.Datastore)
		if err != nil {
			return err
		}
		name, err := h.c.datastoreName(ctx, ref)
		if err != nil {
			return err
		}
		backing.FileName, backing.Datastore = "["+name+"]", &ref
	}
	unit := a.unit
	device := &types.VirtualDisk{
		VirtualDevice:   types.VirtualDevice{Key: h.key(), ControllerKey: controller, UnitNumber: &unit, Backing: backing},
		CapacityInBytes: want.SizeGB * gigabyte, CapacityInKB: want.SizeGB << 20,
	}
	h.change(types.VirtualDeviceConfigSpecOperationAdd, device).FileOperation = types.VirtualDeviceConfigSpecFileOperationCreate
	h.devices = append(slices.Clone(h.devices), device)
	return nil
}

// datastoreName is a datastore's name, as file names carry it.
func (c *Client) datastoreName(ctx context.Context, ref types.ManagedObjectReference) (string, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref}}, []types.PropertySpec{{Type: ref.Type, PathSet: []string{"name"}}})
	if err != nil {
		return "", err
	}
	own, err := find(content, ref)
	name, _ := properties(own)["name"].(string)
	return unescapeName(name), err
}

// removeDisks takes disks off the VM.
func (h *hardware) removeDisks(disks map[string]DiskRemoval) error {
	for _, name := range slices.SortedFunc(maps.Keys(disks), compareAddresses) {
		a, err := parseAddress(name)
		if err != nil {
			return err
		}
		disk := h.disk(a)
		if disk == nil { // gone already
			continue
		}
		change := h.change(types.VirtualDeviceConfigSpecOperationRemove, disk)
		if disks[name] == DeleteDisk {
			change.FileOperation = types.VirtualDeviceConfigSpecFileOperationDestroy
		}
	}
	return nil
}

// addresses lists the disks for a hint.
func (h *hardware) addresses() string {
	var found []string
	for _, device := range h.devices {
		if _, ok := device.(*types.VirtualDisk); ok {
			if a, ok := h.addressOf(device.GetVirtualDevice()); ok {
				found = append(found, a.String())
			}
		}
	}
	if len(found) == 0 {
		return "no disks"
	}
	slices.SortFunc(found, compareAddresses)
	return strings.Join(found, ", ")
}
