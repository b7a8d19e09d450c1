package vsphere_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const runningVM = "/DC0/vm/DC0_C0_RP0_VM0"

func newSnapshots(t *testing.T) (*demo.VCenter, *vsphere.Client) {
	t.Helper()
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	return v, dial(t, v)
}

func take(t *testing.T, c *vsphere.Client, spec vsphere.SnapshotSpec) *vsphere.Snapshot {
	t.Helper()
	if spec.VM == "" {
		spec.VM = runningVM
	}
	made, _, err := c.CreateSnapshot(t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func wantError(t *testing.T, err, kind error, words string) {
	t.Helper()
	text := ""
	if err != nil {
		text = err.Error() + " " + strings.Join(sdk.Hints(err), " ")
	}
	if !errors.Is(err, kind) || !strings.Contains(text, words) {
		t.Errorf("got %q, want %v that says %q", text, kind, words)
	}
}

func TestSnapshot_TakenAndFoundByEveryReference(t *testing.T) {
	_, c := newSnapshots(t)
	root := take(t, c, vsphere.SnapshotSpec{Name: "root", Description: "first"})
	child := take(t, c, vsphere.SnapshotSpec{Name: "11/25", Memory: true})
	if root.Description != "first" || !root.Current || root.Parent != "" || root.Memory {
		t.Errorf("got %+v, want the first and current one", root)
	}
	if child.Path != "root/11%2f25" || child.Parent != root.Ref || !child.Memory || child.Created.IsZero() {
		t.Errorf("got %+v, want the one below root, with memory", child)
	}
	for _, ref := range []string{child.Ref, "VirtualMachineSnapshot:" + child.Ref, "11/25", "root/11%2f25", "/root/11%2f25"} {
		got, err := c.GetSnapshot(t.Context(), runningVM, ref)
		if err != nil || got.Ref != child.Ref {
			t.Errorf("%s: got %v and %v, want %s", ref, got, err, child.Ref)
		}
	}
	if vm, err := c.VMOfSnapshot(t.Context(), child.Ref); err != nil || !strings.HasPrefix(vm, "vm-") {
		t.Errorf("got VM %q and %v", vm, err)
	}
	_, err := c.GetSnapshot(t.Context(), runningVM, "rot")
	wantError(t, err, sdk.ErrNotFound, "did you mean root?")
}

func TestSnapshot_RefusalsOfTake(t *testing.T) {
	_, c := newSnapshots(t)
	take(t, c, vsphere.SnapshotSpec{Name: "one"})
	for name, tc := range map[string]struct {
		spec  vsphere.SnapshotSpec
		kind  error
		words string
	}{
		"name taken":         {vsphere.SnapshotSpec{VM: runningVM, Name: "one"}, sdk.ErrConflict, "import it as " + runningVM + "#snapshot-"},
		"no such VM":         {vsphere.SnapshotSpec{VM: "none", Name: "one"}, sdk.ErrNotFound, "no VM has that name"},
		"memory and quiesce": {vsphere.SnapshotSpec{VM: runningVM, Name: "x", Memory: true, Quiesce: true}, sdk.ErrInvalid, "exclude"},
		"no name":            {vsphere.SnapshotSpec{VM: runningVM}, sdk.ErrInvalid, "no name"},
		"no VM":              {vsphere.SnapshotSpec{Name: "x"}, sdk.ErrInvalid, "no VM"},
		"without tools":      {vsphere.SnapshotSpec{VM: runningVM, Name: "x", Quiesce: true}, sdk.ErrConflict, "without quiesce"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := c.CreateSnapshot(t.Context(), tc.spec, nil)
			wantError(t, err, tc.kind, tc.words)
		})
	}
}

func TestSnapshot_ChangedRevertedRemoved(t *testing.T) {
	_, c := newSnapshots(t)
	root := take(t, c, vsphere.SnapshotSpec{Name: "root", Memory: true})
	child := take(t, c, vsphere.SnapshotSpec{Name: "child"})
	name, text := "renamed", "why"
	if err := c.UpdateSnapshot(t.Context(), runningVM, child.Ref, vsphere.SnapshotUpdate{Name: &name, Description: &text}); err != nil {
		t.Fatal(err)
	}
	got, err := c.GetSnapshot(t.Context(), runningVM, name)
	if err != nil || got.Ref != child.Ref || got.Description != text {
		t.Errorf("got %+v and %v, want it renamed and described", got, err)
	}
	taken := "root"
	err = c.UpdateSnapshot(t.Context(), runningVM, child.Ref, vsphere.SnapshotUpdate{Name: &taken})
	wantError(t, err, sdk.ErrConflict, "of that name already")
	if err := c.UpdateSnapshot(t.Context(), runningVM, child.Ref, vsphere.SnapshotUpdate{}); err != nil {
		t.Errorf("no change: %v", err)
	}

	power := func(want string) {
		t.Helper()
		vm, err := c.GetVM(t.Context(), runningVM)
		if err != nil || vm.PowerState != want {
			t.Errorf("got %v and %v, want %s", vm.PowerState, err, want)
		}
	}
	for _, tc := range []struct {
		to       string
		suppress bool
		want     string
	}{{name, false, "poweredOff"}, {"root", false, "poweredOn"}, {"root", true, "poweredOff"}} {
		if err := c.RevertSnapshot(t.Context(), vsphere.RevertSpec{VM: runningVM, Snapshot: tc.to, SuppressPowerOn: tc.suppress}, nil); err != nil {
			t.Fatal(err)
		}
		power(tc.want)
	}
	err = c.RevertSnapshot(t.Context(), vsphere.RevertSpec{VM: runningVM, Snapshot: "none"}, nil)
	wantError(t, err, sdk.ErrNotFound, "no snapshot has that name")

	list, err := c.ListSnapshots(t.Context(), runningVM)
	if err != nil || len(list.Snapshots) != 2 {
		t.Fatalf("got %+v and %v, want two", list, err)
	}
	for range 2 { // the second time they are gone, which is fine
		if _, err := c.RemoveSnapshot(t.Context(), list.VM, root.Ref, true, nil); err != nil {
			t.Fatal(err)
		}
	}
	if list, err = c.ReadSnapshots(t.Context(), list.VM); err != nil || len(list.Snapshots) != 0 {
		t.Errorf("got %+v and %v, want none", list, err)
	}
}

func TestSnapshot_AmbiguousNamesAreRefusedWithTheCandidates(t *testing.T) {
	v, c := newSnapshots(t)
	first := take(t, c, vsphere.SnapshotSpec{Name: "twin"})
	second := take(t, c, vsphere.SnapshotSpec{Name: "other"})
	other := plainClient(t, v)
	_, err := methods.RenameSnapshot(t.Context(), other.Client, &types.RenameSnapshot{
		This: types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: second.Ref}, Name: "twin",
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.GetSnapshot(t.Context(), runningVM, "twin")
	wantError(t, err, sdk.ErrInvalid, "twin ("+first.Ref+"), twin/twin ("+second.Ref+")")
	for ref, want := range map[string]string{"/twin": first.Ref, "twin/twin": second.Ref, second.Ref: second.Ref} {
		got, err := c.GetSnapshot(t.Context(), runningVM, ref)
		if err != nil || got.Ref != want {
			t.Errorf("%s: got %v and %v, want %s", ref, got, err, want)
		}
	}
}

func TestSnapshot_ConsolidationIsToldOf(t *testing.T) {
	v, c := newSnapshots(t)
	made := take(t, c, vsphere.SnapshotSpec{Name: "held"})
	vm, err := c.VMOfSnapshot(t.Context(), made.Ref)
	if err != nil {
		t.Fatal(err)
	}
	v.SetFaults(demo.Faults{LeaveDeltas: true})
	if needed, err := c.RemoveSnapshot(t.Context(), vm, made.Ref, false, nil); err != nil || !needed {
		t.Errorf("got %v and %v, want that the disks need consolidation", needed, err)
	}
}

func TestSnapshot_CanceledCallStillAnswersForWhatWasMade(t *testing.T) {
	v, c := newSnapshots(t)
	vm, err := c.GetVM(t.Context(), runningVM)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { // once vCenter has begun
		for v.Calls()["CreateSnapshot_Task"] == 0 && t.Context().Err() == nil {
			continue
		}
		cancel()
	}()
	made, _, err := c.CreateSnapshot(ctx, vsphere.SnapshotSpec{VM: vm.Ref, Name: "late"}, nil)
	list, listErr := c.ListSnapshots(t.Context(), vm.Ref)
	if listErr != nil {
		t.Fatal(listErr)
	}
	if there := len(list.Snapshots) == 1; there != (made != nil) {
		t.Errorf("got %v and %v with %d snapshots: the answer and what is there differ", made, err, len(list.Snapshots))
	}
}

func TestSnapshot_ReadsShareACall(t *testing.T) {
	v, c := newSnapshots(t)
	vm, err := c.GetVM(t.Context(), runningVM)
	if err != nil {
		t.Fatal(err)
	}
	before := v.Calls()["RetrievePropertiesEx"]
	done := make(chan error, 50)
	for range cap(done) {
		go func() {
			_, err := c.ReadSnapshots(t.Context(), vm.Ref)
			done <- err
		}()
	}
	for range cap(done) {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := v.Calls()["RetrievePropertiesEx"] - before; n > 5 {
		t.Errorf("50 reads at once made %d calls, want a few", n)
	}
}
