package demo

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// amounts are of CPU, in MHz, and of memory, in MB.
type amounts [2]int64

// ledger is who takes what of whom among the pools of one cluster or host, at one moment.
type ledger map[types.ManagedObjectReference]*account

type account struct {
	pool       *simulator.ResourcePool
	parent     types.ManagedObjectReference // none: a root pool
	children   []types.ManagedObjectReference
	reserved   amounts
	limit      amounts
	expandable [2]bool
	used       amounts // by VMs that run in it; with those of child pools once counted
	counted    bool
}

func (x *poolVerbs) ledger(ctx *simulator.Context, owner types.ManagedObjectReference) ledger {
	l := ledger{}
	for _, ref := range x.v.registry.AllReference("ResourcePool") {
		pool, ok := ref.(*simulator.ResourcePool)
		if !ok || pool.Owner != owner {
			continue
		}
		a := &account{pool: pool}
		var vms []types.ManagedObjectReference
		ctx.WithLock(pool, func() {
			a.set(&pool.Config)
			a.children = append(a.children, pool.ResourcePool.ResourcePool...)
			vms = append(vms, pool.Vm...)
			if value(pool.Parent).Type == "ResourcePool" {
				a.parent = *pool.Parent
			}
		})
		for _, vm := range vms {
			a.run(ctx, x.v.registry.Get(vm))
		}
		l[pool.Self] = a
	}
	return l
}

func (a *account) set(config *types.ResourceConfigSpec) {
	for i, info := range []types.ResourceAllocationInfo{config.CpuAllocation, config.MemoryAllocation} {
		a.reserved[i], a.limit[i] = number(info.Reservation, 0), number(info.Limit, noLimit)
		a.expandable[i] = info.ExpandableReservation != nil && *info.ExpandableReservation
	}
}

// run counts what a VM has reserved, if it runs.
func (a *account) run(ctx *simulator.Context, obj mo.Reference) {
	vm, ok := obj.(*simulator.VirtualMachine)
	if !ok {
		return
	}
	ctx.WithLock(vm, func() {
		if vm.Config == nil || vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
			return
		}
		for i, info := range []*types.ResourceAllocationInfo{vm.Config.CpuAllocation, vm.Config.MemoryAllocation} {
			if info != nil {
				a.used[i] += number(info.Reservation, 0)
			}
		}
	})
}

// used is what running VMs and child pools take of a pool. A child takes its reservation, or more where it is expandable and
// has given more away.
func (l ledger) used(ref types.ManagedObjectReference) amounts {
	a := l[ref]
	if a == nil || a.counted {
		return a.total()
	}
	a.counted = true
	for _, child := range a.children {
		below := l.used(child)
		for i := range a.used {
			if c := l[child]; c != nil {
				a.used[i] += max(c.reserved[i], below[i])
			}
		}
	}
	return a.used
}

func (a *account) total() amounts {
	if a == nil {
		return amounts{}
	}
	return a.used
}

// unreserved is what a pool can still give: of its own reservation and, where that is expandable, of its ancestors', within its
// limit.
func (l ledger) unreserved(ref types.ManagedObjectReference) amounts {
	a := l[ref]
	if a == nil {
		return amounts{}
	}
	used, above := l.used(ref), l.unreserved(a.parent)
	var free amounts
	for i := range free {
		free[i] = max(0, a.reserved[i]-used[i])
		if a.expandable[i] {
			free[i] += above[i]
		}
		if l[a.parent] != nil && a.limit[i] != noLimit {
			free[i] = min(free[i], max(0, a.limit[i]-used[i]))
		}
	}
	return free
}

// root is the root pool above a pool.
func (l ledger) root(a *account) *account {
	for l[a.parent] != nil {
		a = l[a.parent]
	}
	return a
}

// admit is the admission control of resource pools ("vSphere Resource Management", "Expandable Reservations Example"): the
// parent must have what the child's new configuration takes of it. child is nil when it is new to the parent.
func (x *poolVerbs) admit(ctx *simulator.Context, parent, child *simulator.ResourcePool, config *types.ResourceConfigSpec) types.BaseMethodFault {
	l, after := x.ledger(ctx, parent.Owner), &account{}
	after.set(config)
	free := l.unreserved(parent.Self)
	for i := range free {
		want, taken := after.reserved[i], int64(0)
		if child != nil {
			used := l.used(child.Self)[i]
			if used > want && !after.expandable[i] {
				return insufficient(i, used, want)
			}
			want, taken = max(want, used), max(l[child.Self].reserved[i], used)
		}
		if want-taken > free[i] {
			return insufficient(i, want, free[i]+taken)
		}
	}
	return nil
}

