package demo_test

import (
	"strings"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// diskChain is the files of the VM's first disk, the one that is written to first, without directories.
func diskChain(t *testing.T, c *govmomi.Client, vm *object.VirtualMachine) string {
	t.Helper()
	devices := object.VirtualDeviceList(properties(t, c, vm.Reference(), "config.hardware.device").Config.Hardware.Device)
	disk := devices.SelectByType((*types.VirtualDisk)(nil))[0].(*types.VirtualDisk)
	var files []string
	for b := disk.Backing.(*types.VirtualDiskFlatVer2BackingInfo); b != nil; b = b.Parent {
		files = append(files, b.FileName[strings.LastIndex(b.FileName, "/")+1:])
	}
	return strings.Join(files, " < ")
}

// snapshotTree is the VM's snapshots as name(children), the current one with a star.
func snapshotTree(t *testing.T, c *govmomi.Client, vm *object.VirtualMachine) string {
	t.Helper()
	info := properties(t, c, vm.Reference(), "snapshot").Snapshot
	if info == nil {
		return ""
	}
	var draw func([]types.VirtualMachineSnapshotTree) string
	draw = func(nodes []types.VirtualMachineSnapshotTree) string {
		var parts []string
		for _, n := range nodes {
			s := n.Name
			if info.CurrentSnapshot != nil && *info.CurrentSnapshot == n.Snapshot {
				s += "*"
			}
			if below := draw(n.ChildSnapshotList); below != "" {
				s += "(" + below + ")"
			}
			parts = append(parts, s)
		}
		return strings.Join(parts, " ")
	}
	return draw(info.RootSnapshotList)
}

func wantText(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func removeSnapshot(t *testing.T, c *govmomi.Client, ref types.ManagedObjectReference, children bool) error {
	t.Helper()
	res, err := methods.RemoveSnapshot_Task(t.Context(), c.Client, &types.RemoveSnapshot_Task{This: ref, RemoveChildren: children})
	if err != nil {
		return err
	}
	return object.NewTask(c.Client, res.Returnval).Wait(t.Context())
}

func revertTo(t *testing.T, c *govmomi.Client, ref types.ManagedObjectReference, suppress bool) error {
	t.Helper()
	res, err := methods.RevertToSnapshot_Task(t.Context(), c.Client, &types.RevertToSnapshot_Task{This: ref, SuppressPowerOn: &suppress})
	if err != nil {
		return err
	}
	return object.NewTask(c.Client, res.Returnval).Wait(t.Context())
}

func newWeb(t *testing.T) (*govmomi.Client, *object.VirtualMachine) {
	t.Helper()
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{guest(t, webPath)}}))
	return c, findVM(t, c, webPath)
}

func TestSnapshot_DeltasComeAndAreMerged(t *testing.T) {
	c, vm := newWeb(t)
	one := takeSnapshot(t, vm, "one")
	wantText(t, "one snapshot", diskChain(t, c, vm), "web-01-000001.vmdk < web-01.vmdk")
	two := takeSnapshot(t, vm, "two")
	three := takeSnapshot(t, vm, "three")
	wantText(t, "three snapshots", snapshotTree(t, c, vm), "one(two(three*))")
	if err := removeSnapshot(t, c, two, false); err != nil {
		t.Fatal(err)
	}
	wantText(t, "the middle one removed", snapshotTree(t, c, vm), "one(three*)")
	wantText(t, "its delta merged", diskChain(t, c, vm), "web-01-000003.vmdk < web-01-000001.vmdk < web-01.vmdk")
	if err := removeSnapshot(t, c, one, false); err != nil {
		t.Fatal(err)
	}
	wantText(t, "the root removed", diskChain(t, c, vm), "web-01-000003.vmdk < web-01.vmdk")
	if err := removeSnapshot(t, c, three, false); err != nil {
		t.Fatal(err)
	}
	wantText(t, "none left", snapshotTree(t, c, vm)+diskChain(t, c, vm), "web-01.vmdk")
	wantFault[*types.ManagedObjectNotFound](t, removeSnapshot(t, c, three, false))
}

