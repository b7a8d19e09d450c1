package demo

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// finish makes a plain copy what the CloneSpec asks for: the source's settings, the changes of config, the places of the disks, their
// parents, the customization that awaits the first power-on.
func (x *vmClone) finish(ctx *simulator.Context, req *types.CloneVM_Task, from origin, vm *simulator.VirtualMachine) types.BaseMethodFault {
	x.dropDisks(ctx, vm, from)
	inherited := from.inherited()
	if fault := x.reconfigure(ctx, vm, inherited); fault != nil {
		return fault
	}
	if config := req.Spec.Config; config != nil {
		change := *config
		change.Name, change.Files = "", nil
		ctx.WithLock(vm, func() { numberAdapters(vm, change.DeviceChange) })
		if fault := x.reconfigure(ctx, vm, &change); fault != nil {
			return fault
		}
	}
	if len(req.Spec.Location.DeviceChange) > 0 {
		if fault := x.reconfigure(ctx, vm, &types.VirtualMachineConfigSpec{DeviceChange: req.Spec.Location.DeviceChange}); fault != nil {
			return fault
		}
	}
	if fault := x.placeDisks(ctx, vm, req.Spec.Location.Disk); fault != nil {
		return fault
	}
	if req.Spec.Location.DiskMoveType == string(types.VirtualMachineRelocateDiskMoveOptionsCreateNewChildDiskBacking) {
		x.link(ctx, vm, from)
	}
	ctx.WithLock(vm, func() { linkControllers(vm.Config.Hardware.Device) })
	x.v.addClone(ctx, x.vm, vm)
	if req.Spec.Template {
		ctx.WithLock(vm, func() { vm.MarkAsTemplate(&types.MarkAsTemplate{This: vm.Self}) })
		return nil
	}
	if req.Spec.Customization != nil {
		x.v.awaitCustomization(ctx, vm, req.Spec.Customization)
	}
	return nil
}

func (x *vmClone) reconfigure(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.VirtualMachineConfigSpec) types.BaseMethodFault {
	return x.v.finished(ctx, func() soap.HasFault {
		return vm.ReconfigVMTask(ctx, &types.ReconfigVM_Task{This: vm.Self, Spec: *spec})
	})
}

// inherited is what a clone has of its source and the simulator's copy has not.
func (o origin) inherited() *types.VirtualMachineConfigSpec {
	c := o.config
	spec := &types.VirtualMachineConfigSpec{
		Annotation: c.Annotation, Firmware: c.Firmware, BootOptions: c.BootOptions, CpuAllocation: copyOf(c.CpuAllocation),
		MemoryAllocation: copyOf(c.MemoryAllocation), CpuHotAddEnabled: c.CpuHotAddEnabled, CpuHotRemoveEnabled: c.CpuHotRemoveEnabled,
		MemoryHotAddEnabled: c.MemoryHotAddEnabled, NumCPUs: c.Hardware.NumCPU, NumCoresPerSocket: c.Hardware.NumCoresPerSocket,
		MemoryMB: int64(c.Hardware.MemoryMB),
	}
	for _, option := range c.ExtraConfig {
		if o := option.GetOptionValue(); o.Key != "govcsim" && !strings.HasPrefix(o.Key, "RUN.") {
			spec.ExtraConfig = append(spec.ExtraConfig, &types.OptionValue{Key: o.Key, Value: o.Value})
		}
	}
	if c.VAppConfig != nil {
		vapp := &types.VmConfigSpec{}
		for _, p := range c.VAppConfig.GetVmConfigInfo().Property {
			vapp.Property = append(vapp.Property, types.VAppPropertySpec{
				ArrayUpdateSpec: types.ArrayUpdateSpec{Operation: types.ArrayUpdateOperationAdd}, Info: &p,
			})
		}
		spec.VAppConfig = vapp
	}
	return spec
}

func copyOf[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// dropDisks takes away what the source got after the snapshot.
func (x *vmClone) dropDisks(ctx *simulator.Context, vm *simulator.VirtualMachine, from origin) {
	if !from.snapshot {
		return
	}
	then := object.VirtualDeviceList(from.config.Hardware.Device)
	spec := &types.VirtualMachineConfigSpec{}
	for _, d := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil)) {
		if then.FindByKey(d.GetVirtualDevice().Key) == nil {
			spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{
				Operation: types.VirtualDeviceConfigSpecOperationRemove, FileOperation: types.VirtualDeviceConfigSpecFileOperationDestroy, Device: d,
			})
		}
	}
	if len(spec.DeviceChange) > 0 {
		_ = x.reconfigure(ctx, vm, spec)
	}
}

