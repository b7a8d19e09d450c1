package vsphere_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestPlanPoolUpdate_OnlyWhatDiffers(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	ctx := t.Context()
	if _, err := s.c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "dev", CPUReservationMHz: 500, CPULimitMHz: ptr(int64(4000)), CPUShares: "high"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "home"}); err != nil {
		t.Fatal(err)
	}
	same := vsphere.UpdateResourcePoolSpec{
		Name: ptr("dev"), Parent: ptr("DC0_C0"), CPUReservationMHz: ptr(int64(500)), CPULimitMHz: ptr(int64(4000)), CPUExpandable: ptr(true),
		CPUShares: ptr("high"), MemoryLimitMB: ptr(int64(-1)), MemoryShares: ptr("normal"),
	}
	plan, err := s.c.PlanPoolUpdate(ctx, "dev", same)
	if err != nil || len(plan.Changes) != 0 || plan.Spec != (vsphere.UpdateResourcePoolSpec{}) {
		t.Errorf("got %+v %v, want no change", plan, err)
	}
	other := vsphere.UpdateResourcePoolSpec{
		Parent: ptr("home"), CPULimitMHz: ptr(int64(4000)), CPUShareCount: ptr(int32(77)), MemoryReservationMB: ptr(int64(256)), MemoryShares: ptr("low"),
	}
	plan, err = s.c.PlanPoolUpdate(ctx, "dev", other)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(plan.Changes)
	want := `[{"field":"memory_reservation_mb","before":0,"after":256},{"field":"cpu_shares","before":"high","after":"custom"},` +
		`{"field":"cpu_share_count","before":8000,"after":77},{"field":"memory_shares","before":"normal","after":"low"},` +
		`{"field":"parent_path","before":"/DC0/host/DC0_C0/Resources","after":"/DC0/host/DC0_C0/Resources/home"}]`
	if string(text) != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	if plan.Spec.CPULimitMHz != nil {
		t.Error("the limit that is so already is sent")
	}
	pool, err := s.c.UpdateResourcePool(ctx, plan.Pool.Path, plan.Spec)
	if err != nil || pool.ParentPath != "/DC0/host/DC0_C0/Resources/home" || pool.CPUShareCount != 77 || pool.MemoryReservationMB != 256 || pool.MemoryShares != "low" {
		t.Errorf("got %+v %v", pool, err)
	}
	_, err = s.c.PlanPoolUpdate(ctx, "dev", vsphere.UpdateResourcePoolSpec{CPULimitMHz: ptr(int64(499))})
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "below the reservation of 500 MHz") {
		t.Errorf("a limit below the reservation: got %v", err)
	}
	if _, err = s.c.PlanPoolUpdate(ctx, "none", other); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestListPoolContents(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	ctx := t.Context()
	outer, err := s.c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "outer"})
	if err != nil {
		t.Fatal(err)
	}
	empty, err := s.c.ListPoolContents(ctx, outer.Ref)
	if err != nil || empty.String() != "" {
		t.Errorf("got %+v %v, want nothing", empty, err)
	}
	if _, err := s.c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "in/ner", Parent: "outer"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "a"} {
		s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: name, ResourcePool: "outer"})
	}
	held, err := s.c.ListPoolContents(ctx, outer.Ref)
	if err != nil || held.String() != "2 VMs (a, b) and the pool in/ner" {
		t.Errorf("got %q %v", held, err)
	}
	if _, err := s.c.ListPoolContents(ctx, "resgroup-9999"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func TestPlanResourcePool(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	ctx := t.Context()
	if at, err := s.c.PlanResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "a/b"}); err != nil || at != "/DC0/host/DC0_C0/Resources/a%2fb" {
		t.Errorf("got %q %v", at, err)
	}
	if n := s.v.Calls()["CreateResourcePool"]; n != 0 {
		t.Errorf("%d pools were made", n)
	}
	if _, err := s.c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "a/b"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.PlanResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "a/b", Parent: "DC0_C0"}); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}

func TestListReferences(t *testing.T) {
	s := newCloneScene(t, demo.Options{Datacenters: 2})
	ctx := t.Context()
	for _, parent := range []string{"DC0_C0", "DC1_C0"} {
		for _, name := range []string{"shared", "only " + parent} {
			if _, err := s.c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: name, Parent: parent}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for kind, want := range map[vsphere.Kind][]string{
		vsphere.KindResourcePool: {"/DC0/host/DC0_C0/Resources/shared", "/DC1/host/DC1_C0/Resources/shared", "only DC0_C0", "only DC1_C0"},
		vsphere.KindFolder:       {},
		vsphere.KindCluster:      {"DC0_C0", "DC1_C0"},
	} {
		got, err := s.c.ListReferences(ctx, kind)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q %v, want %q", kind, got, err, want)
		}
		for _, ref := range got {
			if _, err := s.c.Resolve(ctx, kind, ref); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
	}
}
