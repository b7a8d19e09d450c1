package demo_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// pools is a vCenter with plain govmomi at its root pool.
type pools struct {
	t    *testing.T
	c    *govmomi.Client
	root *object.ResourcePool
}

func newPools(t *testing.T, opts demo.Options) *pools {
	t.Helper()
	c := login(t, rig.VCenter(t, opts))
	root, err := find.NewFinder(c.Client).ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	return &pools{t, c, root}
}

// spec is complete; edit changes it.
func poolSpec(edit func(*types.ResourceConfigSpec)) types.ResourceConfigSpec {
	half := func() types.ResourceAllocationInfo {
		return types.ResourceAllocationInfo{
			Reservation: types.NewInt64(0), Limit: types.NewInt64(-1), ExpandableReservation: types.NewBool(true),
			Shares: &types.SharesInfo{Level: types.SharesLevelNormal},
		}
	}
	spec := types.ResourceConfigSpec{CpuAllocation: half(), MemoryAllocation: half()}
	if edit != nil {
		edit(&spec)
	}
	return spec
}

func fixed(reservation int64) func(*types.ResourceConfigSpec) {
	return func(s *types.ResourceConfigSpec) {
		s.CpuAllocation.Reservation, s.CpuAllocation.ExpandableReservation = &reservation, types.NewBool(false)
	}
}

func reserve(mhz int64) func(*types.ResourceConfigSpec) {
	return func(s *types.ResourceConfigSpec) { s.CpuAllocation.Reservation = &mhz }
}

func (p *pools) create(parent *object.ResourcePool, name string, edit func(*types.ResourceConfigSpec)) *object.ResourcePool {
	p.t.Helper()
	pool, err := parent.Create(p.t.Context(), name, poolSpec(edit))
	if err != nil {
		p.t.Fatal(err)
	}
	return pool
}

func (p *pools) get(pool *object.ResourcePool) mo.ResourcePool {
	p.t.Helper()
	var m mo.ResourcePool
	if err := property.DefaultCollector(p.c.Client).RetrieveOne(p.t.Context(), pool.Reference(), nil, &m); err != nil {
		p.t.Fatal(err)
	}
	return m
}

func (p *pools) move(to *object.ResourcePool, list ...types.ManagedObjectReference) error {
	_, err := methods.MoveIntoResourcePool(p.t.Context(), p.c.Client, &types.MoveIntoResourcePool{This: to.Reference(), List: list})
	return err
}

func TestPools_RootHasWhatItsHostsHave(t *testing.T) {
	p := newPools(t, demo.Options{Hosts: 2})
	hosts, err := find.NewFinder(p.c.Client).HostSystemList(t.Context(), "/DC0/host/DC0_C0/*")
	if err != nil {
		t.Fatal(err)
	}
	var mhz, mb int64
	for _, h := range hosts {
		var m mo.HostSystem
		if err := h.Properties(t.Context(), h.Reference(), []string{"summary.hardware"}, &m); err != nil {
			t.Fatal(err)
		}
		mhz += int64(m.Summary.Hardware.CpuMhz) * int64(m.Summary.Hardware.NumCpuCores)
		mb += m.Summary.Hardware.MemorySize >> 20
	}
	root := p.get(p.root)
	if *root.Config.CpuAllocation.Reservation != mhz || *root.Config.MemoryAllocation.Limit != mb || root.Runtime.Cpu.UnreservedForPool != mhz {
		t.Errorf("got %+v and %+v, want %d MHz and %d MB", root.Config, root.Runtime, mhz, mb)
	}
}

func TestPools_SharesHaveNumbers(t *testing.T) {
	p := newPools(t, demo.Options{})
	for level, want := range map[types.SharesLevel][2]int32{"low": {2000, 81920}, "normal": {4000, 163840}, "high": {8000, 327680}, "custom": {7, 7}} {
		pool := p.get(p.create(p.root, string(level), func(s *types.ResourceConfigSpec) {
			s.CpuAllocation.Shares, s.MemoryAllocation.Shares = &types.SharesInfo{Level: level, Shares: 7}, &types.SharesInfo{Level: level, Shares: 7}
		}))
		got := [2]int32{pool.Config.CpuAllocation.Shares.Shares, pool.Config.MemoryAllocation.Shares.Shares}
		if got != want || pool.Config.CpuAllocation.Shares.Level != level {
			t.Errorf("%s: got %v, want %v", level, got, want)
		}
	}
}

