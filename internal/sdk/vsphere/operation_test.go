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

// operate does an operation on the named VMs and returns what became of each, as "name status: message".
func (s *cloneScene) operate(t *testing.T, op vsphere.VMOperation, names ...string) []string {
	t.Helper()
	return s.items(t, op, s.c.VMItems(op, s.find(t, names...)))
}

// planned is operate's dry run.
func (s *cloneScene) planned(t *testing.T, op vsphere.VMOperation, names ...string) []string {
	t.Helper()
	return s.items(t, op, s.c.PlanVMItems(op, s.find(t, names...)))
}

func (s *cloneScene) find(t *testing.T, names ...string) []vsphere.VMRef {
	t.Helper()
	vms, err := s.c.FindVMs(t.Context(), names)
	if err != nil {
		t.Fatalf("%v; hints %q", err, sdk.Hints(err))
	}
	return vms
}

func (s *cloneScene) items(t *testing.T, op vsphere.VMOperation, items []sdk.BulkItem) []string {
	t.Helper()
	result, _ := sdk.RunBulk(t.Context(), op.Stage(), 3, items, nil)
	var out []string
	for _, o := range result.Items {
		line := o.Name + " " + string(o.Status)
		if o.Message != "" {
			line += ": " + o.Message
		}
		out = append(out, line)
	}
	return out
}

func wantLines(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n  %s\nwant\n  %s", what, strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// toolsGuest is a VM that runs with VMware Tools.
func toolsGuest(path string) demo.Guest { return demo.Guest{Path: path, PoweredOn: true} }

func TestFindVMs(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 2, Guests: []demo.Guest{
		{Path: "/DC0/vm/a/web"}, {Path: "/DC0/vm/b/web"}, {Path: "/DC0/vm/b/web-2"}, {Path: "/DC0/vm/golden"},
	}})
	if err := s.c.MarkAsTemplate(t.Context(), s.vm(t, "golden").Ref); err != nil {
		t.Fatal(err)
	}
	uuid := s.vm(t, "web-2").InstanceUUID
	for _, tt := range []struct {
		names string
		want  string
	}{
		{"DC0_C0_*", "/DC0/vm/DC0_C0_RP0_VM0 /DC0/vm/DC0_C0_RP0_VM1"},
		{"web*", "/DC0/vm/a/web /DC0/vm/b/web /DC0/vm/b/web-2"},
		{"/DC0/vm/b/*", "/DC0/vm/b/web /DC0/vm/b/web-2"},
		{"web-2 DC0_C0_RP0_VM[1] *-2", "/DC0/vm/b/web-2 /DC0/vm/DC0_C0_RP0_VM1"},
		{"/DC0/vm/a/web " + uuid, "/DC0/vm/a/web /DC0/vm/b/web-2"},
		{uuid, "/DC0/vm/b/web-2"},
		{"b/web", "/DC0/vm/b/web"},
		{"b/web golden", "/DC0/vm/b/web /DC0/vm/golden"},
	} {
		var got []string
		for _, vm := range s.find(t, strings.Fields(tt.names)...) {
			got = append(got, vm.Path)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.names, got, tt.want)
		}
	}
	for _, tt := range []struct {
		names string
		kind  error
		words string
	}{
		{"nothing-*", sdk.ErrNotFound, `no VM matches "nothing-*"`},
		{"gold*", sdk.ErrNotFound, "1 templates do"},
		{"web", sdk.ErrInvalid, "/DC0/vm/a/web"},
		{"web web-2", sdk.ErrInvalid, "/DC0/vm/a/web"},
		{"web-2 web-22", sdk.ErrNotFound, "did you mean web-2"},
		{"web[", sdk.ErrInvalid, "not a glob"},
		{"", sdk.ErrInvalid, "no VM named"},
	} {
		_, err := s.c.FindVMs(t.Context(), strings.Fields(tt.names))
		wantError(t, err, tt.kind, tt.words)
	}
}

func TestFindVMs_ManyNamesAreOneList(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 30})
	var names []string
	for _, vm := range s.find(t, "*") {
		names = append(names, vm.Name)
	}
	before := s.v.Calls()
	if got := len(s.find(t, names...)); got != 30 {
		t.Errorf("got %d VMs, want 30", got)
	}
	if got := calls(before, s.v.Calls()); got != 3 {
		t.Errorf("got %d calls, want the view, one retrieve and the view's end", got)
	}
}

