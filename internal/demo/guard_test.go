package demo_test

import (
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

const stockVM = "/DC0/vm/DC0_C0_RP0_VM0"

func missing(kind string) *types.ManagedObjectReference {
	return &types.ManagedObjectReference{Type: kind, Value: "none-1"}
}

func folderOf(t *testing.T, c *govmomi.Client) *object.Folder {
	t.Helper()
	folders, err := object.NewDatacenter(c.Client, datacenter(t, c)).Folders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return folders.VmFolder
}

func finish(t *testing.T, task *object.Task, err error) error {
	t.Helper()
	if err != nil {
		return err
	}
	return task.Wait(t.Context())
}

func TestGuard_CloneAndRelocateWithBadReferences(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM)
	host := properties(t, c, vm.Reference(), "runtime").Runtime.Host
	for name, tc := range map[string]struct {
		spec types.VirtualMachineRelocateSpec
		want string
	}{
		"no such pool":      {types.VirtualMachineRelocateSpec{Pool: missing("ResourcePool")}, "ManagedObjectNotFound"},
		"no such datastore": {types.VirtualMachineRelocateSpec{Datastore: missing("Datastore")}, "ManagedObjectNotFound"},
		"no such host":      {types.VirtualMachineRelocateSpec{Host: missing("HostSystem")}, "ManagedObjectNotFound"},
		"no such folder":    {types.VirtualMachineRelocateSpec{Folder: missing("Folder")}, "ManagedObjectNotFound"},
		"host as pool":      {types.VirtualMachineRelocateSpec{Pool: host}, "InvalidArgument"},
		"host as datastore": {types.VirtualMachineRelocateSpec{Datastore: host}, "InvalidArgument"},
	} {
		t.Run(name, func(t *testing.T) {
			task, err := vm.Clone(t.Context(), folderOf(t, c), "copy", types.VirtualMachineCloneSpec{Location: tc.spec})
			wantFaultNamed(t, finish(t, task, err), tc.want)
			task, err = vm.Relocate(t.Context(), tc.spec, types.VirtualMachineMovePriorityDefaultPriority)
			wantFaultNamed(t, finish(t, task, err), tc.want)
		})
	}
	if err := powerOff(t, vm); err != nil {
		t.Errorf("the VM's lock leaked: %v", err)
	}
}

func wantFaultNamed(t *testing.T, err error, name string) {
	t.Helper()
	switch name {
	case "ManagedObjectNotFound":
		wantFault[*types.ManagedObjectNotFound](t, err)
	case "InvalidArgument":
		wantFault[*types.InvalidArgument](t, err)
	default:
		t.Fatalf("no fault %s in this test", name)
	}
}

func TestGuard_RootSnapshotGoesChildrenStay(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM)
	root := takeSnapshot(t, vm, "root")
	child := takeSnapshot(t, vm, "child")
	task, err := vm.RevertToSnapshot(t.Context(), "root", true)
	if err := finish(t, task, err); err != nil {
		t.Fatal(err)
	}
	keep := false
	task, err = vm.RemoveSnapshot(t.Context(), "root", keep, nil)
	if err := finish(t, task, err); err != nil {
		t.Fatal(err)
	}
	info := properties(t, c, vm.Reference(), "snapshot").Snapshot
	if len(info.RootSnapshotList) != 1 || info.RootSnapshotList[0].Snapshot != child || info.CurrentSnapshot != nil {
		t.Errorf("got %+v without %s, want %s as the only root and none current", info, root, child)
	}
}

func TestGuard_EmptyNames(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	pool, err := find.NewFinder(c.Client).ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", " ", strings.Repeat("x", 81)} {
		_, err = pool.Create(t.Context(), name, types.DefaultResourceConfigSpec())
		wantFault[*types.InvalidName](t, err)
		_, err = folderOf(t, c).CreateFolder(t.Context(), name)
		wantFault[*types.InvalidName](t, err)
		task, err := findVM(t, c, stockVM).Rename(t.Context(), name)
		wantFault[*types.InvalidName](t, finish(t, task, err))
	}
	if _, err := pool.Create(t.Context(), "next", types.DefaultResourceConfigSpec()); err != nil {
		t.Errorf("the pool's lock leaked: %v", err)
	}
}

