package demo

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// descriptorMaker answers OvfManager.CreateDescriptor ("vSphere Web Services API") with an OVF 1 envelope (DMTF DSP0243)
// written as vCenter writes it: hardware family vmx, the guest id in vmw:osType, the firmware in vmw:Config.
type descriptorMaker struct {
	v    *VCenter
	self types.ManagedObjectReference
}

// Reference is the OvfManager's.
func (x *descriptorMaker) Reference() types.ManagedObjectReference { return x.self }

// CreateDescriptor describes a VM. Files are matched to devices by their keys; a file for a device that the VM does not have
// is InvalidArgument. With files, only their disks are described ("OvfFile is a positive list").
func (x *descriptorMaker) CreateDescriptor(ctx *simulator.Context, req *types.CreateDescriptor) soap.HasFault {
	body := new(methods.CreateDescriptorBody)
	vm, ok := x.v.registry.Get(req.Obj).(*simulator.VirtualMachine)
	if !ok {
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "obj"})
		return body
	}
	var text string
	var err error
	ctx.WithLock(vm, func() { text, err = x.v.descriptor(vm, req.Cdp) })
	if err != nil {
		body.Fault_ = simulator.Fault(err.Error(), &types.InvalidArgument{InvalidProperty: "cdp.ovfFiles"})
		return body
	}
	body.Res = &types.CreateDescriptorResponse{Returnval: types.OvfCreateDescriptorResult{OvfDescriptor: text}}
	return body
}

// descriptor writes the envelope. The caller holds the VM's lock.
func (v *VCenter) descriptor(vm *simulator.VirtualMachine, params types.OvfCreateDescriptorParams) (string, error) {
	d := &envelopeMaker{v: v, vm: vm, devices: vm.Config.Hardware.Device, params: params, instance: 2, controllers: map[int32]int{}}
	env := newEnvelope()
	if err := d.files(env); err != nil {
		return "", err
	}
	name := params.Name
	if name == "" {
		name = vm.Name
	}
	env.System.ID, env.System.Name = name, name
	env.System.OS = osSection{ID: cimOS(vm.Config.GuestId), Type: vm.Config.GuestId, Info: "The kind of installed guest operating system", Description: guestFullName(vm.Config.GuestId)}
	if text := params.Description; text != "" || vm.Config.Annotation != "" {
		if text == "" {
			text = vm.Config.Annotation
		}
		env.System.Annotation = &annotationSection{Info: "A human-readable annotation", Annotation: text}
	}
	d.hardware(env)
	out, err := xml.MarshalIndent(env, "", "  ")
	return xml.Header + string(out) + "\n", err
}

// envelopeMaker collects one envelope.
type envelopeMaker struct {
	v           *VCenter
	vm          *simulator.VirtualMachine
	devices     object.VirtualDeviceList
	params      types.OvfCreateDescriptorParams
	instance    int           // of the last item: 1 is the CPU, 2 the memory
	controllers map[int32]int // instance by device key
	diskIDs     map[int32]string
	nvram       string // file id
}

// files makes References and DiskSection.
func (d *envelopeMaker) files(env *envelope) error {
	d.diskIDs = map[int32]string{}
	refs := map[string]string{}
	for i, f := range d.params.OvfFiles {
		if !d.known(f.DeviceId) {
			return fmt.Errorf("the VM has no device %q", f.DeviceId)
		}
		id := fmt.Sprintf("file%d", i+1)
		refs[f.DeviceId] = id
		env.References = append(env.References, fileRef{Href: f.Path, ID: id, Size: f.Size})
	}
	for i, disk := range d.disks() {
		key := d.key(disk)
		ref, named := refs[key]
		if len(refs) > 0 && !named {
			continue
		}
		id := fmt.Sprintf("vmdisk%d", i+1)
		d.diskIDs[disk.Key] = id
		env.Disks.Disks = append(env.Disks.Disks, diskRef{
			Capacity: d.capacity(disk, key), Units: "byte", ID: id, FileRef: ref,
			Format: "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized",
		})
	}
	d.nvram = refs["/"+d.vm.Self.Value+"/nvram"]
	return nil
}