func TestVMItems_SnapshotsAndBack(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 2})
	const a, b = "DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1"
	take := vsphere.VMSnapshotSpec{Name: "base", Description: "before"}
	wantLines(t, "dry", s.planned(t, take, a), a+` succeeded: would take snapshot "base"`)
	wantLines(t, "one", s.operate(t, take, a), a+" succeeded")
	wantLines(t, "again and the other", s.operate(t, take, a, b), a+` skipped: it has a snapshot "base" already`, b+" succeeded")
	if got := s.v.Calls()["CreateSnapshot_Task"]; got != 2 {
		t.Errorf("%d snapshots were asked for, want 2", got)
	}
	wantLines(t, "back", s.operate(t, vsphere.VMRevertSpec{Snapshot: "base"}, a, b), a+" succeeded", b+" succeeded")
	if got := s.v.Calls()["RevertToSnapshot_Task"]; got != 2 {
		t.Errorf("%d went back, want 2", got)
	}
	wantLines(t, "back to none", s.operate(t, vsphere.VMRevertSpec{Snapshot: "bass"}, a), a+" failed: no snapshot has that name")
	s.operate(t, vsphere.VMSnapshotSpec{Name: "child"}, b)
	wantLines(t, "remove", s.operate(t, vsphere.VMRemoveSnapshotSpec{Snapshot: "child"}, a, b), a+` skipped: it has no snapshot "child"`, b+" succeeded")
	wantLines(t, "dry all", s.planned(t, vsphere.VMRemoveSnapshotSpec{All: true}, a), a+" succeeded: would remove all 1 snapshots")
	wantLines(t, "all", s.operate(t, vsphere.VMRemoveSnapshotSpec{All: true}, a, b), a+" succeeded", b+" succeeded")
	wantLines(t, "all again", s.operate(t, vsphere.VMRemoveSnapshotSpec{All: true}, a), a+" skipped: it has no snapshot")
}

func TestVMItems_AGuestThatDoesNotObey(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{toolsGuest("/DC0/vm/obeys")}})
	const mute = "DC0_C0_RP0_VM0" // runs without VMware Tools
	down := vsphere.VMPowerSpec{Action: vsphere.ActionShutdown, Timeout: time.Minute}
	wantLines(t, "dry", s.planned(t, down, "obeys"), "obeys succeeded: would shut down the guest and wait up to 1m0s")
	got := s.operate(t, down, "obeys", mute)
	if got[0] != "obeys succeeded" || !strings.HasPrefix(got[1], mute+" failed: VMware Tools cannot take the request") {
		t.Errorf("got %q", got)
	}
	if n := s.v.Calls()["PowerOffVM_Task"]; n != 0 {
		t.Errorf("%d VMs were powered off hard without leave", n)
	}
	down.Force = true
	got = s.operate(t, down, "obeys", mute)
	if got[0] != "obeys skipped: it is poweredOff already" || !strings.HasPrefix(got[1], mute+" succeeded: powered off hard: VMware Tools cannot take the request") {
		t.Errorf("with force: got %q", got)
	}
	wantLines(t, "on", s.operate(t, vsphere.VMPowerSpec{Action: vsphere.ActionOn}, "obeys", mute), "obeys succeeded", mute+" succeeded")
	slow := vsphere.VMPowerSpec{Action: vsphere.ActionShutdown, Timeout: time.Millisecond, Force: true}
	if got := s.operate(t, slow, "obeys"); !strings.HasPrefix(got[0], "obeys succeeded: powered off hard: it is not off after 1ms") {
		t.Errorf("a guest that is too slow: %q", got)
	}
	if vm := s.vm(t, "obeys"); vm.PowerState != "poweredOff" {
		t.Errorf("it is %s", vm.PowerState)
	}
}

func TestVMItems_Delete(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 3, Guests: []demo.Guest{toolsGuest("/DC0/vm/obeys"), {Path: "/DC0/vm/golden"}}})
	if err := s.c.MarkAsTemplate(t.Context(), s.vm(t, "golden").Ref); err != nil {
		t.Fatal(err)
	}
	const a, b, c = "DC0_C0_RP0_VM0", "DC0_C0_RP0_VM1", "DC0_C0_RP0_VM2"
	all := s.find(t, a, b, c, "obeys", "golden")
	plain := vsphere.VMDeleteSpec{}
	wantLines(t, "running", s.operate(t, plain, a, "golden"), a+" failed: it is poweredOn", "golden failed: it is a template")
	if _, err := sdk.RunBulk(t.Context(), "delete", 1, s.c.VMItems(plain, all[:1]), nil); !errors.Is(err, vsphere.ErrRunning) || !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("a running VM: %v, want ErrRunning", err)
	}
	s.operate(t, vsphere.VMPowerSpec{Action: vsphere.ActionOff}, a, b)
	wantLines(t, "dry", s.planned(t, plain, a), a+" succeeded: would delete it with its disks")
	wantLines(t, "off", s.operate(t, plain, a), a+" succeeded")
	wantLines(t, "unregister", s.operate(t, vsphere.VMDeleteSpec{Unregister: true}, b), b+" succeeded")
	soft := vsphere.VMDeleteSpec{PowerOff: vsphere.PowerOffPolicy{ShutdownTimeout: time.Minute}}
	wantLines(t, "soft", s.items(t, soft, s.c.VMItems(soft, all[3:4])), "obeys succeeded")
	hard := vsphere.VMDeleteSpec{PowerOff: vsphere.PowerOffPolicy{ShutdownTimeout: time.Minute, Force: true}}
	got := s.items(t, hard, s.c.VMItems(hard, all[:3]))
	if got[0] != a+" skipped: it is gone already" || got[1] != b+" skipped: it is gone already" ||
		!strings.HasPrefix(got[2], c+" succeeded: powered off hard: VMware Tools") {
		t.Errorf("again, all: %q", got)
	}
	calls := s.v.Calls()
	if calls["Destroy_Task"] != 3 || calls["UnregisterVM"] != 1 || len(s.find(t, "golden")) != 1 {
		t.Errorf("got %v", calls)
	}
	if _, err := s.c.FindVMs(t.Context(), []string{"*"}); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("some are left: %v", err)
	}
}

