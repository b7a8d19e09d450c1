package vsphere_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// mirror starts a mirror that has read everything, and waits for its end with the test.
func mirror(t testing.TB, c *vsphere.Client) *vsphere.Mirror {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	m := c.StartMirror(ctx)
	t.Cleanup(func() {
		cancel()
		<-m.Done()
	})
	if _, err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m
}

// listed is what the lists say, in the shape of a snapshot.
func listed(t testing.TB, c *vsphere.Client) map[string]any {
	t.Helper()
	vms, err := c.ListVMs(t.Context(), vsphere.Filter{})
	fatal(t, err)
	hosts, err := c.ListHosts(t.Context(), vsphere.Filter{})
	fatal(t, err)
	clusters, err := c.ListClusters(t.Context(), vsphere.Filter{})
	fatal(t, err)
	datacenters, err := c.ListDatacenters(t.Context(), vsphere.Filter{})
	fatal(t, err)
	pools, err := c.ListResourcePools(t.Context(), "")
	fatal(t, err)
	return map[string]any{"VMs": vms, "hosts": hosts, "clusters": clusters, "datacenters": datacenters, "pools": pools}
}

func mirrored(i *vsphere.Inventory) map[string]any {
	return map[string]any{"VMs": values(i.VMs), "hosts": values(i.Hosts), "clusters": values(i.Clusters), "datacenters": values(i.Datacenters), "pools": values(i.ResourcePools)}
}

func values[T any](rows []*T) []T {
	out := []T{}
	for _, row := range rows {
		out = append(out, *row)
	}
	return out
}

func fatal(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// same waits until the mirror says what the lists say.
func same(t testing.TB, c *vsphere.Client, m *vsphere.Mirror, after string) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		now := m.Snapshot()
		want, got := listed(t, c), mirrored(now)
		if reflect.DeepEqual(want, got) {
			return
		}
		if time.Now().After(deadline) {
			for _, what := range slices.Sorted(maps.Keys(want)) {
				if diff := cmp.Diff(want[what], got[what]); diff != "" {
					t.Errorf("%s:\n%s", what, diff)
				}
			}
			t.Fatalf("after %s, see above: -listed +mirrored", after)
		}
		select {
		case <-now.Changed():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func TestMirror_SaysWhatTheListsSay(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Datacenters: 2, Hosts: 2, VMs: 3, Guests: []demo.Guest{{Path: "/DC0/vm/a%2fb/c"}}})
	c := dial(t, v)
	m := mirror(t, c)
	same(t, c, m, "the first reading")
	w := newWorld(t, v)
	for n := range 200 {
		what := w.change(t, n)
		if n%20 == 19 {
			same(t, c, m, fmt.Sprintf("%d changes, the last %s", n+1, what))
		}
	}
}

// world changes a vCenter at random, over a session of its own.
type world struct {
	*rand.Rand
	vim  *vim25.Client
	view *view.ContainerView
}

func newWorld(t testing.TB, v *demo.VCenter) *world {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := vim(t, v)
	all, err := view.NewManager(c).CreateContainerView(t.Context(), c.ServiceContent.RootFolder, nil, true)
	fatal(t, err)
	return &world{Rand: rand.New(rand.NewPCG(seed, 1)), vim: c, view: all}
}