func TestPools_Refusals(t *testing.T) {
	p := newPools(t, demo.Options{})
	taken := p.create(p.root, "taken", nil)
	create := func(name string, edit func(*types.ResourceConfigSpec)) error {
		_, err := p.root.Create(t.Context(), name, poolSpec(edit))
		return err
	}
	wantFault[*types.DuplicateName](t, create("taken", nil))
	wantFault[*types.InvalidName](t, create("", nil))
	wantFault[*types.InvalidName](t, create(strings.Repeat("x", 81), nil))
	wantFault[*types.InvalidArgument](t, create("a", func(s *types.ResourceConfigSpec) { s.CpuAllocation.Limit = nil }))
	wantFault[*types.InvalidArgument](t, create("a", func(s *types.ResourceConfigSpec) { s.MemoryAllocation.Reservation = types.NewInt64(-1) }))
	wantFault[*types.InvalidArgument](t, create("a", func(s *types.ResourceConfigSpec) { s.CpuAllocation.OverheadLimit = types.NewInt64(1) }))
	wantFault[*types.InvalidArgument](t, create("a", func(s *types.ResourceConfigSpec) {
		s.CpuAllocation.Reservation, s.CpuAllocation.Limit = types.NewInt64(5), types.NewInt64(4)
	}))
	wantFault[*types.InsufficientCpuResourcesFault](t, create("a", reserve(1<<40)))
	wantFault[*types.InsufficientMemoryResourcesFault](t, create("a", func(s *types.ResourceConfigSpec) { s.MemoryAllocation.Reservation = types.NewInt64(1 << 30) }))
	other := p.create(p.root, "other", nil)
	wantFault[*types.DuplicateName](t, other.UpdateConfig(t.Context(), "taken", nil))
	wantFault[*types.InvalidName](t, other.UpdateConfig(t.Context(), strings.Repeat("x", 81), nil))
	wantFault[*types.ConcurrentAccess](t, other.UpdateConfig(t.Context(), "", &types.ResourceConfigSpec{ChangeVersion: "99"}))
	wantFault[*types.InvalidArgument](t, p.move(taken, p.root.Reference()))
	wantFault[*types.InvalidArgument](t, p.move(taken, taken.Reference()))
	wantFault[*types.ManagedObjectNotFound](t, p.move(taken, types.ManagedObjectReference{Type: "ResourcePool", Value: "resgroup-999"}))
	task, err := p.root.Destroy(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantFault[*types.InvalidArgument](t, task.Wait(t.Context()))
}

func TestPools_ExpandableReservation(t *testing.T) {
	p := newPools(t, demo.Options{})
	closed := p.create(p.root, "closed", fixed(100))
	open := p.create(p.root, "open", reserve(100))
	if _, err := closed.Create(t.Context(), "a", poolSpec(reserve(101))); err == nil {
		t.Error("a fixed reservation of 100 MHz gave 101")
	}
	a := p.create(closed, "a", reserve(60))
	if _, err := closed.Create(t.Context(), "b", poolSpec(reserve(50))); err == nil {
		t.Error("a fixed reservation of 100 MHz gave 60 and 50")
	}
	wantFault[*types.InsufficientCpuResourcesFault](t, closed.UpdateConfig(t.Context(), "", &types.ResourceConfigSpec{
		CpuAllocation: types.ResourceAllocationInfo{Reservation: types.NewInt64(50)},
	}))
	before := p.get(p.root).Runtime.Cpu.UnreservedForPool
	p.create(open, "a", reserve(150)) // 50 of it are the root's
	if got := p.get(p.root).Runtime.Cpu; got.UnreservedForPool != before-50 || got.ReservationUsed != 250 {
		t.Errorf("got %+v, want 50 MHz less than %d and 250 used", got, before)
	}
	// Expandable can be switched, which the simulator forgets.
	wantFault[*types.InsufficientCpuResourcesFault](t, open.UpdateConfig(t.Context(), "", &types.ResourceConfigSpec{
		CpuAllocation: types.ResourceAllocationInfo{ExpandableReservation: types.NewBool(false)},
	}))
	err := closed.UpdateConfig(t.Context(), "", &types.ResourceConfigSpec{CpuAllocation: types.ResourceAllocationInfo{ExpandableReservation: types.NewBool(true)}})
	if got := p.get(closed).Config.CpuAllocation; err != nil || !*got.ExpandableReservation || *got.Reservation != 100 {
		t.Errorf("got %+v %v, want it expandable and all else as it was", got, err)
	}
	wantFault[*types.DuplicateName](t, p.move(open, a.Reference()))
}

func TestPools_ScaleDescendantsShares(t *testing.T) {
	p := newPools(t, demo.Options{})
	scaling := p.create(p.root, "a", func(s *types.ResourceConfigSpec) { s.ScaleDescendantsShares = "scaleCpuAndMemoryShares" })
	below := p.create(scaling, "b", nil)
	if got := p.get(below).Config.ScaleDescendantsShares; got != "disabled" {
		t.Errorf("got %q, want disabled", got)
	}
	wantFault[*types.InvalidArgument](t, below.UpdateConfig(t.Context(), "", &types.ResourceConfigSpec{ScaleDescendantsShares: "scaleCpuAndMemoryShares"}))
	wantFault[*types.InvalidArgument](t, scaling.UpdateConfig(t.Context(), "", &types.ResourceConfigSpec{ScaleDescendantsShares: "both"}))
}

func TestPools_MovesPoolsAndVMs(t *testing.T) {
	p := newPools(t, demo.Options{VMs: 2})
	vms, err := find.NewFinder(p.c.Client).VirtualMachineList(t.Context(), "/DC0/vm/*")
	if err != nil {
		t.Fatal(err)
	}
	a, b := p.create(p.root, "a", nil), p.create(p.root, "b", nil)
	child := p.create(a, "child", nil)
	vm := vms[0].Reference()
	if err := p.move(b, child.Reference(), vm); err != nil {
		t.Fatal(err)
	}
	if got := p.get(a).ResourcePool; len(got) != 0 {
		t.Errorf("the old parent still has %v", got)
	}
	if got := p.get(b); !slices.Contains(got.ResourcePool, child.Reference()) || !slices.Equal(got.Vm, []types.ManagedObjectReference{vm}) {
		t.Errorf("got %v and %v, want both in the new parent", got.ResourcePool, got.Vm)
	}
	if got := properties(t, p.c, vm, "resourcePool").ResourcePool; *got != b.Reference() || slices.Contains(p.get(p.root).Vm, vm) {
		t.Errorf("the VM is in %v", got)
	}
	if got := p.get(child).Parent; *got != b.Reference() {
		t.Errorf("the pool's parent is %v", got)
	}
	wantFault[*types.InvalidArgument](t, p.move(child, b.Reference()))

	to := a.Reference()
	task, err := vms[0].Relocate(t.Context(), types.VirtualMachineRelocateSpec{Pool: &to}, types.VirtualMachineMovePriorityDefaultPriority)
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := p.get(a).Vm; !slices.Equal(got, []types.ManagedObjectReference{vm}) || len(p.get(b).Vm) != 0 {
		t.Errorf("after Relocate the pools list %v and %v", got, p.get(b).Vm)
	}
	p.destroy(b)
	p.destroy(a)
	if got := p.get(p.root); !slices.Contains(got.Vm, vm) || !slices.Equal(got.ResourcePool, []types.ManagedObjectReference{child.Reference()}) {
		t.Errorf("after both pools went their parent has %v and %v", got.Vm, got.ResourcePool)
	}
}

func (p *pools) destroy(pool *object.ResourcePool) {
	p.t.Helper()
	task, err := pool.Destroy(p.t.Context())
	if err == nil {
		err = task.Wait(p.t.Context())
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestPools_ChangesArePushed(t *testing.T) {
	p := newPools(t, demo.Options{})
	pool := p.create(p.root, "a", nil)
	collector, err := property.DefaultCollector(p.c.Client).Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = methods.CreateFilter(t.Context(), p.c.Client, &types.CreateFilter{This: collector.Reference(), Spec: types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: pool.Reference()}},
		PropSet:   []types.PropertySpec{{Type: "ResourcePool", PathSet: []string{"name", "config", "parent", "vm"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	version := ""
	next := func() []string {
		t.Helper()
		res, err := methods.WaitForUpdatesEx(t.Context(), p.c.Client, &types.WaitForUpdatesEx{
			This: collector.Reference(), Version: version, Options: &types.WaitOptions{MaxWaitSeconds: types.NewInt32(20)},
		})
		if err != nil || res.Returnval == nil {
			t.Fatalf("got %v %v, want an update", res, err)
		}
		version = res.Returnval.Version
		var names []string
		for _, o := range res.Returnval.FilterSet[0].ObjectSet {
			for _, c := range o.ChangeSet {
				names = append(names, c.Name)
			}
		}
		return names
	}
	next()
	if err := pool.UpdateConfig(t.Context(), "b", &types.ResourceConfigSpec{CpuAllocation: types.ResourceAllocationInfo{Limit: types.NewInt64(5)}}); err != nil {
		t.Fatal(err)
	}
	if got := next(); !slices.Contains(got, "name") || !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "config") }) {
		t.Errorf("an update pushed %v", got)
	}
	if err := p.move(p.create(p.root, "to", nil), pool.Reference()); err != nil {
		t.Fatal(err)
	}
	if got := next(); !slices.Contains(got, "parent") {
		t.Errorf("a move pushed %v", got)
	}
}

func TestPools_NothingReservedAdmitsNoVM(t *testing.T) {
	p := newPools(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}})
	vm := findVM(t, p.c, webPath)
	pool := p.create(p.create(p.root, "a", fixed(0)), "b", nil)
	if err := p.move(pool, vm.Reference()); err != nil {
		t.Fatal(err)
	}
	on := func() error {
		task, err := vm.PowerOn(t.Context())
		if err != nil {
			return err
		}
		return task.Wait(t.Context())
	}
	wantFault[*types.InsufficientCpuResourcesFault](t, on())
	if err := p.move(p.root, vm.Reference()); err != nil {
		t.Fatal(err)
	}
	if err := on(); err != nil {
		t.Errorf("in the root pool: %v", err)
	}
}