func (d *envelopeMaker) key(disk *types.VirtualDisk) string {
	return "/" + d.vm.Self.Value + "/" + deviceKey(d.devices, disk)
}

func (d *envelopeMaker) known(id string) bool {
	return id == "/"+d.vm.Self.Value+"/nvram" ||
		slices.ContainsFunc(d.disks(), func(disk *types.VirtualDisk) bool { return d.key(disk) == id })
}

// capacity is the file's when the client gave one (OvfFile.capacity), else the disk's.
func (d *envelopeMaker) capacity(disk *types.VirtualDisk, key string) int64 {
	for _, f := range d.params.OvfFiles {
		if f.DeviceId == key && f.Capacity > 0 {
			return f.Capacity
		}
	}
	return disk.CapacityInBytes
}

func (d *envelopeMaker) disks() []*types.VirtualDisk {
	var disks []*types.VirtualDisk
	for _, dev := range d.devices {
		if disk, ok := dev.(*types.VirtualDisk); ok {
			disks = append(disks, disk)
		}
	}
	return disks
}

// hardware makes the VirtualHardwareSection and the NetworkSection: CPU, memory, controllers, disks on them, adapters.
func (d *envelopeMaker) hardware(env *envelope) {
	hw := &env.System.Hardware
	hw.Info = "Virtual hardware requirements"
	hw.System = vssdSystem{ElementName: "Virtual Hardware Family", InstanceID: 0, Identifier: env.System.ID, Type: d.vm.Config.Version}
	config := d.vm.Config.Hardware
	hw.Items = append(hw.Items,
		item{Units: "hertz * 10^6", Description: "Number of Virtual CPUs", ElementName: fmt.Sprintf("%d virtual CPU(s)", config.NumCPU),
			InstanceID: 1, ResourceType: 3, Quantity: int64(config.NumCPU), CoresPerSocket: cores(config)},
		item{Units: "byte * 2^20", Description: "Memory Size", ElementName: fmt.Sprintf("%dMB of memory", config.MemoryMB),
			InstanceID: 2, ResourceType: 4, Quantity: int64(config.MemoryMB)})
	for _, dev := range d.devices {
		if it, ok := d.controller(dev); ok {
			hw.Items = append(hw.Items, it)
		}
	}
	for _, disk := range d.disks() {
		if it, ok := d.disk(disk); ok {
			hw.Items = append(hw.Items, it)
		}
	}
	seen := map[string]bool{}
	for _, dev := range d.devices {
		it, ok := d.nic(dev)
		if !ok {
			continue
		}
		hw.Items = append(hw.Items, it)
		if !seen[it.Connection] {
			seen[it.Connection] = true
			env.Networks.Networks = append(env.Networks.Networks, network{Name: it.Connection, Description: "The " + it.Connection + " network"})
		}
	}
	hw.Config = append(hw.Config, vmwConfig{Key: "firmware", Value: d.vm.Config.Firmware})
	if d.nvram != "" {
		hw.Extra = append(hw.Extra, vmwConfig{Key: "nvram", Value: "ovf:/file/" + d.nvram})
	}
	if slices.Contains(d.params.ExportOption, "uuid") {
		hw.Extra = append(hw.Extra, vmwConfig{Key: "uuid.bios", Value: d.vm.Config.Uuid})
	}
}

func cores(config types.VirtualHardware) *coresPerSocket {
	if config.NumCoresPerSocket == nil || *config.NumCoresPerSocket < 1 {
		return nil
	}
	return &coresPerSocket{Count: *config.NumCoresPerSocket}
}