func TestSnapshot_RemovalWithChildrenMovesTheCurrentOneUp(t *testing.T) {
	c, vm := newWeb(t)
	takeSnapshot(t, vm, "root")
	middle := takeSnapshot(t, vm, "middle")
	takeSnapshot(t, vm, "leaf")
	if err := removeSnapshot(t, c, middle, true); err != nil {
		t.Fatal(err)
	}
	wantText(t, "tree", snapshotTree(t, c, vm), "root*")
	wantText(t, "disk", diskChain(t, c, vm), "web-01-000001.vmdk < web-01.vmdk")
	task, err := vm.RemoveAllSnapshot(t.Context(), nil)
	if err := finish(t, task, err); err != nil {
		t.Fatal(err)
	}
	wantText(t, "all removed", snapshotTree(t, c, vm)+diskChain(t, c, vm), "web-01.vmdk")
}

func TestSnapshot_CurrentRootGoesWithItsChildren(t *testing.T) {
	c, vm := newWeb(t)
	root := takeSnapshot(t, vm, "root")
	takeSnapshot(t, vm, "child")
	if err := revertTo(t, c, root, false); err != nil {
		t.Fatal(err)
	}
	wantText(t, "tree", snapshotTree(t, c, vm), "root*(child)")
	if err := removeSnapshot(t, c, root, true); err != nil {
		t.Fatal(err)
	}
	wantText(t, "nothing left", snapshotTree(t, c, vm)+diskChain(t, c, vm), "web-01.vmdk")
}

func TestSnapshot_RevertRestoresTheConfiguration(t *testing.T) {
	c, vm := newWeb(t)
	set := func(cpus int32, annotation, value string) {
		t.Helper()
		task, err := vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{
			NumCPUs: cpus, MemoryMB: int64(cpus) * 512, Annotation: annotation,
			ExtraConfig: []types.BaseOptionValue{&types.OptionValue{Key: "guestinfo.test", Value: value}},
		})
		if err := finish(t, task, err); err != nil {
			t.Fatal(err)
		}
	}
	set(2, "before", "old")
	snapshot := takeSnapshot(t, vm, "before")
	old := properties(t, c, vm.Reference(), "config").Config
	set(8, "after", "new")
	if err := vm.AddDevice(t.Context(), &types.VirtualCdrom{VirtualDevice: types.VirtualDevice{Key: -1, ControllerKey: 200}}); err != nil {
		t.Fatal(err)
	}
	if err := revertTo(t, c, snapshot, false); err != nil {
		t.Fatal(err)
	}
	m := properties(t, c, vm.Reference(), "config", "summary.config", "name")
	now := m.Config
	if now.Hardware.NumCPU != 2 || now.Hardware.MemoryMB != 1024 || now.Annotation != "before" || m.Summary.Config.NumCpu != 2 {
		t.Errorf("got %d CPUs, %d MB, %q; want 2, 1024, before", now.Hardware.NumCPU, now.Hardware.MemoryMB, now.Annotation)
	}
	if got, want := len(now.Hardware.Device), len(old.Hardware.Device); got != want {
		t.Errorf("got %d devices, want %d", got, want)
	}
	value, _ := object.OptionValueList(now.ExtraConfig).GetString("guestinfo.test")
	wantText(t, "extraConfig", value, "old")
	if now.InstanceUuid != old.InstanceUuid || now.ChangeVersion == old.ChangeVersion {
		t.Error("the identity changed, or the change version did not")
	}
	wantText(t, "disk", diskChain(t, c, vm), "web-01-000002.vmdk < web-01.vmdk")
	wantText(t, "tree", snapshotTree(t, c, vm), "before*")
}

