package vsphere_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	cluster  = "/DC0/host/DC0_C0"
	rootPool = cluster + "/Resources"
)

func createPool(t testing.TB, c *vsphere.Client, spec vsphere.ResourcePoolSpec) *vsphere.ResourcePool {
	t.Helper()
	pool, err := c.CreateResourcePool(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func TestCreateResourcePool_DefaultsAndValues(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	got := createPool(t, c, vsphere.ResourcePoolSpec{Name: "plain", Parent: cluster})
	want := vsphere.ResourcePool{
		Ref: got.Ref, Name: "plain", Path: rootPool + "/plain", Parent: got.Parent, ParentPath: rootPool, Datacenter: "DC0",
		Owner: cluster, OwnerRef: got.OwnerRef, CPULimitMHz: -1, CPUExpandable: true, CPUShares: "normal", CPUShareCount: 4000,
		MemoryLimitMB: -1, MemoryExpandable: true, MemoryShares: "normal", MemoryShareCount: 163840, ScaleDescendantsShares: "disabled",
		CPUUnreservedMHz: got.CPUUnreservedMHz, MemoryUnreservedMB: got.MemoryUnreservedMB,
	}
	if *got != want || got.Ref == "" || got.Parent == "" || got.CPUUnreservedMHz == 0 {
		t.Errorf("got %+v, want %+v", *got, want)
	}

	got = createPool(t, c, vsphere.ResourcePoolSpec{
		Name: "prod", Parent: got.Path, CPUReservationMHz: 200, CPULimitMHz: types.NewInt64(800), CPUExpandable: types.NewBool(false),
		CPUShares: "high", MemoryReservationMB: 100, MemoryLimitMB: types.NewInt64(0 + 400), MemoryShares: "custom", MemoryShareCount: 77,
		ScaleDescendantsShares: vsphere.ScaleCPUAndMemory,
	})
	if want := (vsphere.Allocation{Reservation: 200, Limit: 800, Shares: "high", ShareCount: 8000}); got.CPU() != want {
		t.Errorf("got CPU %+v, want %+v", got.CPU(), want)
	}
	if want := (vsphere.Allocation{Reservation: 100, Limit: 400, Expandable: true, Shares: "custom", ShareCount: 77}); got.Memory() != want {
		t.Errorf("got memory %+v, want %+v", got.Memory(), want)
	}
	if got.Path != rootPool+"/plain/prod" || got.ScaleDescendantsShares != vsphere.ScaleCPUAndMemory {
		t.Errorf("got %+v", got)
	}
}

func TestResourcePool_EveryReference(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	pool := createPool(t, c, vsphere.ResourcePoolSpec{Name: "a/b 100%", Parent: cluster})
	if want := rootPool + "/a%2fb 100%25"; pool.Name != "a/b 100%" || pool.Path != want {
		t.Errorf("got %q at %q, want it at %q", pool.Name, pool.Path, want)
	}
	for _, ref := range []string{pool.Ref, "ResourcePool:" + pool.Ref, pool.Path, pool.Name} {
		if got, err := c.GetResourcePool(t.Context(), ref); err != nil || *got != *pool {
			t.Errorf("%s: got %+v %v, want %+v", ref, got, err, pool)
		}
	}
	root, err := c.GetResourcePool(t.Context(), cluster)
	if err != nil || root.Path != rootPool || root.Ref != pool.Parent || root.Parent != "" {
		t.Errorf("got %+v %v, want the cluster's root pool", root, err)
	}
	if _, err := c.GetResourcePool(t.Context(), "none"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	if _, err := c.GetResourcePool(t.Context(), "/DC0/vm"); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestGetResourcePool_RememberedAndGone(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c, other := dial(t, v), dial(t, v)
	first := createPool(t, c, vsphere.ResourcePoolSpec{Name: "a", Parent: cluster})
	if _, err := c.GetResourcePool(t.Context(), first.Path); err != nil {
		t.Fatal(err)
	}
	if err := other.DeleteResourcePool(t.Context(), first.Ref, vsphere.RefuseUnlessEmpty); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadResourcePool(t.Context(), first.Ref); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	second := createPool(t, other, vsphere.ResourcePoolSpec{Name: "a", Parent: cluster})
	if got, err := c.GetResourcePool(t.Context(), first.Path); err != nil || got.Ref != second.Ref {
		t.Errorf("got %v %v, want the new pool %s of that name", got, err, second.Ref)
	}
}

func TestListResourcePools_AHundredInThreeCalls(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	for i := range 100 {
		createPool(t, c, vsphere.ResourcePoolSpec{Name: fmt.Sprintf("p%02d", i), Parent: cluster})
	}
	before := v.Calls()
	pools, err := c.ListResourcePools(t.Context(), "")
	if n := calls(before, v.Calls()); err != nil || len(pools) != 101 || n != 3 {
		t.Fatalf("got %d pools in %d calls and %v, want 101 in 3", len(pools), n, err)
	}
	if root := pools[0]; root.Path != rootPool || *root.Pools != 100 || *root.VMs != 2 {
		t.Errorf("got %+v, want the root pool with 100 pools and 2 VMs", root)
	}
	if !slices.IsSortedFunc(pools, func(a, b vsphere.ResourcePool) int { return strings.Compare(a.Path, b.Path) }) {
		t.Error("not sorted by path")
	}
	for pattern, want := range map[string]int{"p0?": 10, rootPool + "/p9*": 10, "none": 0} {
		if got, err := c.ListResourcePools(t.Context(), pattern); err != nil || len(got) != want {
			t.Errorf("%s: got %d pools and %v, want %d", pattern, len(got), err, want)
		}
	}
	if _, err := c.ListResourcePools(t.Context(), "[a"); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// readAll reads pools ten at a time, as Terraform does.
func readAll(t *testing.T, c *vsphere.Client, pools []*vsphere.ResourcePool) []*vsphere.ResourcePool {
	t.Helper()
	got := make([]*vsphere.ResourcePool, len(pools))
	var wg sync.WaitGroup
	work := make(chan int)
	for range 10 {
		wg.Go(func() {
			for i := range work {
				var err error
				if got[i], err = c.ReadResourcePool(t.Context(), pools[i].Ref); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range pools {
		work <- i
	}
	close(work)
	wg.Wait()
	return got
}

func TestReadResourcePool_AHundredInFewCalls(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	var pools []*vsphere.ResourcePool
	for i := range 100 {
		pools = append(pools, createPool(t, c, vsphere.ResourcePoolSpec{Name: fmt.Sprint("p", i), Parent: cluster}))
	}
	reader, before := dial(t, v), v.Calls()
	got := readAll(t, reader, pools)
	if n := calls(before, v.Calls()); n > 8 {
		t.Errorf("read %d pools in %d calls, want at most 8", len(got), n)
	}
	for i, pool := range got {
		if pool == nil || *pool != withUnreserved(*pools[i], pool) {
			t.Fatalf("got %+v, want %+v", pool, pools[i])
		}
	}
	before = v.Calls()
	for _, pool := range pools[:3] { // what came along answers once
		if _, err := reader.ReadResourcePool(t.Context(), pool.Ref); err != nil {
			t.Fatal(err)
		}
	}
	if n := calls(before, v.Calls()); n == 0 {
		t.Error("a second read of the same pools made no call")
	}
}

// withUnreserved is want with the usage of got: that changes with every sibling.
func withUnreserved(want vsphere.ResourcePool, got *vsphere.ResourcePool) vsphere.ResourcePool {
	want.CPUUnreservedMHz, want.MemoryUnreservedMB = got.CPUUnreservedMHz, got.MemoryUnreservedMB
	return want
}

func TestReadResourcePool_OwnChangesAreSeenAtOnce(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c, maker := dial(t, v), dial(t, v)
	var pools []*vsphere.ResourcePool
	for i := range 30 {
		pools = append(pools, createPool(t, maker, vsphere.ResourcePoolSpec{Name: fmt.Sprint("p", i), Parent: cluster}))
	}
	readAll(t, c, pools[:2]) // brings the others along
	last := pools[29].Ref
	if _, err := c.UpdateResourcePool(t.Context(), last, vsphere.UpdateResourcePoolSpec{CPULimitMHz: types.NewInt64(123)}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadResourcePool(t.Context(), last); err != nil || got.CPULimitMHz != 123 {
		t.Errorf("got %+v %v, want the new limit", got, err)
	}
	readAll(t, c, pools[:2])
	if err := c.DeleteResourcePool(t.Context(), last, vsphere.RefuseUnlessEmpty); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadResourcePool(t.Context(), last); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %+v %v, want ErrNotFound", got, err)
	}
}