// eachDisk changes copies of the VM's flat disks and publishes them.
func (v *VCenter) eachDisk(ctx *simulator.Context, vm *simulator.VirtualMachine, change func(*types.VirtualDisk, *types.VirtualDiskFlatVer2BackingInfo)) {
	defer v.turns.alone()()
	ctx.WithLock(vm, func() {
		devices := make([]types.BaseVirtualDevice, len(vm.Config.Hardware.Device))
		copy(devices, vm.Config.Hardware.Device)
		for i, d := range devices {
			disk, ok := d.(*types.VirtualDisk)
			if !ok {
				continue
			}
			if flat, ok := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
				newDisk, newBacking := *disk, *flat
				newDisk.Backing = &newBacking
				change(&newDisk, &newBacking)
				devices[i] = &newDisk
			}
		}
		ctx.Update(vm, []types.PropertyChange{{Name: "config.hardware.device", Val: devices}})
		vm.RefreshStorageInfo(ctx, nil)
	})
}

// link gives each disk that the snapshot froze that file as its parent; what it holds itself begins empty and grows.
func (x *vmClone) link(ctx *simulator.Context, vm *simulator.VirtualMachine, from origin) {
	then := object.VirtualDeviceList(from.config.Hardware.Device)
	x.v.eachDisk(ctx, vm, func(disk *types.VirtualDisk, backing *types.VirtualDiskFlatVer2BackingInfo) {
		frozen, ok := then.FindByKey(disk.Key).(*types.VirtualDisk)
		if !ok {
			return
		}
		if parent, ok := frozen.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok && !strings.HasPrefix(parent.DiskMode, "independent") {
			backing.Parent, backing.ThinProvisioned = copyOf(parent), types.NewBool(true)
		}
	})
}

// placeDisks puts disks where the locators say, by the keys that they have in the source, with the provisioning that they say.
func (x *vmClone) placeDisks(ctx *simulator.Context, vm *simulator.VirtualMachine, locators []types.VirtualMachineRelocateSpecDiskLocator) types.BaseMethodFault {
	if len(locators) == 0 {
		return nil
	}
	devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
	for _, l := range locators {
		if _, ok := devices.FindByKey(l.DiskId).(*types.VirtualDisk); !ok {
			return &types.InvalidArgument{InvalidProperty: "spec.location.disk"}
		}
	}
	var failed error
	x.v.eachDisk(ctx, vm, func(disk *types.VirtualDisk, backing *types.VirtualDiskFlatVer2BackingInfo) {
		for _, l := range locators {
			if l.DiskId != disk.Key {
				continue
			}
			if want, ok := l.DiskBackingInfo.(*types.VirtualDiskFlatVer2BackingInfo); ok {
				backing.ThinProvisioned, backing.EagerlyScrub = want.ThinProvisioned, want.EagerlyScrub
			}
			if err := x.v.moveFile(backing, l.Datastore); err != nil {
				failed = err
			}
		}
	})
	if failed != nil {
		return &types.SystemError{Reason: failed.Error()}
	}
	return nil
}

// moveFile takes a disk's files to another datastore, into the directory of the same name there.
func (v *VCenter) moveFile(backing *types.VirtualDiskFlatVer2BackingInfo, to types.ManagedObjectReference) error {
	target, ok := v.registry.Get(to).(*simulator.Datastore)
	var from object.DatastorePath
	if !ok || !from.FromString(backing.FileName) || from.Datastore == target.Name {
		return nil
	}
	source := v.datastoreNamed(from.Datastore)
	if source == nil {
		return fmt.Errorf("no datastore %s", from.Datastore)
	}
	if err := os.MkdirAll(filepath.Join(target.Summary.Url, path.Dir(from.Path)), 0o700); err != nil {
		return err
	}
	for _, name := range []string{from.Path, flatName(from.Path)} {
		err := os.Rename(filepath.Join(source.Summary.Url, name), filepath.Join(target.Summary.Url, name))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	from.Datastore = target.Name
	backing.FileName, backing.Datastore = from.String(), &to
	return nil
}

func (v *VCenter) datastoreNamed(name string) *simulator.Datastore {
	for _, entity := range v.registry.All("Datastore") {
		if ds, ok := entity.(*simulator.Datastore); ok && ds.Name == name {
			return ds
		}
	}
	return nil
}