func TestSnapshot_RevertRestoresThePowerState(t *testing.T) {
	c, vm := newWeb(t)
	task, err := vm.PowerOn(t.Context())
	if err := finish(t, task, err); err != nil {
		t.Fatal(err)
	}
	withMemory := func(name string, memory bool) types.ManagedObjectReference {
		t.Helper()
		task, err := vm.CreateSnapshot(t.Context(), name, "", memory, false)
		if err := finish(t, task, err); err != nil {
			t.Fatal(err)
		}
		return *properties(t, c, vm.Reference(), "snapshot").Snapshot.CurrentSnapshot
	}
	running, crashed := withMemory("running", true), withMemory("crashed", false)
	for _, tc := range []struct {
		to       types.ManagedObjectReference
		suppress bool
		want     types.VirtualMachinePowerState
	}{
		{crashed, false, types.VirtualMachinePowerStatePoweredOff},
		{running, false, types.VirtualMachinePowerStatePoweredOn},
		{running, true, types.VirtualMachinePowerStatePoweredOff},
	} {
		if err := revertTo(t, c, tc.to, tc.suppress); err != nil {
			t.Fatal(err)
		}
		wantText(t, tc.to.Value, string(properties(t, c, vm.Reference(), "runtime").Runtime.PowerState), string(tc.want))
	}
}

func TestSnapshot_RenamedAndDuplicateNamesAllowed(t *testing.T) {
	c, vm := newWeb(t)
	takeSnapshot(t, vm, "one")
	second := takeSnapshot(t, vm, "two")
	rename := func(name, description string) error {
		_, err := methods.RenameSnapshot(t.Context(), c.Client, &types.RenameSnapshot{This: second, Name: name, Description: description})
		return err
	}
	if err := rename("one", "the second"); err != nil {
		t.Fatal(err)
	}
	wantText(t, "tree", snapshotTree(t, c, vm), "one(one*)")
	child := properties(t, c, vm.Reference(), "snapshot").Snapshot.RootSnapshotList[0].ChildSnapshotList[0]
	wantText(t, "description", child.Description, "the second")
	wantFault[*types.InvalidArgument](t, rename("", ""))
}

func TestSnapshot_WhatCannotBeMergedIsConsolidatedLater(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{guest(t, webPath)}, Faults: demo.Faults{LeaveDeltas: true}})
	c := login(t, v)
	vm := findVM(t, c, webPath)
	if err := removeSnapshot(t, c, takeSnapshot(t, vm, "held"), false); err != nil {
		t.Fatal(err)
	}
	wantText(t, "held", diskChain(t, c, vm), "web-01-000001.vmdk < web-01.vmdk")
	if !properties(t, c, vm.Reference(), "runtime").Runtime.ConsolidationNeeded {
		t.Error("no consolidation is asked for")
	}
	v.SetFaults(demo.Faults{})
	res, err := methods.ConsolidateVMDisks_Task(t.Context(), c.Client, &types.ConsolidateVMDisks_Task{This: vm.Reference()})
	if err != nil {
		t.Fatal(err)
	}
	if err := object.NewTask(c.Client, res.Returnval).Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantText(t, "consolidated", diskChain(t, c, vm), "web-01.vmdk")
	if properties(t, c, vm.Reference(), "runtime").Runtime.ConsolidationNeeded {
		t.Error("consolidation is asked for still")
	}
}

func TestSnapshot_QuiesceNeedsTools(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1}))
	vm := findVM(t, c, stockVM) // runs, without tools
	task, err := vm.CreateSnapshot(t.Context(), "quiet", "", false, true)
	wantFault[*types.ToolsUnavailable](t, finish(t, task, err))
}

func TestSnapshot_ExportedAndWatched(t *testing.T) {
	c, vm := newWeb(t)
	lease, info := export(t, vm)
	_, before, err := get(t, c, "GET", info.DeviceUrl[0].Url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := lease.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	takeSnapshot(t, vm, "one")
	if err := property.Wait(t.Context(), property.DefaultCollector(c.Client), vm.Reference(), []string{"snapshot"},
		func(changes []types.PropertyChange) bool { return len(changes) > 0 }); err != nil {
		t.Fatal(err)
	}
	lease, info = export(t, vm)
	_, after, err := get(t, c, "GET", info.DeviceUrl[0].Url, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, "bytes", sum(after), sum(before))
	task, err := vm.RevertToCurrentSnapshot(t.Context(), false)
	wantFault[*types.TaskInProgress](t, finish(t, task, err))
	if err := lease.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
}
