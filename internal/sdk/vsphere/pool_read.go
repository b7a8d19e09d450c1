package vsphere

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// aheadFor is how long a pool that was read along with its siblings answers for itself.
const aheadFor = 10 * time.Second

// poolAncestors selects the chain of parents of a pool. A vApp's parent is a pool too, beside its folder.
func poolAncestors() types.BaseSelectionSpec {
	return traversal("parent", "ManagedEntity", "parent", &types.SelectionSpec{Name: "parent"})
}

// poolProps are the properties of pools and of what lies above them. What a pool holds is more: the root pool may list ten
// thousand VMs, and it lies above every pool.
func poolProps(more ...string) []types.PropertySpec {
	return []types.PropertySpec{
		{Type: "Folder", PathSet: []string{"name", "parent"}},
		{Type: "Datacenter", PathSet: []string{"name", "parent"}},
		{Type: "ComputeResource", PathSet: []string{"name", "parent"}},
		{Type: "ResourcePool", PathSet: poolRowProps(more...)},
	}
}

// poolRowProps are the properties that a ResourcePool is made of.
func poolRowProps(more ...string) []string {
	return append([]string{"name", "parent", "owner", "config", "runtime"}, more...)
}

// poolShape is all of a pool in one call. Pools that are read together bring their siblings along: who reads two of a
// hundred is about to read the others.
func poolShape(ahead *poolsAhead) shape {
	return shape{
		around:  []types.BaseSelectionSpec{poolAncestors()},
		company: ahead.siblings,
		props:   poolProps(),
		came:    ahead.keep,
	}
}

// readPool reads a pool; reads that come together share a call.
func (c *Client) readPool(ctx context.Context, ref types.ManagedObjectReference) (*ResourcePool, error) {
	content, err := c.poolContent(ctx, ref)
	if err != nil {
		return nil, err
	}
	object, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	return newResourcePool(object, newTree(content))
}

func (c *Client) poolContent(ctx context.Context, ref types.ManagedObjectReference) ([]types.ObjectContent, error) {
	if content, ok := c.ahead.take(ref, time.Now()); ok {
		return content, nil
	}
	return c.pools.get(ctx, ref)
}

// ReadPoolChain reads the pool with exactly this managed object id and, after it, its ancestors up to the root pool, in one call.
// A vApp among them ends the chain: it gives by rules of its own.
func (c *Client) ReadPoolChain(ctx context.Context, id string) ([]ResourcePool, error) {
	ref := poolRef(id)
	content, err := c.poolContent(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("read resource pool %s: %w", id, err)
	}
	tree := newTree(content)
	var chain []ResourcePool
	for ref.Value != "" {
		object, err := find(content, ref)
		if len(chain) > 0 && errors.Is(err, sdk.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read resource pool %s: %w", id, err)
		}
		pool, err := newResourcePool(object, tree)
		if err != nil {
			return nil, fmt.Errorf("read resource pool %s: %w", id, err)
		}
		chain = append(chain, *pool)
		ref = poolRef(pool.Parent)
	}
	return chain, nil
}

func newResourcePool(object types.ObjectContent, around tree) (*ResourcePool, error) {
	m, err := decode[mo.ResourcePool](object)
	if err != nil {
		return nil, err
	}
	p := &ResourcePool{
		Ref: m.Self.Value, Name: unescapeName(m.Name), Path: around.path(m.Self),
		Datacenter: unescapeName(around.ancestor(m.Self, "Datacenter")),
		Owner:      around.path(m.Owner), OwnerRef: m.Owner.Value,
		ScaleDescendantsShares: m.Config.ScaleDescendantsShares,
		CPUUnreservedMHz:       m.Runtime.Cpu.UnreservedForPool, CPUUsageMHz: m.Runtime.Cpu.OverallUsage,
		MemoryUnreservedMB: m.Runtime.Memory.UnreservedForPool >> 20, MemoryUsageMB: m.Runtime.Memory.OverallUsage >> 20,
	}
	if _, counted := properties(object)["vm"]; counted {
		vms, pools := len(m.Vm), len(m.ResourcePool)
		p.VMs, p.Pools = &vms, &pools
	}
	if parent := m.Parent; parent != nil && (parent.Type == "ResourcePool" || parent.Type == "VirtualApp") {
		p.Parent, p.ParentPath = parent.Value, path.Dir(p.Path)
	}
	cpu, memory := newPoolAllocation(m.Config.CpuAllocation), newPoolAllocation(m.Config.MemoryAllocation)
	p.CPUReservationMHz, p.CPULimitMHz, p.CPUExpandable = cpu.Reservation, cpu.Limit, cpu.Expandable
	p.CPUShares, p.CPUShareCount = cpu.Shares, cpu.ShareCount
	p.MemoryReservationMB, p.MemoryLimitMB, p.MemoryExpandable = memory.Reservation, memory.Limit, memory.Expandable
	p.MemoryShares, p.MemoryShareCount = memory.Shares, memory.ShareCount
	return p, nil
}

func newPoolAllocation(info types.ResourceAllocationInfo) Allocation {
	a := Allocation{Limit: -1}
	if info.Reservation != nil {
		a.Reservation = *info.Reservation
	}
	if info.Limit != nil {
		a.Limit = *info.Limit
	}
	if info.ExpandableReservation != nil {
		a.Expandable = *info.ExpandableReservation
	}
	if info.Shares != nil {
		a.Shares, a.ShareCount = string(info.Shares.Level), info.Shares.Shares
	}
	return a
}

// poolsAhead holds pools that came along with others. Each answers once, for a few seconds, and not after any change that this
// client makes to pools.
type poolsAhead struct {
	mu      sync.Mutex
	known   map[types.ManagedObjectReference]aheadPool
	changed time.Time // when this client last changed a pool
}

type aheadPool struct {
	content []types.ObjectContent // the whole answer, for its path
	began   time.Time
}

// siblings selects the children of a pool's parent, as long as this client only reads: who has begun to change pools reads what
// it changed.
func (a *poolsAhead) siblings() []types.BaseSelectionSpec {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.changed.IsZero() {
		return nil
	}
	return []types.BaseSelectionSpec{traversal("up", "ResourcePool", "parent", traversal("siblings", "ResourcePool", "resourcePool"))}
}

// keep takes over what a call that began at the time brought beyond what was asked.
func (a *poolsAhead) keep(began time.Time, asked []types.ManagedObjectReference, content []types.ObjectContent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if began.Before(a.changed) {
		return
	}
	if a.known == nil {
		a.known = map[types.ManagedObjectReference]aheadPool{}
	}
	for _, object := range content {
		if object.Obj.Type == "ResourcePool" {
			a.known[object.Obj] = aheadPool{content, began}
		}
	}
	for _, ref := range asked {
		delete(a.known, ref)
	}
}

func (a *poolsAhead) take(ref types.ManagedObjectReference, now time.Time) ([]types.ObjectContent, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pool, ok := a.known[ref]
	delete(a.known, ref)
	return pool.content, ok && now.Sub(pool.began) < aheadFor
}

// forget is called after every change to a pool.
func (a *poolsAhead) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.known, a.changed = nil, time.Now()
}
