package demo_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// startClone asks for a clone of the stock VM.
func startClone(t *testing.T, c *govmomi.Client, name string, spec types.VirtualMachineCloneSpec) *object.Task {
	t.Helper()
	task, err := findVM(t, c, stockVM).Clone(t.Context(), folderOf(t, c), name, spec)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

func cloneExists(t *testing.T, c *govmomi.Client, name string) bool {
	t.Helper()
	ref, err := object.NewSearchIndex(c.Client).FindByInventoryPath(t.Context(), "/DC0/vm/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return ref != nil
}

func TestClone_EverythingInTheSpecCounts(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	source := findVM(t, c, stockVM)
	task, err := source.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{
		Annotation: "of the source", ExtraConfig: []types.BaseOptionValue{&types.OptionValue{Key: "inherited", Value: "yes"}},
		VAppConfig: &types.VmConfigSpec{Property: []types.VAppPropertySpec{{
			ArrayUpdateSpec: types.ArrayUpdateSpec{Operation: types.ArrayUpdateOperationAdd}, Info: &types.VAppPropertyInfo{Key: 1, Id: "color", DefaultValue: "red"},
		}}},
	})
	if err := finish(t, task, err); err != nil {
		t.Fatal(err)
	}
	err = startClone(t, c, "whole", types.VirtualMachineCloneSpec{PowerOn: true, Config: &types.VirtualMachineConfigSpec{
		Annotation: "of the clone", NumCPUs: 3, NumCoresPerSocket: types.NewInt32(3),
		CpuAllocation: &types.ResourceAllocationInfo{Limit: types.NewInt64(700)},
		VAppConfig: &types.VmConfigSpec{Property: []types.VAppPropertySpec{{
			ArrayUpdateSpec: types.ArrayUpdateSpec{Operation: types.ArrayUpdateOperationEdit}, Info: &types.VAppPropertyInfo{Key: 1, Id: "color", Value: "blue"},
		}}},
	}}).Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := properties(t, c, findVM(t, c, "/DC0/vm/whole").Reference(), "config", "runtime.powerState")
	config := got.Config
	if config.Annotation != "of the clone" || config.Hardware.NumCPU != 3 || *config.CpuAllocation.Limit != 700 || got.Runtime.PowerState != "poweredOn" {
		t.Errorf("got %q %d %v %s", config.Annotation, config.Hardware.NumCPU, config.CpuAllocation.Limit, got.Runtime.PowerState)
	}
	if p := config.VAppConfig.GetVmConfigInfo().Property; len(p) != 1 || p[0].Value != "blue" {
		t.Errorf("got properties %+v", p)
	}
	if !slices.ContainsFunc(config.ExtraConfig, func(o types.BaseOptionValue) bool { return o.GetOptionValue().Key == "inherited" }) {
		t.Error("the source's extraConfig was not inherited")
	}
	was := properties(t, c, source.Reference(), "config").Config
	if config.InstanceUuid == was.InstanceUuid || config.Uuid == was.Uuid {
		t.Error("the clone has a UUID of its source")
	}
}

func TestClone_LinkedNeedsASnapshotAndGetsAParent(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	linked := types.VirtualMachineCloneSpec{}
	linked.Location.DiskMoveType = string(types.VirtualMachineRelocateDiskMoveOptionsCreateNewChildDiskBacking)
	wantFault[*types.InvalidArgument](t, startClone(t, c, "linked", linked).Wait(t.Context()))

	bogus := linked
	bogus.Location.DiskMoveType = "no such move"
	wantFault[*types.InvalidArgument](t, startClone(t, c, "linked", bogus).Wait(t.Context()))

	vm := findVM(t, c, stockVM)
	snapshot := takeSnapshot(t, vm, "base")
	linked.Snapshot = &snapshot
	if err := startClone(t, c, "linked", linked).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	disks := func(path string) object.VirtualDeviceList {
		devices := properties(t, c, findVM(t, c, path).Reference(), "config").Config.Hardware.Device
		return object.VirtualDeviceList(devices).SelectByType((*types.VirtualDisk)(nil))
	}
	backing, _ := disks("/DC0/vm/linked")[0].GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo)
	if backing.Parent == nil || !strings.Contains(backing.Parent.FileName, "DC0_C0_RP0_VM0") {
		t.Errorf("got parent %+v, want the source's disk", backing.Parent)
	}
	other := findVM(t, c, "/DC0/vm/DC0_C0_RP0_VM1")
	foreign := takeSnapshot(t, other, "of another")
	linked.Snapshot = &foreign
	wantFault[*types.InvalidArgument](t, startClone(t, c, "x", linked).Wait(t.Context()))
}

