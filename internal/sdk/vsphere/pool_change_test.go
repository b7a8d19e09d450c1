package vsphere_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// plainClient is govmomi's own client, for what the SDK has no verb for.
func plainClient(t *testing.T, v *demo.VCenter) *govmomi.Client {
	t.Helper()
	u, err := url.Parse(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(v.Username(), v.Password())
	c, err := govmomi.NewClient(t.Context(), u, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Logout(context.WithoutCancel(t.Context())) })
	return c
}

func update(t *testing.T, c *vsphere.Client, ref string, spec vsphere.UpdateResourcePoolSpec) *vsphere.ResourcePool {
	t.Helper()
	pool, err := c.UpdateResourcePool(t.Context(), ref, spec)
	if err != nil {
		t.Fatal(err)
	}
	return pool
}

func wantPoolError(t *testing.T, err, kind error, words string) {
	t.Helper()
	text := ""
	if err != nil {
		text = strings.Join(append(sdk.Hints(err), err.Error()), "\n")
	}
	if !errors.Is(err, kind) || !strings.Contains(text, words) {
		t.Errorf("got %q, want %v with %q", text, kind, words)
	}
}

func TestCreateResourcePool_CountsItsCalls(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	createPool(t, c, vsphere.ResourcePoolSpec{Name: "first", Parent: cluster})
	before := v.Calls()
	pool := createPool(t, c, vsphere.ResourcePoolSpec{Name: "second", Parent: cluster})
	if n := calls(before, v.Calls()); n != 2 {
		t.Errorf("creating a pool took %d calls, want 2", n)
	}
	before = v.Calls()
	update(t, c, "ResourcePool:"+pool.Ref, vsphere.UpdateResourcePoolSpec{Name: new("third"), CPULimitMHz: types.NewInt64(5), MemoryShares: new("low")})
	if n := calls(before, v.Calls()); n != 2 {
		t.Errorf("changing a pool took %d calls, want 2", n)
	}
	before = v.Calls()
	if err := c.DeleteResourcePool(t.Context(), "ResourcePool:"+pool.Ref, vsphere.RefuseUnlessEmpty); err != nil {
		t.Fatal(err)
	}
	after := v.Calls()
	if after["Destroy_Task"]-before["Destroy_Task"] != 1 || after["RetrievePropertiesEx"]-before["RetrievePropertiesEx"] != 1 {
		t.Errorf("deleting a pool took other calls than one read and one Destroy_Task: %v, then %v", before, after)
	}
}

func TestCreateResourcePool_Refusals(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	createPool(t, c, vsphere.ResourcePoolSpec{Name: "taken", Parent: cluster})
	before := v.Calls()["CreateResourcePool"]
	for words, spec := range map[string]vsphere.ResourcePoolSpec{
		"has no name":                {Name: " "},
		"81 characters":              {Name: strings.Repeat("é", 81)},
		"cannot be negative":         {Name: "a", CPUReservationMHz: -1},
		"use -1 for no limit":        {Name: "a", MemoryLimitMB: types.NewInt64(-2)},
		"below the reservation":      {Name: "a", CPUReservationMHz: 5, CPULimitMHz: types.NewInt64(4)},
		"need a share count":         {Name: "a", MemoryShares: "custom"},
		"goes with custom":           {Name: "a", CPUShares: "low", CPUShareCount: 4},
		"use low, normal":            {Name: "a", CPUShares: "huge"},
		"has to be above 0":          {Name: "a", CPUShares: "custom", CPUShareCount: -4},
		"scale_descendants_shares":   {Name: "a", ScaleDescendantsShares: "on"},
		"it is a Folder, not a reso": {Name: "a", Parent: "/DC0/vm"},
	} {
		_, err := c.CreateResourcePool(t.Context(), spec)
		wantPoolError(t, err, sdk.ErrInvalid, words)
	}
	if n := v.Calls()["CreateResourcePool"]; n != before {
		t.Errorf("%d requests went out that could not be granted", n-before)
	}
	_, err := c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "taken", Parent: cluster})
	wantPoolError(t, err, sdk.ErrConflict, `the name "taken" is taken`)
	_, err = c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "big", Parent: cluster, CPUReservationMHz: 1 << 40})
	wantPoolError(t, err, sdk.ErrConflict, "MHz are unreserved")
	_, err = c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "big", Parent: cluster, MemoryReservationMB: 1 << 40})
	wantPoolError(t, err, sdk.ErrConflict, "MB are unreserved")
	_, err = c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "a", Parent: "/DC0/host/none"})
	wantPoolError(t, err, sdk.ErrNotFound, "/DC0/host exists")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: "a", Parent: cluster})
	wantPoolError(t, err, context.Canceled, "nothing was made")
	if pools, err := c.ListResourcePools(t.Context(), "a"); err != nil || len(pools) != 0 {
		t.Errorf("got %v %v, want none", pools, err)
	}
}