// controller describes a disk controller that has something on it.
func (d *envelopeMaker) controller(dev types.BaseVirtualDevice) (item, bool) {
	c, ok := dev.(types.BaseVirtualController)
	if !ok || len(c.GetVirtualController().Device) == 0 {
		return item{}, false
	}
	it := item{Address: fmt.Sprint(c.GetVirtualController().BusNumber), ElementName: label(dev)}
	switch dev.(type) {
	case *types.ParaVirtualSCSIController:
		it.ResourceType, it.SubType, it.Description = 6, "VirtualSCSI", "SCSI Controller"
	case *types.VirtualLsiLogicSASController:
		it.ResourceType, it.SubType, it.Description = 6, "lsilogicsas", "SCSI Controller"
	case *types.VirtualLsiLogicController:
		it.ResourceType, it.SubType, it.Description = 6, "lsilogic", "SCSI Controller"
	case *types.VirtualBusLogicController:
		it.ResourceType, it.SubType, it.Description = 6, "buslogic", "SCSI Controller"
	case *types.VirtualAHCIController:
		it.ResourceType, it.SubType, it.Description = 20, "vmware.sata.ahci", "SATA Controller"
	case *types.VirtualNVMEController:
		it.ResourceType, it.SubType, it.Description = 20, "vmware.nvme.controller", "NVME Controller"
	case *types.VirtualIDEController:
		it.ResourceType, it.Description = 5, "IDE Controller"
	default:
		return item{}, false
	}
	it.InstanceID = d.next()
	d.controllers[dev.GetVirtualDevice().Key] = it.InstanceID
	return it, true
}

func (d *envelopeMaker) disk(disk *types.VirtualDisk) (item, bool) {
	parent, ok := d.controllers[disk.ControllerKey]
	id := d.diskIDs[disk.Key]
	if !ok || id == "" {
		return item{}, false
	}
	unit := int32(0)
	if disk.UnitNumber != nil {
		unit = *disk.UnitNumber
	}
	return item{
		AddressOnParent: fmt.Sprint(unit), ElementName: label(disk), HostResource: "ovf:/disk/" + id,
		InstanceID: d.next(), Parent: fmt.Sprint(parent), ResourceType: 17,
	}, true
}

func (d *envelopeMaker) nic(dev types.BaseVirtualDevice) (item, bool) {
	card, ok := dev.(types.BaseVirtualEthernetCard)
	if !ok {
		return item{}, false
	}
	base := card.GetVirtualEthernetCard()
	it := item{
		Automatic: "true", Connection: d.networkName(base.Backing), ElementName: label(dev), ResourceType: 10, SubType: "VmxNet3",
	}
	if base.UnitNumber != nil {
		it.AddressOnParent = fmt.Sprint(*base.UnitNumber)
	}
	switch dev.(type) {
	case *types.VirtualE1000:
		it.SubType = "E1000"
	case *types.VirtualE1000e:
		it.SubType = "E1000e"
	}
	it.Description = fmt.Sprintf("%s ethernet adapter on %q", it.SubType, it.Connection)
	if slices.Contains(d.params.ExportOption, "mac") {
		it.Address = base.MacAddress
	}
	it.InstanceID = d.next()
	return it, true
}

func (d *envelopeMaker) networkName(backing types.BaseVirtualDeviceBackingInfo) string {
	switch b := backing.(type) {
	case *types.VirtualEthernetCardNetworkBackingInfo:
		return b.DeviceName
	case *types.VirtualEthernetCardDistributedVirtualPortBackingInfo:
		ref := types.ManagedObjectReference{Type: "DistributedVirtualPortgroup", Value: b.Port.PortgroupKey}
		if pg, ok := d.v.registry.Get(ref).(*simulator.DistributedVirtualPortgroup); ok {
			return pg.Name
		}
		return b.Port.PortgroupKey
	}
	return "none"
}

func (d *envelopeMaker) next() int {
	d.instance++
	return d.instance
}

func label(dev types.BaseVirtualDevice) string {
	if info := dev.GetVirtualDevice().DeviceInfo; info != nil {
		return info.GetDescription().Label
	}
	return fmt.Sprintf("device %d", dev.GetVirtualDevice().Key)
}

// cimOS is the CIM_OperatingSystem.OSType of a guest id.
func cimOS(guestID string) int {
	for prefix, id := range map[string]int{
		"debian": 96, "ubuntu": 94, "rhel": 80, "centos": 107, "sles": 85, "windows": 1, "freebsd": 78,
	} {
		if strings.HasPrefix(guestID, prefix) && strings.Contains(guestID, "64") {
			return id
		}
	}
	if strings.Contains(guestID, "Linux64") || strings.Contains(guestID, "inux_64") {
		return 101
	}
	return 1
}
