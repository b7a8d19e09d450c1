package vsphere_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func cloneItems(n int) []vsphere.CloneItem {
	var items []vsphere.CloneItem
	for i := range n {
		items = append(items, vsphere.CloneItem{SourceVM: stockVM, TargetName: fmt.Sprintf("bulk-%02d", i)})
	}
	return items
}

func TestCloneBulk_MakesSkipsAndSays(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	items := cloneItems(3)
	items[1].PowerOn, items[1].WaitForIP = true, true
	first, err := s.c.CloneBulk(t.Context(), vsphere.CloneBulkSpec{Clones: items[:2], MaxConcurrent: 2}, nil)
	if err != nil || first.Succeeded != 2 {
		t.Fatalf("got %+v %v", first, err)
	}
	if o := first.Items[1]; o.Name != "bulk-01" || o.Path != "/DC0/vm/bulk-01" || o.PowerState != "poweredOn" || o.IPAddress == "" || !o.Begun || o.Ref == "" {
		t.Errorf("got %+v, want the VM with its address", o)
	}
	second, err := s.c.CloneBulk(t.Context(), vsphere.CloneBulkSpec{Clones: items}, nil)
	if err != nil || second.Succeeded != 1 || second.Skipped != 2 || second.Items[0].Message != "/DC0/vm/bulk-00 exists" {
		t.Errorf("got %+v %v, want two skipped and one made", second, err)
	}
	want := `{"name":"bulk-00","status":"skipped","message":"/DC0/vm/bulk-00 exists","took_seconds":0,"begun":false,` +
		`"source_vm":"` + stockVM + `","path":"/DC0/vm/bulk-00","power_state":"poweredOff"}`
	second.Items[0].TookSeconds = 0
	if text, err := json.Marshal(second.Items[0]); err != nil || string(text) != want {
		t.Errorf("got %s %v\nwant %s", text, err, want)
	}
}

func TestCloneBulk_OneThatFailsStopsNoOther(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{FailPowerOn: &types.InsufficientResourcesFault{}}})
	items := cloneItems(3)
	items[1].PowerOn = true
	result, err := s.c.CloneBulk(t.Context(), vsphere.CloneBulkSpec{Clones: items, MaxConcurrent: 1}, nil)
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || len(partial.Done) != 2 || partial.Failed["bulk-01"] == nil || result.Succeeded != 2 || result.Failed != 1 {
		t.Fatalf("got %+v %v, want two made and one failed", result, err)
	}
	if o := result.Items[1]; o.Ref == "" || o.PowerState != "poweredOff" {
		t.Errorf("got %+v, want the VM that stays", o)
	}
}

func TestCloneBulk_CallsOfFifty(t *testing.T) {
	s := newCloneScene(t, demo.Options{Latency: 2 * time.Millisecond})
	const n = 50
	items := cloneItems(n)
	for i := range items {
		items[i].Cluster = "DC0_C0"
	}
	before := s.v.Calls()
	if _, err := s.c.CloneBulk(t.Context(), vsphere.CloneBulkSpec{Clones: items, MaxConcurrent: 10}, nil); err != nil {
		t.Fatal(err)
	}
	after := s.v.Calls()
	if got := calls(before, after); got > 6*n {
		t.Errorf("%d calls for %d clones, want at most 6 each: %v", got, n, after)
	} else {
		t.Logf("%d calls for %d clones: %v", got, n, after)
	}
	if got := after["FindChild"] - before["FindChild"]; got != n {
		t.Errorf("%d looks for what exists, want one a clone", got)
	}
}

func TestPlanClones_NothingBeginsWhenOneCannotBe(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	items := cloneItems(4)
	items[1].SourceVM, items[1].Where = "/DC0/vm/none", "clones.yaml:7"
	items[3].Datastore = "none"
	_, err := s.c.CloneBulk(t.Context(), vsphere.CloneBulkSpec{Clones: items}, nil)
	if !errors.Is(err, sdk.ErrNotFound) {
		t.Fatalf("got %v", err)
	}
	for _, words := range []string{"2 of 4 clones cannot be made, and none was begun", "clones.yaml:7 (bulk-01): ", "clone 4 (bulk-03): "} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want %q in it", err, words)
		}
	}
	var at *vsphere.CloneItemError
	if !errors.As(err, &at) || at.Index != 1 || at.Name != "bulk-01" {
		t.Errorf("got %+v, want the second item", at)
	}
	if got := s.v.Calls()["CloneVM_Task"]; got != 0 {
		t.Errorf("%d clones were asked for", got)
	}
}