// Whenever the caller gives up, the answer says truly whether there is a pool.
func TestCreateResourcePool_CanceledAtAnyMoment(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{Latency: 20 * time.Millisecond}))
	if _, err := c.GetResourcePool(t.Context(), cluster); err != nil { // so that the next call is the one that makes the pool
		t.Fatal(err)
	}
	for i := range 12 {
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(time.Duration(5*i)*time.Millisecond, cancel)
		name := fmt.Sprint("p", i)
		_, err := c.CreateResourcePool(ctx, vsphere.ResourcePoolSpec{Name: name, Parent: cluster})
		there, lerr := c.ListResourcePools(t.Context(), name)
		if lerr != nil || (err == nil) != (len(there) == 1) {
			t.Errorf("canceled after %d ms: got %v, and %d pools %v", 5*i, err, len(there), lerr)
		}
		timer.Stop()
		cancel()
	}
}

func TestCreateResourcePool_WithoutAParent(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	if got := createPool(t, dial(t, v), vsphere.ResourcePoolSpec{Name: "a"}); got.ParentPath != rootPool {
		t.Errorf("got it in %s, want the only cluster's root pool", got.ParentPath)
	}
	folder, err := find.NewFinder(plainClient(t, v).Client).Folder(t.Context(), "/DC0/host")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := object.NewFolder(plainClient(t, v).Client, folder.Reference()).CreateCluster(t.Context(), "DC0_C1", types.ClusterConfigSpecEx{}); err != nil {
		t.Fatal(err)
	}
	_, err = dial(t, v).CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: "b"})
	wantPoolError(t, err, sdk.ErrInvalid, "/DC0/host/DC0_C0, /DC0/host/DC0_C1")
}

func TestUpdateResourcePool_LeavesWhatIsNotNamed(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	pool := createPool(t, c, vsphere.ResourcePoolSpec{
		Name: "a", Parent: cluster, CPUReservationMHz: 100, CPULimitMHz: types.NewInt64(900), CPUExpandable: types.NewBool(false), CPUShares: "high",
		MemoryReservationMB: 10, MemoryLimitMB: types.NewInt64(90), MemoryShares: "custom", MemoryShareCount: 5,
	})
	want := *pool
	for name, step := range map[string]struct {
		spec  vsphere.UpdateResourcePoolSpec
		apply func()
	}{
		"limit":      {vsphere.UpdateResourcePoolSpec{CPULimitMHz: types.NewInt64(800)}, func() { want.CPULimitMHz = 800 }},
		"expandable": {vsphere.UpdateResourcePoolSpec{MemoryExpandable: types.NewBool(false)}, func() { want.MemoryExpandable = false }},
		"shares":     {vsphere.UpdateResourcePoolSpec{CPUShares: new("low")}, func() { want.CPUShares, want.CPUShareCount = "low", 2000 }},
		"count":      {vsphere.UpdateResourcePoolSpec{MemoryShareCount: types.NewInt32(6)}, func() { want.MemoryShareCount = 6 }},
		"nothing":    {vsphere.UpdateResourcePoolSpec{}, func() {}},
		"name":       {vsphere.UpdateResourcePoolSpec{Name: new("b")}, func() { want.Name, want.Path = "b", rootPool+"/b" }},
	} {
		step.apply()
		if got := update(t, c, pool.Ref, step.spec); *got != withUnreserved(want, got) {
			t.Errorf("%s: got %+v, want %+v", name, *got, want)
		}
	}
	_, err := c.UpdateResourcePool(t.Context(), pool.Ref, vsphere.UpdateResourcePoolSpec{CPULimitMHz: types.NewInt64(50)})
	wantPoolError(t, err, sdk.ErrInvalid, "spec.cpuAllocation")
	_, err = c.UpdateResourcePool(t.Context(), "ResourcePool:resgroup-999", vsphere.UpdateResourcePoolSpec{Name: new("x")})
	wantPoolError(t, err, sdk.ErrNotFound, "resgroup-999")
}

