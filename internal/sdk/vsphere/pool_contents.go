package vsphere

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// PoolContents is what a resource pool holds directly: names, sorted.
type PoolContents struct {
	VMs   []string `json:"vms"`
	Pools []string `json:"pools"` // vApps too
}

// String says it for a person: the VM web-1 and 2 pools (a, b). Empty: it holds nothing.
func (p *PoolContents) String() string {
	return strings.Join(slices.Concat(counted("VM", p.VMs), counted("pool", p.Pools)), " and ")
}

// ListPoolContents reads what the pool with this managed object id holds directly. Reads that come together share a call.
func (c *Client) ListPoolContents(ctx context.Context, id string) (*PoolContents, error) {
	content, err := c.poolContents.get(ctx, poolRef(id))
	if err != nil {
		return nil, fmt.Errorf("read what resource pool %s holds: %w", id, err)
	}
	object, err := find(content, poolRef(id))
	if err != nil {
		return nil, fmt.Errorf("read what resource pool %s holds: %w", id, err)
	}
	return newPoolContents(object, newTree(content)), nil
}

func newPoolContents(object types.ObjectContent, tree tree) *PoolContents {
	props := properties(object)
	return &PoolContents{VMs: namesOf(tree, props["vm"]), Pools: namesOf(tree, props["resourcePool"])}
}

// PlanResourcePool says which inventory path a new pool would have, and changes nothing. A name that its parent has already is
// sdk.ErrConflict. Whether the parent can give what is reserved, only CreateResourcePool finds out.
func (c *Client) PlanResourcePool(ctx context.Context, spec ResourcePoolSpec) (string, error) {
	at, err := c.planPool(ctx, spec)
	if err != nil {
		return "", fmt.Errorf("create resource pool %q: %w", spec.Name, err)
	}
	return at, nil
}

func (c *Client) planPool(ctx context.Context, spec ResourcePoolSpec) (string, error) {
	if err := spec.Validate(); err != nil {
		return "", err
	}
	ref, err := c.poolParent(ctx, spec.Parent)
	if err != nil {
		return "", err
	}
	parent, err := c.readPool(ctx, ref)
	if err != nil {
		return "", err
	}
	at := path.Join(parent.Path, storedName(spec.Name))
	there, err := c.findByPath(ctx, at)
	if err != nil {
		return "", err
	}
	if there != nil {
		return "", sdk.WithHint(sdk.Conflictf("%s exists", at), "choose another name or parent, or update the pool that is there")
	}
	return at, nil
}

// PoolChange is one thing that an update changes, under the name that ResourcePool's JSON gives it.
type PoolChange struct {
	Field  string `json:"field"`
	Before any    `json:"before"`
	After  any    `json:"after"`
}

// PoolUpdatePlan is what an update would change of a pool as it is.
type PoolUpdatePlan struct {
	Pool    ResourcePool           `json:"pool"` // before
	Spec    UpdateResourcePoolSpec `json:"spec"` // what differs; for UpdateResourcePool
	Changes []PoolChange           `json:"changes"`
}

// PlanPoolUpdate reads the pool and leaves of the spec only what differs from it, without changing anything. A limit below the
// reservation that the pool would have is sdk.ErrInvalid. ref is as for GetResourcePool.
func (c *Client) PlanPoolUpdate(ctx context.Context, ref string, spec UpdateResourcePoolSpec) (*PoolUpdatePlan, error) {
	p, err := c.planPoolUpdate(ctx, ref, spec)
	if err != nil {
		return nil, fmt.Errorf("update resource pool %q: %w", strings.TrimPrefix(ref, poolPrefix), err)
	}
	return p, nil
}