func TestVMItems_PoolAndNetwork(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{
		{Path: "/DC0/vm/two", NICs: []demo.GuestNIC{{Network: "VM Network"}, {Network: "backup", MAC: "00:50:56:80:01:02"}}},
	}})
	const one = "DC0_C0_RP0_VM0"
	if _, err := s.c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "gold", Parent: "/DC0/host/DC0_C0"}); err != nil {
		t.Fatal(err)
	}
	pool := vsphere.VMPoolSpec{ResourcePool: "gold"}
	wantLines(t, "dry pool", s.planned(t, pool, one), one+" succeeded: would move it from /DC0/host/DC0_C0/Resources to resource pool gold")
	wantLines(t, "pool", s.operate(t, pool, one), one+" succeeded")
	wantLines(t, "pool again", s.operate(t, pool, one, "two"), one+" skipped: it is in /DC0/host/DC0_C0/Resources/gold already", "two succeeded")
	wantLines(t, "no pool", s.operate(t, vsphere.VMPoolSpec{ResourcePool: "gone"}, one), one+` failed: find resource pool "gone": no resource pool has that name`)

	net := vsphere.VMNetworkSpec{Network: "backup"} // a distributed port group
	got := s.operate(t, net, one, "two")
	wantLines(t, "network", got, one+" succeeded", "two failed: it has 2 network adapters")
	if nic := s.vm(t, one).NICs[0]; nic.Network != "backup" {
		t.Errorf("it is on %q", nic.Network)
	}
	net.NIC = "0"
	wantLines(t, "position", s.operate(t, net, one, "two"), one+" skipped: it is on backup already", "two succeeded")
	back := vsphere.VMNetworkSpec{Network: "VM Network", From: "backup", NIC: "00:50:56:80:01:02"}
	wantLines(t, "dry MAC", s.planned(t, back, "two"), "two succeeded: would connect Network adapter 2 to VM Network")
	wantLines(t, "MAC", s.operate(t, back, "two"), "two succeeded")
	wantLines(t, "MAC again", s.operate(t, back, "two"), "two skipped: it has no such adapter on backup")
	wantLines(t, "all from", s.operate(t, vsphere.VMNetworkSpec{Network: "VM Network", From: "backup"}, one, "two"), one+" succeeded", "two succeeded")
	for _, nic := range s.vm(t, "two").NICs {
		if nic.Network != "VM Network" {
			t.Errorf("%s is on %q", nic.Label, nic.Network)
		}
	}
	wantLines(t, "no adapter", s.operate(t, vsphere.VMNetworkSpec{Network: "backup", NIC: "7"}, one), one+` failed: it has no network adapter "7"`)
}

func TestVMOperation_RefusesWhatCannotBeMeant(t *testing.T) {
	for _, tt := range []struct {
		op    vsphere.VMOperation
		words string
	}{
		{vsphere.VMSnapshotSpec{}, "the snapshot has no name"},
		{vsphere.VMSnapshotSpec{Name: "x", Memory: true, Quiesce: true}, "exclude each other"},
		{vsphere.VMRevertSpec{}, "no snapshot named"},
		{vsphere.VMRemoveSnapshotSpec{}, "no snapshot named"},
		{vsphere.VMRemoveSnapshotSpec{Snapshot: "x", All: true}, "choose"},
		{vsphere.VMPowerSpec{Action: "explode"}, "no power action"},
		{vsphere.VMPowerSpec{Action: vsphere.ActionReset, Force: true}, "force says nothing"},
		{vsphere.VMPowerSpec{Action: vsphere.ActionOn, Timeout: -1}, "no time to wait"},
		{vsphere.VMDeleteSpec{PowerOff: vsphere.PowerOffPolicy{ShutdownTimeout: -1}}, "no time to wait"},
		{vsphere.VMPoolSpec{}, "no resource pool"},
		{vsphere.VMNetworkSpec{}, "no network"},
	} {
		wantError(t, tt.op.Validate(), sdk.ErrInvalid, tt.words)
	}
}

func TestVMItems_CancelLeavesTheRest(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 3})
	ctx, cancel := context.WithCancel(t.Context())
	op := vsphere.VMSnapshotSpec{Name: "base"}
	items := s.c.VMItems(op, s.find(t, "*"))
	result, err := sdk.RunBulk(ctx, op.Stage(), 1, items, func(p sdk.Progress) {
		if p.Status == sdk.Succeeded {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || result.Succeeded != 1 || result.Canceled != 2 {
		t.Errorf("got %v and %+v, want one done and two not begun", err, result)
	}
	if n := s.v.Calls()["CreateSnapshot_Task"]; n != 1 {
		t.Errorf("%d snapshots were asked for, want 1", n)
	}
}
