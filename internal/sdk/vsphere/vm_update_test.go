package vsphere_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestUpdateVM_OneReconfigurationOfWhatDiffers(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web"})
	before := s.v.Calls()["ReconfigVM_Task"]
	spec := vsphere.UpdateVMSpec{
		Name: "web-new",
		VMSettings: vsphere.VMSettings{
			CPUs: 2, MemoryMB: 64, Annotation: ptr("new"), CPUAllocation: &vsphere.VMAllocation{Limit: ptr(int64(900))},
			Disks:       map[string]vsphere.DiskSettings{"scsi0:0": {SizeGB: 11}, "nvme0:0": {SizeGB: 1}},
			NICs:        map[string]vsphere.NICSettings{"0": {Network: "VM Network", Type: "vmxnet3"}},
			CDROM:       &vsphere.CDROMSettings{ISO: "[LocalDS_0] iso/debian.iso"},
			ExtraConfig: map[string]string{"a": "1", "b": "2"},
		},
	}
	now, err := s.c.UpdateVM(t.Context(), vm, spec, nil)
	if err != nil {
		t.Fatalf("%v; hints %q", err, sdk.Hints(err))
	}
	if now.Path != "/DC0/vm/web-new" || now.CPUs != 2 || now.MemoryMB != 64 || now.Annotation != "new" || now.CPUAllocation.Limit != 900 {
		t.Errorf("got %+v", now)
	}
	if len(now.Disks) != 2 || now.Disks[0].CapacityBytes != 11<<30 || now.Disks[1].Address != "nvme0:0" {
		t.Errorf("got disks %+v", now.Disks)
	}
	if len(now.NICs) != 1 || now.NICs[0].Type != "vmxnet3" || now.NICs[0].Network != "VM Network" || now.CDROMs[0].ISO != "[LocalDS_0] iso/debian.iso" {
		t.Errorf("got %+v %+v", now.NICs, now.CDROMs)
	}
	if got := s.v.Calls()["ReconfigVM_Task"] - before; got != 1 {
		t.Errorf("got %d reconfigurations, want 1", got)
	}
	again, err := s.c.UpdateVM(t.Context(), now, spec, nil)
	if err != nil || again.ChangeVersion != now.ChangeVersion || s.v.Calls()["ReconfigVM_Task"]-before != 1 {
		t.Errorf("got %v, want nothing done for a VM that is as asked", err)
	}
	now, err = s.c.UpdateVM(t.Context(), now, vsphere.UpdateVMSpec{
		VMSettings:  vsphere.VMSettings{ExtraConfig: map[string]string{"a": ""}, Annotation: ptr(""), CDROM: &vsphere.CDROMSettings{Client: true}},
		RemoveDisks: map[string]vsphere.DiskRemoval{"nvme0:0": vsphere.DeleteDisk, "scsi0:9": vsphere.KeepDisk}, RemoveNICs: []string{"0"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := now.ExtraConfig["a"]; there || now.ExtraConfig["b"] != "2" || now.Annotation != "" || len(now.Disks) != 1 || len(now.NICs) != 0 || !now.CDROMs[0].Client {
		t.Errorf("got %q %+v %+v %+v", now.Annotation, now.Disks, now.NICs, now.CDROMs)
	}
}

func TestUpdateVM_RestartOnlyWhenAllowed(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", PowerOn: true})
	spec := vsphere.UpdateVMSpec{VMSettings: vsphere.VMSettings{CPUs: 4, Annotation: ptr("x")}}
	_, err := s.c.UpdateVM(t.Context(), vm, spec, nil)
	if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), "cpus") || len(sdk.Hints(err)) == 0 {
		t.Errorf("got %v, want ErrConflict that names cpus", err)
	}
	if s.v.Calls()["ReconfigVM_Task"] != 0 {
		t.Error("something was changed before the refusal")
	}
	spec.AllowRestart, spec.PowerOff = true, vsphere.PowerOffPolicy{ShutdownTimeout: time.Minute}
	now, err := s.c.UpdateVM(t.Context(), vm, spec, nil)
	if err != nil || now.CPUs != 4 || now.PowerState != "poweredOn" {
		t.Fatalf("got %+v %v, want 4 CPUs, running again", now, err)
	}
	if calls := s.v.Calls(); calls["ShutdownGuest"] != 1 || calls["PowerOffVM_Task"] != 0 {
		t.Errorf("got %v, want the guest asked and not powered off hard", calls)
	}
	hot, err := s.c.UpdateVM(t.Context(), now, vsphere.UpdateVMSpec{VMSettings: vsphere.VMSettings{
		Disks: map[string]vsphere.DiskSettings{"scsi0:1": {SizeGB: 1}}, NICs: map[string]vsphere.NICSettings{"0": {Network: "VM Network"}},
	}}, nil)
	if err != nil || len(hot.Disks) != 2 || hot.NICs[0].Network != "VM Network" || s.v.Calls()["ShutdownGuest"] != 1 {
		t.Errorf("got %+v %v, want a hot change", hot, err)
	}
}

func TestUpdateVM_MovesAndRelocates(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 2, VMs: 1, Datastores: 3, DatastoreCluster: true})
	c := plain(t, s.v)
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", Host: "/DC0/host/DC0_C0/DC0_C0_H0", Datastore: "LocalDS_0"})
	ref, err := s.c.Resolve(t.Context(), vsphere.KindFolder, "/DC0/vm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newFolder(t, c, ref, "apps"); err != nil {
		t.Fatal(err)
	}
	now, err := s.c.UpdateVM(t.Context(), vm, vsphere.UpdateVMSpec{Folder: "/DC0/vm/apps", Host: "DC0_C0_H1", Datastore: "LocalDS_1"}, nil)
	if err != nil {
		t.Fatalf("%v; hints %q", err, sdk.Hints(err))
	}
	if now.Path != "/DC0/vm/apps/web" || now.Host != "DC0_C0_H1" || now.DatastoreRef == vm.DatastoreRef {
		t.Errorf("got %s on %s at %s", now.Path, now.Host, now.Datastore)
	}
	before := s.v.Calls()
	if _, err := s.c.UpdateVM(t.Context(), now, vsphere.UpdateVMSpec{Folder: "/DC0/vm/apps", Host: "DC0_C0_H1", ResourcePool: "/DC0/host/DC0_C0"}, nil); err != nil {
		t.Error(err)
	}
	if after := s.v.Calls(); after["RelocateVM_Task"] != before["RelocateVM_Task"] || after["MoveIntoFolder_Task"] != before["MoveIntoFolder_Task"] {
		t.Error("a VM that is where it should be was moved")
	}
	_, err = s.c.UpdateVM(t.Context(), now, vsphere.UpdateVMSpec{Folder: "/DC0/vm/none"}, nil)
	if !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestUpdateVM_Refusals(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web"})
	other := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "other"})
	disks := func(name string, d vsphere.DiskSettings) vsphere.UpdateVMSpec {
		return vsphere.UpdateVMSpec{VMSettings: vsphere.VMSettings{Disks: map[string]vsphere.DiskSettings{name: d}}}
	}
	for name, tt := range map[string]struct {
		spec vsphere.UpdateVMSpec
		kind error
	}{
		"disk shrinks":          {disks("scsi0:0", vsphere.DiskSettings{SizeGB: 1}), sdk.ErrInvalid},
		"provisioning in place": {disks("scsi0:0", vsphere.DiskSettings{Provisioning: "eager"}), sdk.ErrConflict},
		"removed and set":       {vsphere.UpdateVMSpec{RemoveNICs: []string{"0"}, VMSettings: vsphere.VMSettings{NICs: map[string]vsphere.NICSettings{"0": {}}}}, sdk.ErrInvalid},
		"name taken":            {vsphere.UpdateVMSpec{Name: "other"}, sdk.ErrConflict},
	} {
		if _, err := s.c.UpdateVM(t.Context(), vm, tt.spec, nil); !errors.Is(err, tt.kind) {
			t.Errorf("%s: got %v, want %v", name, err, tt.kind)
		}
	}
	if err := s.c.DeleteVM(t.Context(), other, vsphere.PowerOffPolicy{}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.UpdateVM(t.Context(), other, vsphere.UpdateVMSpec{Name: "x"}, nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.c.UpdateVM(ctx, vm, vsphere.UpdateVMSpec{Name: "x"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestDeleteVM(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", PowerOn: true,
		VMSettings: vsphere.VMSettings{Disks: map[string]vsphere.DiskSettings{"scsi0:1": {SizeGB: 1}}}})
	if err := s.c.DeleteVM(t.Context(), vm, vsphere.PowerOffPolicy{}, nil); !errors.Is(err, sdk.ErrConflict) || len(sdk.Hints(err)) == 0 {
		t.Errorf("got %v, want a running VM left alone", err)
	}
	policy := vsphere.PowerOffPolicy{ShutdownTimeout: time.Minute, Force: true}
	if err := s.c.DeleteVM(t.Context(), vm, policy, []string{"scsi0:5"}); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound for a disk to keep that is not there", err)
	}
	kept := vm.Disks[slices.IndexFunc(vm.Disks, func(d vsphere.Disk) bool { return d.Address == "scsi0:1" })].File
	if err := s.c.DeleteVM(t.Context(), vm, policy, []string{"scsi0:1"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.RefreshVM(t.Context(), vm.Ref, vm.InstanceUUID); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if err := s.c.DeleteVM(t.Context(), vm, policy, nil); err != nil {
		t.Errorf("got %v, want a VM that is gone to be fine", err)
	}
	if kept == "" {
		t.Error("the kept disk has no file")
	}
}

func TestUnregisterVM(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", PowerOn: true})
	if err := s.c.UnregisterVM(t.Context(), vm, vsphere.PowerOffPolicy{Force: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.GetVM(t.Context(), vm.Path); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if got := s.v.Calls()["Destroy_Task"]; got != 0 {
		t.Errorf("got %d deletions, want the files left", got)
	}
}

func TestPowerOffVM_AsksFirstThenForces(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	vm := s.vm(t, stockVM) // runs without VMware Tools
	if err := s.c.PowerOffVM(t.Context(), vm, vsphere.PowerOffPolicy{ShutdownTimeout: time.Minute}); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
	for range 2 { // the second time it is off
		if err := s.c.PowerOffVM(t.Context(), vm, vsphere.PowerOffPolicy{ShutdownTimeout: time.Minute, Force: true}); err != nil {
			t.Fatal(err)
		}
	}
	if now := s.vm(t, stockVM); now.PowerState != "poweredOff" {
		t.Errorf("got %s, want it off", now.PowerState)
	}
}

func TestWaitReady_SaysWhatItSawLast(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{BootTime: time.Hour}})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", PowerOn: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	last, err := s.c.WaitReady(ctx, vm, vsphere.WaitFor{IP: true}, nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "VMware Tools: guestToolsRunning") || last == nil {
		t.Errorf("got %v %v, want the deadline and what was seen", last, err)
	}
	off := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "off"})
	if _, err := s.c.WaitReady(t.Context(), off, vsphere.WaitFor{IP: true}, nil); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v, want ErrConflict for a VM that is off", err)
	}
}