func TestClone_TellsItsProgressAndCanBeCancelled(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Faults: demo.Faults{CloneDelay: 400 * time.Millisecond}}))
	task := startClone(t, c, "slow", types.VirtualMachineCloneSpec{})
	seen := map[int32]bool{}
	err := property.Wait(t.Context(), property.DefaultCollector(c.Client), task.Reference(), []string{"info"}, func(changes []types.PropertyChange) bool {
		ended := false
		for _, change := range changes {
			if info, ok := change.Val.(types.TaskInfo); ok {
				seen[info.Progress] = true
				ended = info.State == types.TaskInfoStateSuccess
			}
		}
		return ended
	})
	if err != nil || len(seen) < 3 {
		t.Errorf("got %v and progress %v, want several steps", err, seen)
	}

	task = startClone(t, c, "cancelled", types.VirtualMachineCloneSpec{})
	if err := task.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFault[*types.RequestCanceled](t, task.Wait(t.Context()))
	wantFault[*types.InvalidState](t, task.Cancel(t.Context()))
	if cloneExists(t, c, "cancelled") {
		t.Error("a cancelled clone left a VM")
	}
	if err := startClone(t, c, "cancelled", types.VirtualMachineCloneSpec{}).Wait(t.Context()); err != nil {
		t.Errorf("the name stayed taken: %v", err)
	}
}

func TestClone_NameIsTakenFromTheBeginning(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Faults: demo.Faults{CloneDelay: 300 * time.Millisecond}}))
	first := startClone(t, c, "one", types.VirtualMachineCloneSpec{})
	wantFault[*types.DuplicateName](t, startClone(t, c, "one", types.VirtualMachineCloneSpec{}).Wait(t.Context()))
	if err := first.Wait(t.Context()); err != nil {
		t.Error(err)
	}
	wantFault[*types.DuplicateName](t, startClone(t, c, "one", types.VirtualMachineCloneSpec{}).Wait(t.Context()))
}

func TestClone_ManyOfOneSourceRunAtOnce(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Faults: demo.Faults{CloneDelay: 200 * time.Millisecond}}))
	var running []*object.Task
	for _, name := range []string{"a", "b", "c", "d"} {
		running = append(running, startClone(t, c, name, types.VirtualMachineCloneSpec{}))
	}
	var source mo.VirtualMachine // the source can be read meanwhile
	if err := findVM(t, c, stockVM).Properties(t.Context(), findVM(t, c, stockVM).Reference(), []string{"name", "recentTask"}, &source); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	for _, task := range running {
		work.Go(func() {
			if !slices.Contains(source.RecentTask, task.Reference()) {
				t.Errorf("%s is not among the source's tasks", task.Reference())
			}
		})
		if err := task.Wait(t.Context()); err != nil {
			t.Error(err)
		}
	}
	work.Wait()
}

func TestClone_CustomizationCountsAdapters(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	spec := types.VirtualMachineCloneSpec{Customization: &types.CustomizationSpec{
		Identity: &types.CustomizationLinuxPrep{HostName: &types.CustomizationFixedName{Name: "x"}, Domain: "y"},
	}}
	wantFault[*types.NicSettingMismatch](t, startClone(t, c, "custom", spec).Wait(t.Context()))
}

