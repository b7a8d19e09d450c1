package vsphere

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// ResourcePool is a resource pool of vSphere. CPU is in MHz, memory in MB; a limit of -1 is none.
type ResourcePool struct {
	Ref        string `json:"ref"`
	Name       string `json:"name"`
	Path       string `json:"path"`
	Parent     string `json:"parent,omitempty"` // moref of the pool it is in; empty: a root pool
	ParentPath string `json:"parent_path,omitempty"`
	Datacenter string `json:"datacenter"`
	Owner      string `json:"owner"` // path of the cluster or host whose resources it divides
	OwnerRef   string `json:"owner_ref"`

	CPUReservationMHz   int64  `json:"cpu_reservation_mhz"`
	CPULimitMHz         int64  `json:"cpu_limit_mhz"`
	CPUExpandable       bool   `json:"cpu_expandable"`
	CPUShares           string `json:"cpu_shares"` // low, normal, high, custom
	CPUShareCount       int32  `json:"cpu_share_count"`
	MemoryReservationMB int64  `json:"memory_reservation_mb"`
	MemoryLimitMB       int64  `json:"memory_limit_mb"`
	MemoryExpandable    bool   `json:"memory_expandable"`
	MemoryShares        string `json:"memory_shares"`
	MemoryShareCount    int32  `json:"memory_share_count"`

	ScaleDescendantsShares string `json:"scale_descendants_shares,omitempty"` // empty: vCenter says nothing about it

	CPUUnreservedMHz   int64 `json:"cpu_unreserved_mhz"`   // what child pools may still reserve
	MemoryUnreservedMB int64 `json:"memory_unreserved_mb"` // the same
	CPUUsageMHz        int64 `json:"cpu_usage_mhz"`
	MemoryUsageMB      int64 `json:"memory_usage_mb"`

	VMs   *int `json:"vms,omitempty"`   // directly in it; nil: only a list counts
	Pools *int `json:"pools,omitempty"` // directly in it; nil: only a list counts
}

// Allocation is one half of a resource pool: its CPU, in MHz, or its memory, in MB.
type Allocation struct {
	Reservation int64
	Limit       int64 // -1: none
	Expandable  bool
	Shares      string
	ShareCount  int32
}

// CPU is the CPU half.
func (p *ResourcePool) CPU() Allocation {
	return Allocation{p.CPUReservationMHz, p.CPULimitMHz, p.CPUExpandable, p.CPUShares, p.CPUShareCount}
}

// Memory is the memory half.
func (p *ResourcePool) Memory() Allocation {
	return Allocation{p.MemoryReservationMB, p.MemoryLimitMB, p.MemoryExpandable, p.MemoryShares, p.MemoryShareCount}
}

// ListResourcePools returns the resource pools, root pools among them and vApps not, whose name or inventory path matches the
// glob pattern (empty: all), sorted by path. One container view and one paged retrieve, whatever their number.
func (c *Client) ListResourcePools(ctx context.Context, pattern string) ([]ResourcePool, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("list resource pools: pattern %q is not a glob", pattern), "use * and ?, and close every [")
	}
	var content []types.ObjectContent
	err := c.withView(ctx, "ResourcePool", func(view types.ManagedObjectReference) error {
		var err error
		content, err = c.retrieve(ctx, []types.ObjectSpec{viewSpec(view, poolAncestors())}, poolProps("vm", "resourcePool"))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list resource pools: %w", err)
	}
	tree := newTree(content)
	pools := []ResourcePool{}
	for _, object := range content {
		if object.Obj.Type != "ResourcePool" {
			continue
		}
		pool, err := newResourcePool(object, tree)
		if err != nil {
			return nil, fmt.Errorf("list resource pools: %w", err)
		}
		byName, _ := path.Match(pattern, pool.Name) // the pattern was checked above
		byPath, _ := path.Match(pattern, pool.Path)
		if pattern == "" || byName || byPath {
			pools = append(pools, *pool)
		}
	}
	sort.Slice(pools, func(i, j int) bool { return pools[i].Path < pools[j].Path })
	return pools, nil
}

// GetResourcePool finds one pool by inventory path, moref or unique name; a cluster or a host means its root pool. A reference
// of the form ResourcePool:resgroup-42 is taken at its word, without a call to find it. What does
// not exist is sdk.ErrNotFound; an ambiguous name, and a vApp, are sdk.ErrInvalid.
func (c *Client) GetResourcePool(ctx context.Context, ref string) (*ResourcePool, error) {
	found, err := c.resolvePool(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("get resource pool %q: %w", ref, err)
	}
	pool, err := c.readPool(ctx, found)
	if errors.Is(err, sdk.ErrNotFound) { // what was remembered is gone; another may have its name
		c.Forget(found)
		if found, err = c.resolvePool(ctx, ref); err == nil {
			pool, err = c.readPool(ctx, found)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("get resource pool %q: %w", ref, err)
	}
	return pool, nil
}

// ReadResourcePool reads the pool with exactly this managed object id. Reads that come together share a call, and siblings
// that came along are not asked for again: a hundred pools cost a few calls.
func (c *Client) ReadResourcePool(ctx context.Context, id string) (*ResourcePool, error) {
	pool, err := c.readPool(ctx, poolRef(id))
	if err != nil {
		return nil, fmt.Errorf("read resource pool %s: %w", id, err)
	}
	return pool, nil
}

// poolPrefix begins a reference that says itself what it is.
const poolPrefix = "ResourcePool:"

// resolvePool refuses vApps: what they do with their VMs on deletion is not what a pool does.
func (c *Client) resolvePool(ctx context.Context, ref string) (types.ManagedObjectReference, error) {
	if id, ok := strings.CutPrefix(ref, poolPrefix); ok {
		return poolRef(id), nil
	}
	found, err := c.Resolve(ctx, KindResourcePool, ref)
	if err == nil && found.Type != "ResourcePool" {
		return found, sdk.Invalidf("it is a vApp, not a resource pool")
	}
	return found, err
}

func poolRef(id string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "ResourcePool", Value: id}
}
