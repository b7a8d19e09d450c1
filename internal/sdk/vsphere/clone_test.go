package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// stockVM is a VM that every simulated vCenter has: one disk, one adapter, powered on.
const stockVM = "/DC0/vm/DC0_C0_RP0_VM0"

// cloneScene is a small vCenter with a client.
type cloneScene struct {
	v *demo.VCenter
	c *vsphere.Client
}

func newCloneScene(t testing.TB, opts demo.Options) *cloneScene {
	t.Helper()
	if opts.Hosts == 0 {
		opts.Hosts, opts.VMs = 1, 1
	}
	v := rig.VCenter(t, opts)
	return &cloneScene{v: v, c: dial(t, v)}
}

func (s *cloneScene) vm(t testing.TB, ref string) *vsphere.VM {
	t.Helper()
	vm, err := s.c.GetVM(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func (s *cloneScene) clone(t testing.TB, spec vsphere.CloneSpec) *vsphere.VM {
	t.Helper()
	result, err := s.c.Clone(t.Context(), spec, nil)
	if err != nil {
		t.Fatalf("%v; hints %q", err, sdk.Hints(err))
	}
	return result.VM
}

func ptr[T any](v T) *T { return &v }

func TestClone_SettingsCustomizationAndPowerInOneTask(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	before := s.v.Calls()
	var last sdk.Progress
	result, err := s.c.Clone(t.Context(), vsphere.CloneSpec{
		SourceVM: stockVM, TargetName: "web-01", PowerOn: true,
		VMSettings: vsphere.VMSettings{
			CPUs: 4, CoresPerSocket: 2, MemoryMB: 512, Annotation: ptr("made by a test"),
			CPUAllocation:    &vsphere.VMAllocation{Reservation: ptr(int64(100)), Limit: ptr(int64(2000)), Shares: "high"},
			MemoryAllocation: &vsphere.VMAllocation{Shares: "custom", ShareCount: 777},
			Disks: map[string]vsphere.DiskSettings{
				"scsi0:0": {SizeGB: 12, Provisioning: "lazy"}, "scsi0:1": {SizeGB: 3, Provisioning: "eager"}, "sata0:0": {SizeGB: 1}},
			NICs:        map[string]vsphere.NICSettings{"1": {Network: "VM Network", Type: "e1000e", MAC: "00:50:56:01:02:03"}},
			ExtraConfig: map[string]string{"disk.EnableUUID": "TRUE"},
		},
		Customization: &vsphere.Customization{
			Linux:      &vsphere.LinuxCustomization{Hostname: "web-01", Domain: "example.com"},
			Interfaces: map[string]vsphere.InterfaceSettings{"0": {IPv4: "10.0.0.11/24"}}, Gateways: []string{"10.0.0.1"},
		},
		CloudInit: &vsphere.CloudInit{Metadata: "instance-id: web-01", UserData: "#cloud-config"},
	}, func(p sdk.Progress) { last = p })
	if err != nil {
		t.Fatalf("%v; hints %q", err, sdk.Hints(err))
	}
	vm := result.VM
	if vm.Path != "/DC0/vm/web-01" || vm.PowerState != "poweredOn" || vm.CPUs != 4 || vm.CoresPerSocket != 2 || vm.MemoryMB != 512 || vm.Annotation != "made by a test" {
		t.Errorf("got %+v", vm)
	}
	if a := vm.CPUAllocation; a.Reservation != 100 || a.Limit != 2000 || a.Shares != "high" || vm.MemoryAllocation.ShareCount != 777 {
		t.Errorf("got allocations %+v %+v", a, vm.MemoryAllocation)
	}
	disks := map[string]vsphere.Disk{}
	for _, d := range vm.Disks {
		disks[d.Address] = d
	}
	if d := disks["scsi0:1"]; d.CapacityBytes != 3<<30 || d.Provisioning != "eager" || disks["sata0:0"].Provisioning != "thin" ||
		disks["scsi0:0"].CapacityBytes != 12<<30 || disks["scsi0:0"].Provisioning != "lazy" {
		t.Errorf("got disks %+v", disks)
	}
	if len(vm.NICs) != 2 || vm.NICs[1].Type != "e1000e" || vm.NICs[1].MAC != "00:50:56:01:02:03" || vm.NICs[1].Network != "VM Network" {
		t.Errorf("got adapters %+v", vm.NICs)
	}
	if vm.ExtraConfig["disk.EnableUUID"] != "TRUE" || vm.ExtraConfig["guestinfo.userdata.encoding"] != "gzip+base64" || vm.CloneMark == "" {
		t.Errorf("got extra config %v", vm.ExtraConfig)
	}
	if vm.ResourcePool != "/DC0/host/DC0_C0/Resources" || vm.Folder != "/DC0/vm" || vm.Datastore != "LocalDS_0" || vm.HostRef == "" {
		t.Errorf("got pool %q folder %q datastore %q", vm.ResourcePool, vm.Folder, vm.Datastore)
	}
	if last.Done != 100 || last.Total != 100 || result.SourceRef == "" || result.Adopted {
		t.Errorf("got last progress %+v and %+v", last, result)
	}
	ready, err := s.c.WaitReady(t.Context(), vm, vsphere.WaitFor{IP: true, Customization: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ready.Hostname != "web-01" || ready.IPAddress != "10.0.0.11" || ready.Customization != "succeeded" {
		t.Errorf("got %q %q %q", ready.Hostname, ready.IPAddress, ready.Customization)
	}
	after := s.v.Calls()
	if got := after["CloneVM_Task"] - before["CloneVM_Task"]; got != 1 || after["ReconfigVM_Task"] != before["ReconfigVM_Task"] || after["PowerOnVM_Task"] != before["PowerOnVM_Task"] {
		t.Errorf("got %d clone tasks, and others: %v", got, after)
	}
}

func TestClone_FiftyAtOnceStayWithinTheBudget(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 1, Latency: 20 * time.Millisecond, Faults: demo.Faults{CloneDelay: 500 * time.Millisecond}})
	const n = 50
	before := s.v.Calls()
	var work sync.WaitGroup
	for i := range n {
		work.Go(func() {
			name := fmt.Sprintf("many-%02d", i)
			result, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: stockVM, TargetName: name, ResourcePool: "/DC0/host/DC0_C0"}, nil)
			if err != nil || result.VM.Name != name {
				t.Errorf("%s: got %v", name, err)
			}
		})
	}
	work.Wait()
	after := s.v.Calls()
	if got := calls(before, after); got > 6*n {
		t.Errorf("got %d calls for %d clones, want at most 6 each: %v", got, n, after)
	} else {
		t.Logf("%d calls for %d clones: %v", got, n, after)
	}
	if got := after["CloneVM_Task"]; got != n {
		t.Errorf("got %d clones asked for, want %d", got, n)
	}
}