func TestPlanClones_Refusals(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	refused := func(kind error, words string, items ...vsphere.CloneItem) {
		t.Helper()
		if _, err := s.c.PlanClones(t.Context(), items); !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
			t.Errorf("got %v, want %v with %q", err, kind, words)
		}
	}
	item := func(change func(*vsphere.CloneItem)) vsphere.CloneItem {
		i := vsphere.CloneItem{SourceVM: stockVM, TargetName: "x"}
		change(&i)
		return i
	}
	refused(sdk.ErrInvalid, "no clones are asked for")
	refused(sdk.ErrInvalid, "clone 2 (x): the same VM as clone 1", item(func(*vsphere.CloneItem) {}), item(func(i *vsphere.CloneItem) { i.CPUs = 2 }))
	refused(sdk.ErrInvalid, "clone 2 (x): the same VM as clone 1", item(func(*vsphere.CloneItem) {}), item(func(i *vsphere.CloneItem) { i.Folder = "/DC0/vm" }))
	refused(sdk.ErrInvalid, "wait_for_ip needs power_on", item(func(i *vsphere.CloneItem) { i.WaitForIP = true }))
	refused(sdk.ErrInvalid, "wait_seconds goes with wait_for_ip", item(func(i *vsphere.CloneItem) { i.WaitSeconds = 3 }))
	refused(sdk.ErrInvalid, "a host or a cluster, not both", item(func(i *vsphere.CloneItem) { i.Host, i.Cluster = "a", "b" }))
	refused(sdk.ErrInvalid, "adapter 2's network is empty", item(func(i *vsphere.CloneItem) { i.Networks = []string{"VM Network", ""} }))
	refused(sdk.ErrInvalid, "a character that no name can have", item(func(i *vsphere.CloneItem) { i.TargetName = "red\x1b[31m" }))
	refused(sdk.ErrInvalid, "no target_name", item(func(i *vsphere.CloneItem) { i.TargetName = "" }))
	refused(sdk.ErrNotFound, "cluster", item(func(i *vsphere.CloneItem) { i.Cluster = "none" }))
	refused(sdk.ErrConflict, "no snapshot", item(func(i *vsphere.CloneItem) { i.LinkedClone = true }))
}

func TestPlanClones_SameNameInTwoFolders(t *testing.T) {
	s := newCloneScene(t, demo.Options{Datacenters: 2})
	items := []vsphere.CloneItem{
		{SourceVM: stockVM, TargetName: "twin"},
		{SourceVM: "/DC1/vm/DC1_C0_RP0_VM0", TargetName: "twin"},
	}
	result, err := s.c.CloneBulk(t.Context(), vsphere.CloneBulkSpec{Clones: items}, nil)
	if err != nil || result.Items[0].Name != "/DC0/vm/twin" || result.Items[1].Name != "/DC1/vm/twin" {
		t.Errorf("got %+v %v, want both under their paths", result, err)
	}
}

// TestPlanClones_TemplateTakesTheOnlyClusterOfItsDatacenter: other datacenters have clusters too.
func TestPlanClones_TemplateTakesTheOnlyClusterOfItsDatacenter(t *testing.T) {
	s := newCloneScene(t, demo.Options{Datacenters: 2})
	s.clone(t, vsphere.CloneSpec{SourceVM: "/DC1/vm/DC1_C0_RP0_VM0", TargetName: "golden", Template: true})
	result, err := s.c.CloneOne(t.Context(), vsphere.CloneItem{SourceVM: "golden", TargetName: "x"}, nil)
	if err != nil || result.VM.ResourcePool != "/DC1/host/DC1_C0/Resources" {
		t.Errorf("got %+v %v, want DC1's pool", result, err)
	}
}

func TestCloneOne_WhatExistsIsAConflict(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	item := vsphere.CloneItem{SourceVM: stockVM, TargetName: "x"}
	if _, err := s.c.CloneOne(t.Context(), item, nil); err != nil {
		t.Fatal(err)
	}
	other := dial(t, s.v) // another run of the same words
	result, err := other.CloneOne(t.Context(), item, nil)
	if !errors.Is(err, sdk.ErrConflict) || result != nil || !strings.Contains(strings.Join(sdk.Hints(err), ""), "made by this very clone") {
		t.Errorf("got %+v %v %q", result, err, sdk.Hints(err))
	}
}

func TestCloneOne_NoAddressInTime(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{BootTime: time.Hour}})
	item := vsphere.CloneItem{SourceVM: stockVM, TargetName: "x", PowerOn: true, WaitForIP: true, WaitSeconds: 1}
	result, err := s.c.CloneOne(t.Context(), item, nil)
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || !errors.Is(err, sdk.ErrUnavailable) || result == nil || result.VM.PowerState != "poweredOn" ||
		!strings.Contains(err.Error(), "the guest told no address within 1s") {
		t.Errorf("got %+v %v, want the VM and a PartialError", result, err)
	}
}

func TestCloneBulk_CanceledSaysWhatWasNotBegun(t *testing.T) {
	s := newCloneScene(t, demo.Options{Faults: demo.Faults{CloneDelay: time.Hour}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for s.v.Calls()["CloneVM_Task"] < 2 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	result, err := s.c.CloneBulk(ctx, vsphere.CloneBulkSpec{Clones: cloneItems(5), MaxConcurrent: 2}, nil)
	if !errors.Is(err, context.Canceled) || result.Canceled != 5 {
		t.Fatalf("got %+v %v", result, err)
	}
	begun := 0
	for _, o := range result.Items {
		if o.Begun {
			begun++
			if !strings.Contains(o.Message, "there is no VM") {
				t.Errorf("%s says %q", o.Name, o.Message)
			}
		} else if o.Message != "not begun" {
			t.Errorf("%s says %q", o.Name, o.Message)
		}
	}
	if begun != 2 {
		t.Errorf("%d were begun, want 2", begun)
	}
}