func TestFaults_UnavailableAndLostAnswers(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Faults: demo.Faults{Unavailable: 1, UnavailableMethod: "CloneVM_Task"}})
	c := login(t, v)
	_, err := findVM(t, c, stockVM).Clone(t.Context(), folderOf(t, c), "x", types.VirtualMachineCloneSpec{})
	if err == nil || !strings.Contains(err.Error(), "503") || v.Calls()["CloneVM_Task"] != 0 {
		t.Errorf("got %v, want 503 and nothing done", err)
	}
	v.SetFaults(demo.Faults{LoseAnswers: 1, LoseAnswerMethod: "CloneVM_Task"})
	_, err = findVM(t, c, stockVM).Clone(t.Context(), folderOf(t, c), "x", types.VirtualMachineCloneSpec{})
	if err == nil || v.Calls()["CloneVM_Task"] != 1 {
		t.Errorf("got %v, want a cut connection behind a call that was carried out", err)
	}
	for deadline := time.Now().Add(20 * time.Second); !cloneExists(t, c, "x"); {
		if time.Now().After(deadline) {
			t.Fatal("the call was not carried out")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestOutage_RestartForgetsTasksAndSessionsAndFinishesTheWork(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Faults: demo.Faults{CloneDelay: 200 * time.Millisecond}})
	c := login(t, v)
	task := startClone(t, c, "survivor", types.VirtualMachineCloneSpec{})
	end := v.Outage(true)
	if _, err := object.NewSearchIndex(c.Client).FindByInventoryPath(t.Context(), "/DC0"); err == nil {
		t.Error("got an answer during the outage")
	}
	end()
	c = login(t, v)
	var info mo.Task
	err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), task.Reference(), []string{"info"}, &info)
	wantFault[*types.ManagedObjectNotFound](t, err)
	for deadline := time.Now().Add(20 * time.Second); !cloneExists(t, c, "survivor"); {
		if time.Now().After(deadline) {
			t.Fatal("the work did not go on")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestReconfigure_HotChanges(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM) // it runs
	task, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{NumCPUs: 8})
	wantFault[*types.CpuHotPlugNotSupported](t, finish(t, task, err))
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{MemoryMB: 4096})
	wantFault[*types.MemoryHotPlugNotSupported](t, finish(t, task, err))
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Name: "DC0_C0_RP0_VM1"})
	wantFault[*types.DuplicateName](t, finish(t, task, err))
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: "hot"})
	if err := finish(t, task, err); err != nil {
		t.Error(err)
	}
}

// TestClone_NamesAreStoredEscaped: "/", "\" and "%" of a name are stored escaped, but a % that begins an escape (CloneVM_Task and
// ManagedEntity.name, "vSphere Web Services API").
func TestClone_NamesAreStoredEscaped(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1}))
	for asked, stored := range map[string]string{"a/b": "a%2fb", "a%2fc": "a%2fc", "100%": "100%25", `back\slash`: "back%5cslash"} {
		info, err := startClone(t, c, asked, types.VirtualMachineCloneSpec{PowerOn: true}).WaitForResult(t.Context())
		if err != nil {
			t.Errorf("%s: %v", asked, err)
			continue
		}
		var vm mo.VirtualMachine
		if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), info.Result.(types.ManagedObjectReference), []string{"name", "config.name", "config.hardware.device"}, &vm); err != nil {
			t.Fatal(err)
		}
		disks := object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil))
		if vm.Name != stored || vm.Config.Name != stored || len(disks) != 1 {
			t.Errorf("%s: got %q, %q and %d disks, want %q and its disk", asked, vm.Name, vm.Config.Name, len(disks), stored)
		}
	}
	wantFault[*types.DuplicateName](t, startClone(t, c, "a%2fb", types.VirtualMachineCloneSpec{}).Wait(t.Context()))
}