func TestWaitReady_FailedCustomization(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{FailCustomization: "no perl"}})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", PowerOn: true,
		Customization: &vsphere.Customization{Linux: &vsphere.LinuxCustomization{}}})
	if _, err := s.c.WaitReady(t.Context(), vm, vsphere.WaitFor{Customization: true}, nil); !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), "no perl") {
		t.Errorf("got %v, want the reason", err)
	}
}

func TestWaitReady_ManyOverOneCallAtATime(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{BootTime: 400 * time.Millisecond}})
	var vms []*vsphere.VM
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		vms = append(vms, s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: name, PowerOn: true}))
	}
	before := s.v.Calls()
	errs := make(chan error)
	for _, vm := range vms {
		go func() {
			_, err := s.c.WaitReady(t.Context(), vm, vsphere.WaitFor{IP: true}, nil)
			errs <- err
		}()
	}
	for range vms {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if got := s.v.Calls()["CreatePropertyCollector"]; got != before["CreatePropertyCollector"] {
		t.Errorf("got %d collectors, want the clones' own", got)
	}
}

// A disk is changed where the relocation before it has put its file.
func TestUpdateVM_ChangesDevicesOfAVMThatMoves(t *testing.T) {
	s := newCloneScene(t, demo.Options{Datastores: 2})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "web", VMSettings: vsphere.VMSettings{
		Disks: map[string]vsphere.DiskSettings{"scsi0:5": {SizeGB: 1, Provisioning: "thin"}},
	}})
	now, err := s.c.UpdateVM(t.Context(), vm, vsphere.UpdateVMSpec{Datastore: "LocalDS_1", VMSettings: vsphere.VMSettings{
		Disks: map[string]vsphere.DiskSettings{"scsi0:5": {SizeGB: 2, Mode: "independent_persistent", Provisioning: "eager", Datastore: "LocalDS_1"}, "scsi0:6": {SizeGB: 1}},
	}}, nil)
	if err != nil {
		t.Fatalf("%v; hints %q", err, sdk.Hints(err))
	}
	for _, d := range now.Disks {
		if d.Datastore != "LocalDS_1" {
			t.Errorf("disk %s is on %s, want LocalDS_1", d.Address, d.Datastore)
		}
		if d.Address == "scsi0:5" && (d.CapacityBytes != 2<<30 || d.Mode != "independent_persistent") {
			t.Errorf("got %+v, want 2 GB, independent", d)
		}
	}
	if now.DatastoreRef == vm.DatastoreRef || len(now.Disks) != len(vm.Disks)+1 {
		t.Errorf("the VM is on %s with %d disks", now.Datastore, len(now.Disks))
	}
}