func TestUpdateResourcePool_MovesInTheOrderThatFits(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{}))
	small := createPool(t, c, vsphere.ResourcePoolSpec{Name: "small", Parent: cluster, CPUReservationMHz: 100, CPUExpandable: types.NewBool(false)})
	createPool(t, c, vsphere.ResourcePoolSpec{Name: "a", Parent: small.Path})
	pool := createPool(t, c, vsphere.ResourcePoolSpec{Name: "a", Parent: cluster, CPUReservationMHz: 500})

	got := update(t, c, pool.Path, vsphere.UpdateResourcePoolSpec{Name: new("b"), Parent: &small.Path, CPUReservationMHz: types.NewInt64(50)})
	if got.Path != small.Path+"/b" || got.CPUReservationMHz != 50 {
		t.Errorf("got %+v, want it renamed and lowered, then moved", got)
	}
	if _, err := c.GetResourcePool(t.Context(), pool.Path); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("the old path still leads to a pool: %v", err)
	}
	got = update(t, c, got.Ref, vsphere.UpdateResourcePoolSpec{Name: new("c"), Parent: new(cluster), CPUReservationMHz: types.NewInt64(600)})
	if got.Path != rootPool+"/c" || got.CPUReservationMHz != 600 {
		t.Errorf("got %+v, want it moved, then renamed and raised", got)
	}
	_, err := c.UpdateResourcePool(t.Context(), got.Ref, vsphere.UpdateResourcePoolSpec{Parent: &small.Path})
	wantPoolError(t, err, sdk.ErrConflict, "600 MHz of CPU are asked for")
	_, err = c.UpdateResourcePool(t.Context(), small.Ref, vsphere.UpdateResourcePoolSpec{Parent: new(small.Path + "/a")})
	wantPoolError(t, err, sdk.ErrInvalid, "neither into itself nor below itself")
}

func TestDeleteResourcePool_Policies(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{web(t, "/DC0/vm/web-01")}})
	c := dial(t, v)
	pool := createPool(t, c, vsphere.ResourcePoolSpec{Name: "a", Parent: cluster})
	for _, name := range []string{"x", "y"} {
		createPool(t, c, vsphere.ResourcePoolSpec{Name: name, Parent: pool.Path})
	}
	vm, err := c.GetVM(t.Context(), "web-01")
	if err != nil {
		t.Fatal(err)
	}
	to := object.NewResourcePool(plainClient(t, v).Client, types.ManagedObjectReference{Type: "ResourcePool", Value: pool.Ref})
	task, err := object.NewVirtualMachine(to.Client(), types.ManagedObjectReference{Type: "VirtualMachine", Value: vm.Ref}).
		Relocate(t.Context(), types.VirtualMachineRelocateSpec{Pool: types.NewReference(to.Reference())}, types.VirtualMachineMovePriorityDefaultPriority)
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	wantPoolError(t, c.DeleteResourcePool(t.Context(), pool.Path, vsphere.RefuseUnlessEmpty), sdk.ErrConflict, "it holds the VM web-01 and 2 pools (x, y)")
	wantPoolError(t, c.DeleteResourcePool(t.Context(), pool.Path, "purge"), sdk.ErrInvalid, "use refuse or move_children")
	wantPoolError(t, c.DeleteResourcePool(t.Context(), cluster, vsphere.MoveChildren), sdk.ErrInvalid, "root pool")
	if err := c.DeleteResourcePool(t.Context(), pool.Path, vsphere.MoveChildren); err != nil {
		t.Fatal(err)
	}
	wantPoolError(t, c.DeleteResourcePool(t.Context(), "ResourcePool:"+pool.Ref, vsphere.MoveChildren), sdk.ErrNotFound, pool.Ref)
	pools, err := c.ListResourcePools(t.Context(), "")
	if err != nil || len(pools) != 3 || pools[1].Path != rootPool+"/x" || pools[2].Path != rootPool+"/y" || *pools[0].VMs != 3 {
		t.Errorf("got %+v %v, want x and y beside the VMs in the root pool", pools, err)
	}
}
