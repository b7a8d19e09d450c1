package demo

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"reflect"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// vmExport answers VirtualMachine.ExportVm ("vSphere Web Services API"): a lease on the disks of a powered-off VM.
type vmExport struct {
	v  *VCenter
	vm *simulator.VirtualMachine
}

// Reference is the VM's, so that the dispatcher holds its lock.
func (x *vmExport) Reference() types.ManagedObjectReference { return x.vm.Self }

// ExportVm opens the lease. A VM that is not powered off is InvalidPowerState.
//
//nolint:staticcheck // the name is the SOAP method's
func (x *vmExport) ExportVm(ctx *simulator.Context, _ *types.ExportVm) soap.HasFault {
	body := new(methods.ExportVmBody)
	if x.vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOff {
		body.Fault_ = simulator.Fault("The attempted operation cannot be performed in the current state.",
			invalidPowerState(x.vm, types.VirtualMachinePowerStatePoweredOff))
		return body
	}
	l, fault := x.v.newLease(ctx, x.vm, x.vm.Config.Hardware.Device)
	if fault != nil {
		body.Fault_ = simulator.Fault(faultMessage(fault), fault)
		return body
	}
	body.Res = &types.ExportVmResponse{Returnval: l.Self}
	return body
}

// snapshotExport answers VirtualMachineSnapshot.ExportSnapshot: the same from a snapshot, whatever the VM's power state. The
// images never change, so a snapshot's bytes are the disk's.
type snapshotExport struct {
	v        *VCenter
	vm       *simulator.VirtualMachine
	snapshot *simulator.VirtualMachineSnapshot
}

// Reference is the VM's, so that the dispatcher holds its lock.
func (x *snapshotExport) Reference() types.ManagedObjectReference { return x.vm.Self }

// ExportSnapshot opens the lease.
func (x *snapshotExport) ExportSnapshot(ctx *simulator.Context, _ *types.ExportSnapshot) soap.HasFault {
	body := new(methods.ExportSnapshotBody)
	l, fault := x.v.newLease(ctx, x.vm, x.snapshot.Config.Hardware.Device)
	if fault != nil {
		body.Fault_ = simulator.Fault(faultMessage(fault), fault)
		return body
	}
	body.Res = &types.ExportSnapshotResponse{Returnval: l.Self}
	return body
}

func faultMessage(fault types.BaseMethodFault) string {
	switch f := fault.(type) {
	case *types.TaskInProgress:
		return "The operation is not allowed: another task is already in progress."
	case *types.FileFault:
		return "The simulator has no bytes for " + f.File + "."
	case *types.DuplicateName:
		return "The name '" + f.Name + "' already exists."
	case *types.InvalidArgument:
		return "A specified parameter was not correct: " + f.InvalidProperty
	}
	return ""
}

// exportInfo is what a ready lease says, and fills in the lease's files. An image that cannot be read is a FileFault.
func (v *VCenter) exportInfo(vm *simulator.VirtualMachine, list object.VirtualDeviceList, l *lease) (*types.HttpNfcLeaseInfo, types.BaseMethodFault) {
	info := &types.HttpNfcLeaseInfo{
		Entity:       vm.Self,
		LeaseTimeout: int32(max(1, (l.timeout+time.Second-1)/time.Second)),
	}
	l.files = map[string]leaseFile{}
	for n, d := range list.SelectByType((*types.VirtualDisk)(nil)) {
		disk := d.(*types.VirtualDisk) //nolint:forcetypeassert // selected by this type
		path, err := v.diskBytes(vm, disk)
		if err != nil {
			return nil, &types.FileFault{File: diskFile(disk)}
		}
		name := fmt.Sprintf("disk-%d.vmdk", n)
		l.files[name] = leaseFile{path: path}
		info.TotalDiskCapacityInKB += disk.CapacityInKB
		// A vCenter's guess of the size is not the size of the stream either.
		info.DeviceUrl = append(info.DeviceUrl, v.deviceURL(l, vm, deviceKey(list, disk), name, true, disk.CapacityInBytes))
	}
	if vm.Config.Firmware == string(types.GuestOsDescriptorFirmwareTypeEfi) {
		l.files["nvram"] = leaseFile{blob: bytes.Repeat([]byte{0xff}, nvramBytes)}
		info.DeviceUrl = append(info.DeviceUrl, v.deviceURL(l, vm, "nvram", "nvram", false, nvramBytes))
	}
	return info, nil
}

// nvramBytes is the size of the NVRAM file that a UEFI VM's lease offers beside its disks, since vSphere 6.7. Here it is
// erased flash.
const nvramBytes = 64 << 10

func (v *VCenter) deviceURL(l *lease, vm *simulator.VirtualMachine, key, name string, disk bool, size int64) types.HttpNfcLeaseDeviceUrl {
	host := v.url.Host
	if v.opts.ESXURLs {
		host = "*" // HttpNfcLeaseDeviceUrl.url: the client puts in the name that it reached the server by
	}
	u := url.URL{Scheme: "https", Host: host, Path: "/nfc/" + l.id + "/" + name}
	return types.HttpNfcLeaseDeviceUrl{
		Key:           "/" + vm.Self.Value + "/" + key,
		ImportKey:     "/" + vm.Name + "/" + key,
		Url:           u.String(),
		SslThumbprint: v.certificates.thumbprintSHA1(),
		Disk:          types.NewBool(disk),
		TargetId:      name,
		FileSize:      size,
	}
}

// deviceKey is a disk's key in a lease and a descriptor: type and bus of its controller, and its unit:
// ParaVirtualSCSIController0:0.
func deviceKey(list object.VirtualDeviceList, disk *types.VirtualDisk) string {
	unit := int32(0)
	if disk.UnitNumber != nil {
		unit = *disk.UnitNumber
	}
	c, ok := list.FindByKey(disk.ControllerKey).(types.BaseVirtualController)
	if !ok {
		return fmt.Sprintf("VirtualDisk%d:%d", disk.ControllerKey, unit)
	}
	return fmt.Sprintf("%s%d:%d", reflect.TypeOf(c).Elem().Name(), c.GetVirtualController().BusNumber, unit)
}

func diskFile(disk *types.VirtualDisk) string {
	if b, ok := disk.Backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
		return b.GetVirtualDeviceFileBackingInfo().FileName
	}
	return disk.DeviceInfo.GetDescription().Label
}

// diskBytes is the VMDK of a disk: a guest's own, or an empty one for the VMs that the inventory began with.
func (v *VCenter) diskBytes(vm *simulator.VirtualMachine, disk *types.VirtualDisk) (string, error) {
	ctx := context.Background() // a lookup, but for the first export of an empty disk
	if m := v.machine(vm.Self); m != nil && m.disks[disk.Key] != nil {
		return m.disks[disk.Key].served(ctx)
	}
	if !v.stock[vm.Self] {
		return "", fmt.Errorf("VM %s has no bytes", vm.Name)
	}
	img, err := v.empty(ctx, disk.CapacityInBytes)
	if err != nil {
		return "", err
	}
	return img.served(ctx)
}

// empty is the image of an empty disk, made once for each capacity.
func (v *VCenter) empty(ctx context.Context, capacity int64) (*image, error) {
	v.emptyMu.Lock()
	defer v.emptyMu.Unlock()
	if img := v.empties[capacity]; img != nil {
		return img, nil
	}
	img, err := emptyImage(ctx, v.dir, capacity)
	if err == nil {
		v.empties[capacity] = img
	}
	return img, err
}