func TestGuard_QueryPerfIsBounded(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM)
	past, future := time.Unix(0, 0), time.Now().AddDate(10, 0, 0)
	query := func(q types.PerfQuerySpec) (int, error) {
		q.Entity = vm.Reference()
		q.MetricId = []types.PerfMetricId{{CounterId: 2}}
		res, err := methods.QueryPerf(t.Context(), c.Client, &types.QueryPerf{This: *c.ServiceContent.PerfManager, QuerySpec: []types.PerfQuerySpec{q}})
		if err != nil {
			return 0, err
		}
		return len(res.Returnval[0].(*types.PerfEntityMetric).SampleInfo), nil
	}
	for name, tc := range map[string]struct {
		q    types.PerfQuerySpec
		most int
	}{
		"real time without a start": {types.PerfQuerySpec{IntervalId: 20}, 181},
		"day without a start":       {types.PerfQuerySpec{IntervalId: 300}, 289},
		"from the epoch to 2036":    {types.PerfQuerySpec{IntervalId: 20, StartTime: &past, EndTime: &future}, 181},
	} {
		n, err := query(tc.q)
		if err != nil || n < 1 || n > tc.most {
			t.Errorf("%s: got %d samples and %v, want 1 to %d", name, n, err, tc.most)
		}
	}
	for name, q := range map[string]types.PerfQuerySpec{
		"start after end":   {IntervalId: 20, StartTime: &future},
		"negative interval": {IntervalId: -20},
		"negative samples":  {IntervalId: 20, MaxSample: -1},
	} {
		if _, err := query(q); !fault.Is(err, &types.InvalidArgument{}) {
			t.Errorf("%s: got %v, want InvalidArgument", name, err)
		}
	}
	_, err := methods.QueryAvailablePerfMetric(t.Context(), c.Client, &types.QueryAvailablePerfMetric{
		This: *c.ServiceContent.PerfManager, Entity: *missing("VirtualMachine"),
	})
	wantFault[*types.ManagedObjectNotFound](t, err)
}

func TestGuard_DevicesAndPathsThatDoNotExist(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM)
	nic := &types.VirtualVmxnet3{}
	nic.Backing = &types.VirtualEthernetCardNetworkBackingInfo{
		VirtualDeviceDeviceBackingInfo: types.VirtualDeviceDeviceBackingInfo{DeviceName: "no such network"},
	}
	wantFault[*types.InvalidDeviceSpec](t, vm.AddDevice(t.Context(), nic))

	disk := &types.VirtualDisk{CapacityInKB: 1024}
	disk.ControllerKey, disk.UnitNumber = 1000, types.NewInt32(5)
	disk.Backing = &types.VirtualDiskFlatVer2BackingInfo{
		VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: "[none] x.vmdk"},
	}
	wantFault[*types.InvalidDatastorePath](t, vm.AddDevice(t.Context(), disk))

	pool, err := find.NewFinder(c.Client).ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	spec := types.VirtualMachineConfigSpec{Name: "x", Files: &types.VirtualMachineFileInfo{VmPathName: "[none]"}}
	task, err := folderOf(t, c).CreateVM(t.Context(), spec, pool, nil)
	wantFault[*types.InvalidDatastorePath](t, finish(t, task, err))
	spec.Files.VmPathName = "[LocalDS_0]"
	task, err = folderOf(t, c).CreateVM(t.Context(), spec, pool, nil)
	if err := finish(t, task, err); err != nil {
		t.Errorf("a good VM was refused: %v", err)
	}
}

func TestGuard_NoContainersOnThisMachine(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	task, err := findVM(t, c, stockVM).Reconfigure(t.Context(), types.VirtualMachineConfigSpec{
		ExtraConfig: []types.BaseOptionValue{&types.OptionValue{Key: "RUN.container", Value: "nginx"}},
	})
	wantFault[*types.InvalidArgument](t, finish(t, task, err))
}

// TestGuard_PanicInATaskIsItsError uses an input that no other guard knows: the simulator cannot relocate into a vApp.
func TestGuard_PanicInATaskIsItsError(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	pool, err := find.NewFinder(c.Client).ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	app, err := pool.CreateVApp(t.Context(), "app", types.DefaultResourceConfigSpec(), types.VAppConfigSpec{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	vm := findVM(t, c, stockVM)
	ref := app.Reference()
	task, err := vm.Relocate(t.Context(), types.VirtualMachineRelocateSpec{Pool: &ref}, types.VirtualMachineMovePriorityDefaultPriority)
	wantFault[*types.SystemError](t, finish(t, task, err))
	if err := powerOff(t, vm); err != nil {
		t.Errorf("the VM's lock leaked: %v", err)
	}
}