func TestClone_Refusals(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	disks := func(name string, d vsphere.DiskSettings) vsphere.VMSettings {
		return vsphere.VMSettings{Disks: map[string]vsphere.DiskSettings{name: d}}
	}
	for name, tt := range map[string]struct {
		spec vsphere.CloneSpec
		kind error
		text string
	}{
		"no source":               {vsphere.CloneSpec{TargetName: "x"}, sdk.ErrInvalid, "source_vm"},
		"no name":                 {vsphere.CloneSpec{SourceVM: stockVM}, sdk.ErrInvalid, "target_name"},
		"source gone":             {vsphere.CloneSpec{SourceVM: "/DC0/vm/none", TargetName: "x"}, sdk.ErrNotFound, "/DC0/vm/none"},
		"folder gone":             {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", Folder: "/DC0/vm/none"}, sdk.ErrNotFound, "folder"},
		"linked without snapshot": {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", LinkedClone: true}, sdk.ErrConflict, "no snapshot"},
		"disk shrinks":            {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", VMSettings: disks("scsi0:0", vsphere.DiskSettings{SizeGB: 9})}, sdk.ErrInvalid, "only grows"},
		"new disk without size":   {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", VMSettings: disks("scsi0:5", vsphere.DiskSettings{})}, sdk.ErrInvalid, "needs its size"},
		"bad address":             {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", VMSettings: disks("scsi0:7", vsphere.DiskSettings{SizeGB: 1})}, sdk.ErrInvalid, "scsi0:7"},
		"network gone":            {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", VMSettings: vsphere.VMSettings{NICs: map[string]vsphere.NICSettings{"0": {Network: "none"}}}}, sdk.ErrNotFound, "network"},
		"adapter gap":             {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", VMSettings: vsphere.VMSettings{NICs: map[string]vsphere.NICSettings{"3": {Network: "VM Network"}}}}, sdk.ErrInvalid, "1 adapters"},
		"two datastores":          {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", Datastore: "a", DatastoreCluster: "b"}, sdk.ErrInvalid, "datastore"},
		"no such property":        {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", VMSettings: vsphere.VMSettings{VAppProperties: map[string]string{"a": "b"}}}, sdk.ErrInvalid, "vApp property"},
		"no saved spec":           {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", Customization: &vsphere.Customization{Spec: "none"}}, sdk.ErrNotFound, "none"},
		"interface of no adapter": {vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", Customization: &vsphere.Customization{Linux: &vsphere.LinuxCustomization{}, Interfaces: map[string]vsphere.InterfaceSettings{"4": {}}}}, sdk.ErrInvalid, "1 adapters"},
	} {
		result, err := s.c.Clone(t.Context(), tt.spec, nil)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.text) || result != nil {
			t.Errorf("%s: got %v, want %v with %q", name, err, tt.kind, tt.text)
		}
	}
	if got := s.v.Calls()["CloneVM_Task"]; got != 0 {
		t.Errorf("got %d clones asked for, want none", got)
	}
}

func TestClone_NameTaken(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	_, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: stockVM, TargetName: "DC0_C0_RP0_VM0"}, nil)
	if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), stockVM+" exists") || len(sdk.Hints(err)) == 0 {
		t.Errorf("got %v, want ErrConflict with the path", err)
	}
}

func TestClone_TaskFault(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{FailClone: &types.InsufficientStorageSpace{}}})
	result, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x"}, nil)
	if err == nil || result != nil || !strings.Contains(err.Error(), "Insufficient disk space") {
		t.Errorf("got %v %v, want the task's fault", result, err)
	}
}

func TestClone_FailedPowerOnKeepsTheVM(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{FailPowerOn: &types.InsufficientResourcesFault{}}})
	result, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", PowerOn: true}, nil)
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || result == nil || result.VM.Path != "/DC0/vm/x" || result.VM.PowerState != "poweredOff" {
		t.Errorf("got %v %v, want the VM and a PartialError", result, err)
	}
}

func TestClone_Canceled(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{CloneDelay: time.Minute}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for s.v.Calls()["CloneVM_Task"] == 0 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	result, err := s.c.Clone(ctx, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x"}, nil)
	if !errors.Is(err, context.Canceled) || result != nil || !strings.Contains(err.Error(), "there is no VM") {
		t.Errorf("got %v %v, want a cancellation that left nothing", result, err)
	}
	if _, err := s.c.GetVM(t.Context(), "/DC0/vm/x"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want no VM", err)
	}
	s.v.SetFaults(demo.Faults{})
	s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x"})
}