// change does one thing that may be refused; what it did is in its name.
func (w *world) change(t testing.TB, n int) string {
	ctx := t.Context()
	vm := object.NewVirtualMachine(w.vim, w.any(t, "VirtualMachine"))
	folder := object.NewFolder(w.vim, w.vmFolder(t))
	host := object.NewHostSystem(w.vim, w.any(t, "HostSystem"))
	pool := object.NewResourcePool(w.vim, w.any(t, "ResourcePool"))
	changes := []struct {
		name string
		do   func() (*object.Task, error)
	}{
		{"power on", func() (*object.Task, error) { return vm.PowerOn(ctx) }},
		{"power off", func() (*object.Task, error) { return vm.PowerOff(ctx) }},
		{"suspend", func() (*object.Task, error) { return vm.Suspend(ctx) }},
		{"rename a VM", func() (*object.Task, error) { return vm.Rename(ctx, fmt.Sprintf("vm-%d", n)) }},
		{"reconfigure", func() (*object.Task, error) {
			return vm.Reconfigure(ctx, types.VirtualMachineConfigSpec{NumCPUs: int32(1 + w.IntN(8)), MemoryMB: int64(512 * (1 + w.IntN(8))), Annotation: fmt.Sprint(n)})
		}},
		{"add a disk", func() (*object.Task, error) {
			devices, err := vm.Device(ctx)
			if err != nil {
				return nil, err
			}
			controller, err := devices.FindDiskController("")
			if err != nil {
				return nil, err
			}
			disk := devices.CreateDisk(controller, types.ManagedObjectReference{}, "")
			disk.CapacityInKB = 1024
			return nil, vm.AddDevice(ctx, disk)
		}},
		{"snapshot", func() (*object.Task, error) { return vm.CreateSnapshot(ctx, fmt.Sprintf("s%d", n), "", false, false) }},
		{"remove snapshots", func() (*object.Task, error) { return vm.RemoveAllSnapshot(ctx, nil) }},
		{"clone", func() (*object.Task, error) {
			pool, host := pool.Reference(), host.Reference()
			return vm.Clone(ctx, folder, fmt.Sprintf("clone-%d", n), types.VirtualMachineCloneSpec{Location: types.VirtualMachineRelocateSpec{Pool: &pool, Host: &host}})
		}},
		{"destroy", func() (*object.Task, error) { return vm.Destroy(ctx) }},
		{"move to a folder", func() (*object.Task, error) {
			return folder.MoveInto(ctx, []types.ManagedObjectReference{vm.Reference()})
		}},
		{"relocate", func() (*object.Task, error) {
			host := host.Reference()
			return vm.Relocate(ctx, types.VirtualMachineRelocateSpec{Host: &host}, "")
		}},
		{"move to a pool", func() (*object.Task, error) {
			pool := pool.Reference()
			return vm.Relocate(ctx, types.VirtualMachineRelocateSpec{Pool: &pool}, "")
		}},
		{"mark as template", func() (*object.Task, error) { return nil, vm.MarkAsTemplate(ctx) }},
		{"mark as VM", func() (*object.Task, error) { return nil, vm.MarkAsVirtualMachine(ctx, *pool, nil) }},
		{"make a folder", func() (*object.Task, error) {
			_, err := folder.CreateFolder(ctx, fmt.Sprintf("folder-%d", n))
			return nil, err
		}},
		{"rename a folder", func() (*object.Task, error) { return folder.Rename(ctx, fmt.Sprintf("renamed%%2f%d", n)) }},
		{"move a folder", func() (*object.Task, error) { // to the top, where it is in none of its own
			dc, err := object.NewFolder(w.vim, w.vmFolder(t)).Children(ctx)
			for _, child := range dc {
				if child.Reference().Type == "Folder" {
					folder = object.NewFolder(w.vim, child.Reference())
				}
			}
			if err != nil {
				return nil, err
			}
			return w.top(t).MoveInto(ctx, []types.ManagedObjectReference{folder.Reference()})
		}},
		{"make a pool", func() (*object.Task, error) {
			_, err := pool.Create(ctx, fmt.Sprintf("pool-%d", n), types.DefaultResourceConfigSpec())
			return nil, err
		}},
		{"rename a pool", func() (*object.Task, error) {
			return nil, pool.UpdateConfig(ctx, fmt.Sprintf("pool-renamed-%d", n), nil)
		}},
		{"limit a pool", func() (*object.Task, error) {
			spec := types.DefaultResourceConfigSpec()
			spec.CpuAllocation.Limit = types.NewInt64(int64(1000 + n))
			return nil, pool.UpdateConfig(ctx, "", &spec)
		}},
		{"destroy a pool", func() (*object.Task, error) { return pool.Destroy(ctx) }},
		{"maintenance", func() (*object.Task, error) { return host.EnterMaintenanceMode(ctx, 5, false, nil) }},
		{"no maintenance", func() (*object.Task, error) { return host.ExitMaintenanceMode(ctx, 5) }},
		{"disconnect a host", func() (*object.Task, error) { return host.Disconnect(ctx) }},
		{"reconnect a host", func() (*object.Task, error) { return host.Reconnect(ctx, nil, nil) }},
		{"rename a datacenter", func() (*object.Task, error) {
			return object.NewCommon(w.vim, w.any(t, "Datacenter")).Rename(ctx, fmt.Sprintf("DC-%d", n))
		}},
		{"rename a cluster", func() (*object.Task, error) {
			return object.NewCommon(w.vim, w.any(t, "ClusterComputeResource")).Rename(ctx, fmt.Sprintf("cluster-%d", n))
		}},
	}
	chosen := changes[w.IntN(len(changes))]
	t.Logf("%d %s vm %v folder %v host %v pool %v", n, chosen.name, vm.Reference(), folder.Reference(), host.Reference(), pool.Reference())
	task, err := chosen.do()
	if err == nil && task != nil {
		short, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		if err = task.Wait(short); short.Err() != nil {
			t.Fatalf("%s does not end", chosen.name)
		}
	}
	return fmt.Sprintf("%s (%v)", chosen.name, err)
}

// any is some object of a type.
func (w *world) any(t testing.TB, typ string) types.ManagedObjectReference {
	t.Helper()
	all, err := w.view.Find(t.Context(), []string{typ}, nil)
	fatal(t, err)
	slices.SortFunc(all, func(a, b types.ManagedObjectReference) int { return strings.Compare(a.Value, b.Value) })
	return all[w.IntN(len(all))]
}

// vmFolder is some folder of VMs.
func (w *world) vmFolder(t testing.TB) types.ManagedObjectReference {
	t.Helper()
	for {
		var folder mo.Folder
		ref := w.any(t, "Folder")
		fatal(t, property.DefaultCollector(w.vim).RetrieveOne(t.Context(), ref, []string{"childType"}, &folder))
		if slices.Contains(folder.ChildType, "VirtualMachine") {
			return ref
		}
	}
}

// top is the folder of all VMs of the first datacenter.
func (w *world) top(t testing.TB) *object.Folder {
	t.Helper()
	var dc mo.Datacenter
	all, err := w.view.Find(t.Context(), []string{"Datacenter"}, nil)
	fatal(t, err)
	fatal(t, property.DefaultCollector(w.vim).RetrieveOne(t.Context(), all[0], []string{"vmFolder"}, &dc))
	return object.NewFolder(w.vim, dc.VmFolder)
}
