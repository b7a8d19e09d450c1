package demo_test

import (
	"strings"
	"testing"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// VirtualMachineRelocateSpec.datastore: where the VM should be located; disk: where a disk should.
func TestRelocate_TheFilesGoWithTheVM(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Datastores: 2}))
	made, err := startClone(t, c, "web", types.VirtualMachineCloneSpec{}).WaitForResult(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	vm := object.NewVirtualMachine(c.Client, made.Result.(types.ManagedObjectReference)) //nolint:forcetypeassert // as documented
	done := func(task *object.Task, err error) {
		t.Helper()
		if err == nil {
			err = task.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	second := &types.VirtualDisk{
		VirtualDevice: types.VirtualDevice{Key: -1, ControllerKey: controllerOf(t, vm), UnitNumber: types.NewInt32(5), Backing: &types.VirtualDiskFlatVer2BackingInfo{
			DiskMode: string(types.VirtualDiskModePersistent), ThinProvisioned: types.NewBool(true),
		}},
		CapacityInBytes: 1 << 30,
	}
	add := types.VirtualMachineConfigSpec{DeviceChange: []types.BaseVirtualDeviceConfigSpec{&types.VirtualDeviceConfigSpec{
		Operation: types.VirtualDeviceConfigSpecOperationAdd, FileOperation: types.VirtualDeviceConfigSpecFileOperationCreate, Device: second,
	}}}
	for _, name := range []string{"LocalDS_1", "LocalDS_0"} {
		store, err := find.NewFinder(c.Client).Datastore(t.Context(), "/DC0/datastore/"+name)
		if err != nil {
			t.Fatal(err)
		}
		ref := store.Reference()
		done(vm.Relocate(t.Context(), types.VirtualMachineRelocateSpec{Datastore: &ref}, types.VirtualMachineMovePriorityDefaultPriority))
		if name == "LocalDS_1" { // what is made there goes back with the rest
			done(vm.Reconfigure(t.Context(), add))
		}
		done(vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: name})) // looks at every file
		var now mo.VirtualMachine
		if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), vm.Reference(), []string{"config", "datastore"}, &now); err != nil {
			t.Fatal(err)
		}
		files := []string{now.Config.Files.VmPathName}
		for _, d := range object.VirtualDeviceList(now.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil)) {
			files = append(files, d.GetVirtualDevice().Backing.(types.BaseVirtualDeviceFileBackingInfo).GetVirtualDeviceFileBackingInfo().FileName) //nolint:forcetypeassert // of a disk
		}
		if len(files) != 3 || len(now.Datastore) != 1 || now.Datastore[0] != ref {
			t.Errorf("%s: got %v on %v, want the VM and two disks", name, files, now.Datastore)
		}
		for _, file := range files {
			if !strings.HasPrefix(file, "["+name+"]") {
				t.Errorf("%s is not on %s", file, name)
			}
		}
	}
}

func controllerOf(t *testing.T, vm *object.VirtualMachine) int32 {
	t.Helper()
	devices, err := vm.Device(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return devices.SelectByType((*types.VirtualDisk)(nil))[0].GetVirtualDevice().ControllerKey
}

// VirtualDevice.key: new adapters follow those that are there, as "Network adapter 2" follows the first.
func TestReconfigure_NewAdaptersAreNumberedInOrder(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM)
	devices, err := vm.Device(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first := devices.SelectByType((*types.VirtualEthernetCard)(nil))[0]
	var spec types.VirtualMachineConfigSpec
	for i := range 2 {
		card := &types.VirtualVmxnet3{}
		card.Key, card.Backing = int32(-1-i), first.GetVirtualDevice().Backing
		spec.DeviceChange = append(spec.DeviceChange, &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: card})
	}
	task, err := vm.Reconfigure(t.Context(), spec)
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if devices, err = vm.Device(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, card := range devices.SelectByType((*types.VirtualEthernetCard)(nil)) {
		if got := card.GetVirtualDevice().Key; got != int32(4000+i) {
			t.Errorf("adapter %d has the key %d, want %d", i, got, 4000+i)
		}
	}
}