func (c *Client) planPoolUpdate(ctx context.Context, ref string, spec UpdateResourcePoolSpec) (*PoolUpdatePlan, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	found, err := c.resolvePool(ctx, ref)
	if err != nil {
		return nil, err
	}
	pool, err := c.readPool(ctx, found)
	if err != nil {
		return nil, err
	}
	p := &PoolUpdatePlan{Pool: *pool, Changes: []PoolChange{}}
	p.add(spec)
	for _, half := range []struct {
		change     allocationChange
		now        Allocation
		what, unit string
	}{{p.Spec.cpu(), pool.CPU(), "CPU", "MHz"}, {p.Spec.memory(), pool.Memory(), "memory", "MB"}} {
		if err := half.change.over(half.now).validate(half.what, half.unit); err != nil {
			return nil, err
		}
	}
	if spec.Parent == nil {
		return p, nil
	}
	to, err := c.poolParent(ctx, *spec.Parent)
	if err != nil || to.Value == pool.Parent {
		return p, err
	}
	parent, err := c.readPool(ctx, to)
	if err != nil {
		return nil, err
	}
	p.Spec.Parent = &parent.Path
	p.Changes = append(p.Changes, PoolChange{"parent_path", pool.ParentPath, parent.Path})
	return p, nil
}

// over is the reservation and limit that an allocation has after the change; nothing when it leaves both.
func (a allocationChange) over(now Allocation) allocationChange {
	if a.reservation == nil && a.limit == nil {
		return allocationChange{}
	}
	after := allocationChange{reservation: &now.Reservation, limit: &now.Limit}
	if a.reservation != nil {
		after.reservation = a.reservation
	}
	if a.limit != nil {
		after.limit = a.limit
	}
	return after
}

// add takes over what differs of all but the parent.
func (p *PoolUpdatePlan) add(spec UpdateResourcePoolSpec) {
	now := &p.Pool
	changed(p, "name", now.Name, spec.Name, &p.Spec.Name)
	changed(p, "cpu_reservation_mhz", now.CPUReservationMHz, spec.CPUReservationMHz, &p.Spec.CPUReservationMHz)
	changed(p, "cpu_limit_mhz", now.CPULimitMHz, spec.CPULimitMHz, &p.Spec.CPULimitMHz)
	changed(p, "cpu_expandable", now.CPUExpandable, spec.CPUExpandable, &p.Spec.CPUExpandable)
	changed(p, "memory_reservation_mb", now.MemoryReservationMB, spec.MemoryReservationMB, &p.Spec.MemoryReservationMB)
	changed(p, "memory_limit_mb", now.MemoryLimitMB, spec.MemoryLimitMB, &p.Spec.MemoryLimitMB)
	changed(p, "memory_expandable", now.MemoryExpandable, spec.MemoryExpandable, &p.Spec.MemoryExpandable)
	changed(p, "scale_descendants_shares", now.ScaleDescendantsShares, spec.ScaleDescendantsShares, &p.Spec.ScaleDescendantsShares)
	p.addShares("cpu", now.CPU(), spec.cpu(), &p.Spec.CPUShares, &p.Spec.CPUShareCount)
	p.addShares("memory", now.Memory(), spec.memory(), &p.Spec.MemoryShares, &p.Spec.MemoryShareCount)
}

func changed[T comparable](p *PoolUpdatePlan, field string, before T, wanted *T, into **T) {
	if wanted != nil && *wanted != before {
		*into = wanted
		p.Changes = append(p.Changes, PoolChange{field, before, *wanted})
	}
}

// addShares takes level and count together: a count means custom shares, and with another level vCenter sets the count itself.
func (p *PoolUpdatePlan) addShares(half string, now Allocation, wanted allocationChange, level **string, count **int32) {
	custom := string(types.SharesLevelCustom)
	switch {
	case wanted.count != nil && (now.Shares != custom || now.ShareCount != *wanted.count):
		*level, *count = &custom, wanted.count
		if now.Shares != custom {
			p.Changes = append(p.Changes, PoolChange{half + "_shares", now.Shares, custom})
		}
		p.Changes = append(p.Changes, PoolChange{half + "_share_count", now.ShareCount, *wanted.count})
	case wanted.count == nil && wanted.shares != nil && *wanted.shares != now.Shares:
		*level = wanted.shares
		p.Changes = append(p.Changes, PoolChange{half + "_shares", now.Shares, *wanted.shares})
	}
}