func insufficient(i int, requested, unreserved int64) types.BaseMethodFault {
	if i == 0 {
		return &types.InsufficientCpuResourcesFault{Requested: requested, Unreserved: unreserved}
	}
	return &types.InsufficientMemoryResourcesFault{Requested: requested << 20, Unreserved: unreserved << 20}
}

// guardAdmission refuses to power on a VM whose pool has nothing left to reserve: each VM needs some memory and CPU for its
// overhead ("vSphere Resource Management", "Resource Pool Admission Control"). A pool that may expand up to the root has.
func (v *VCenter) guardAdmission(ctx *simulator.Context, ref types.ManagedObjectReference) types.BaseMethodFault {
	vm, fault := v.vm(ref)
	if fault != nil {
		return fault
	}
	x := &poolVerbs{v: v}
	var pool *simulator.ResourcePool
	ctx.WithLock(vm, func() { pool = x.pool(value(vm.ResourcePool)) })
	closed := false
	for p := pool; p != nil && x.parent(p) != nil && !closed; p = x.parent(p) {
		ctx.WithLock(p, func() {
			closed = !*p.Config.CpuAllocation.ExpandableReservation || !*p.Config.MemoryAllocation.ExpandableReservation
		})
	}
	if !closed {
		return nil
	}
	for i, free := range x.ledger(ctx, pool.Owner).unreserved(pool.Self) {
		if free < 1 {
			return insufficient(i, 1, 0)
		}
	}
	return nil
}

// settle brings ResourcePool.runtime of all pools of a cluster or host up to date.
func (x *poolVerbs) settle(ctx *simulator.Context, owner types.ManagedObjectReference) {
	l := x.ledger(ctx, owner)
	for ref, a := range l {
		used, free, root := l.used(ref), l.unreserved(ref), l.root(a)
		runtime := a.pool.Runtime
		for i, usage := range []*types.ResourcePoolResourceUsage{&runtime.Cpu, &runtime.Memory} {
			unit := []int64{1, 1 << 20}[i]
			most := a.limit[i]
			if most == noLimit {
				most = root.reserved[i]
			}
			usage.ReservationUsed, usage.MaxUsage = used[i]*unit, most*unit
			usage.UnreservedForPool, usage.UnreservedForVm = free[i]*unit, free[i]*unit
			usage.OverallUsage = min(usage.OverallUsage, usage.MaxUsage)
		}
		if runtime.Cpu != a.pool.Runtime.Cpu || runtime.Memory != a.pool.Runtime.Memory {
			x.update(ctx, a.pool, types.PropertyChange{Name: "runtime", Val: runtime})
		}
	}
}

// settlePools gives each root pool what its hosts have.
func (v *VCenter) settlePools() {
	x, ctx := &poolVerbs{v: v}, backgroundContext(v.model.Service)
	for _, ref := range v.registry.AllReference("ResourcePool") {
		pool, ok := ref.(*simulator.ResourcePool)
		if !ok || x.parent(pool) != nil {
			continue
		}
		config, self, have := copyConfig(pool.Config), pool.Self, v.hostResources(pool.Owner)
		config.Entity, config.ScaleDescendantsShares = &self, scaleDisabled
		for i, info := range []*types.ResourceAllocationInfo{&config.CpuAllocation, &config.MemoryAllocation} {
			info.Reservation, info.Limit = types.NewInt64(have[i]), types.NewInt64(have[i])
		}
		x.update(ctx, pool, types.PropertyChange{Name: "config", Val: config})
		x.settle(ctx, pool.Owner)
	}
}

func (v *VCenter) hostResources(owner types.ManagedObjectReference) amounts {
	var hosts []types.ManagedObjectReference
	switch compute := v.registry.Get(owner).(type) {
	case *simulator.ClusterComputeResource:
		hosts = compute.Host
	case *mo.ComputeResource:
		hosts = compute.Host
	}
	var have amounts
	for _, ref := range hosts {
		if host, ok := v.registry.Get(ref).(*simulator.HostSystem); ok && host.Summary.Hardware != nil {
			have[0] += int64(host.Summary.Hardware.CpuMhz) * int64(host.Summary.Hardware.NumCpuCores)
			have[1] += host.Summary.Hardware.MemorySize >> 20
		}
	}
	return have
}
