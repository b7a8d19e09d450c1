package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// PoolRemoval says what becomes of a pool's VMs and child pools when it is deleted.
type PoolRemoval string

// The ways to delete a pool.
const (
	RefuseUnlessEmpty PoolRemoval = "refuse"        // a pool that holds anything stays
	MoveChildren      PoolRemoval = "move_children" // they move to its parent, as vCenter does by itself
)

// answerTimeout is how long a new pool is waited for. The call is short and is not cut when the caller gives up: who cuts it
// does not know whether the pool exists.
const answerTimeout = 30 * time.Second

// CreateResourcePool makes a pool and reads it back. A name that its parent has already is sdk.ErrConflict, and so is a
// reservation that the parent cannot give. When the pool was made but cannot be read back, the answer holds its Ref beside
// the error.
func (c *Client) CreateResourcePool(ctx context.Context, spec ResourcePoolSpec) (*ResourcePool, error) {
	pool, err := c.createPool(ctx, spec)
	if err != nil {
		return pool, fmt.Errorf("create resource pool %q: %w", spec.Name, err)
	}
	return pool, nil
}

func (c *Client) createPool(ctx context.Context, spec ResourcePoolSpec) (*ResourcePool, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	parent, err := c.poolParent(ctx, spec.Parent)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w; nothing was made", err)
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer stop()
	res, err := methods.CreateResourcePool(ctx, c.vim, &types.CreateResourcePool{
		This: parent, Name: storedName(spec.Name), Spec: types.ResourceConfigSpec{
			CpuAllocation: spec.cpu().info(), MemoryAllocation: spec.memory().info(),
			ScaleDescendantsShares: spec.ScaleDescendantsShares,
		},
	})
	c.ahead.forget()
	switch {
	case errors.Is(err, sdk.ErrUnavailable), err != nil && ctx.Err() != nil:
		return nil, sdk.WithHint(err, "vCenter gave no answer, so the pool may exist; look there, and import it if it does")
	case isFault[*types.DuplicateName](err):
		return nil, sdk.WithHint(err, "choose another name, or take the pool that is there over (import it)")
	case err != nil:
		return nil, err
	}
	pool, err := c.readPool(ctx, res.Returnval)
	if err != nil {
		return &ResourcePool{Ref: res.Returnval.Value, Name: spec.Name}, fmt.Errorf("it was made as %s and cannot be read back: %w", res.Returnval.Value, err)
	}
	return pool, nil
}

// poolParent finds the pool to be a child of.
func (c *Client) poolParent(ctx context.Context, ref string) (types.ManagedObjectReference, error) {
	if strings.TrimSpace(ref) == "" {
		return c.onlyRootPool(ctx)
	}
	return c.Resolve(ctx, KindResourcePool, ref)
}

// onlyRootPool is the root pool of the only cluster or, where there is none, of the only host.
func (c *Client) onlyRootPool(ctx context.Context) (types.ManagedObjectReference, error) {
	return c.refs.get(ctx, "the only cluster", func() (types.ManagedObjectReference, error) {
		var none types.ManagedObjectReference
		found, err := c.named(ctx, "ComputeResource")
		if err != nil {
			return none, err
		}
		clusters := slices.DeleteFunc(slices.Clone(found), func(o namedObject) bool { return o.ref.Type != "ClusterComputeResource" })
		if len(clusters) > 0 {
			found = clusters
		}
		switch len(found) {
		case 0:
			return none, sdk.NotFoundf("no parent is named, and there is no cluster or host")
		case 1:
			return c.rootPool(ctx, found[0].ref)
		}
		var paths []string
		for _, o := range found {
			paths = append(paths, o.path)
		}
		sort.Strings(paths)
		return none, sdk.WithHint(sdk.Invalidf("no parent is named, and there are %d clusters to choose from", len(paths)),
			"name a cluster, host or pool as the parent: %s", strings.Join(paths[:min(len(paths), maxCandidates)], ", "))
	})
}

// UpdateResourcePool changes what the spec names, in one call, moves the pool when the spec names another parent, and reads it
// back. ref is as for GetResourcePool.
func (c *Client) UpdateResourcePool(ctx context.Context, ref string, spec UpdateResourcePoolSpec) (*ResourcePool, error) {
	pool, err := c.updatePool(ctx, ref, spec)
	if err != nil {
		return nil, fmt.Errorf("update resource pool %q: %w", strings.TrimPrefix(ref, poolPrefix), err)
	}
	return pool, nil
}

func (c *Client) updatePool(ctx context.Context, ref string, spec UpdateResourcePoolSpec) (*ResourcePool, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	pool, err := c.resolvePool(ctx, ref)
	if err != nil {
		return nil, err
	}
	err = c.configureAndMove(ctx, pool, spec)
	c.ahead.forget()
	if err != nil {
		return nil, err
	}
	return c.readPool(ctx, pool)
}

// configureAndMove takes the order in which the parents have place: a new name goes ahead, to meet what the new parent holds, and
// a new reservation comes after. Where that is refused, the other order may do.
func (c *Client) configureAndMove(ctx context.Context, pool types.ManagedObjectReference, spec UpdateResourcePoolSpec) error {
	req := updateConfig(pool, spec)
	config := func() error { return c.configurePool(ctx, req) }
	move := func() error { return c.movePool(ctx, pool, spec.Parent) }
	switch {
	case req == nil && spec.Parent == nil:
		return nil
	case req == nil:
		return move()
	case spec.Parent == nil:
		return config()
	}
	first, second := move, config
	if spec.Name != nil {
		first, second = config, move
	}
	err := first()
	if errors.Is(err, sdk.ErrConflict) && second() == nil {
		second, err = first, nil
	}
	if err != nil {
		return err
	}
	if err := second(); err != nil {
		return fmt.Errorf("only a part of it was done: %w", err)
	}
	return nil
}

// updateConfig holds only what changes, since vCenter leaves what an update does not hold; nil when that is nothing.
func updateConfig(pool types.ManagedObjectReference, spec UpdateResourcePoolSpec) *types.UpdateConfig {
	req := &types.UpdateConfig{This: pool}
	if spec.Name != nil {
		req.Name = storedName(*spec.Name)
	}
	if cpu, memory := spec.cpu(), spec.memory(); !cpu.empty() || !memory.empty() || spec.ScaleDescendantsShares != nil {
		req.Config = &types.ResourceConfigSpec{CpuAllocation: cpu.info(), MemoryAllocation: memory.info()}
		if spec.ScaleDescendantsShares != nil {
			req.Config.ScaleDescendantsShares = *spec.ScaleDescendantsShares
		}
	}
	if req.Name == "" && req.Config == nil {
		return nil
	}
	return req
}

func (c *Client) configurePool(ctx context.Context, req *types.UpdateConfig) error {
	_, err := methods.UpdateConfig(ctx, c.vim, req)
	if err == nil && req.Name != "" {
		c.forgetPoolPaths(req.This)
	}
	return err
}

func (c *Client) movePool(ctx context.Context, pool types.ManagedObjectReference, parent *string) error {
	to, err := c.poolParent(ctx, *parent)
	if err != nil {
		return err
	}
	_, err = methods.MoveIntoResourcePool(ctx, c.vim, &types.MoveIntoResourcePool{This: to, List: []types.ManagedObjectReference{pool}})
	if err != nil {
		err = fmt.Errorf("move it into %q: %w", *parent, err)
		if isFault[*types.InvalidArgument](err) {
			err = sdk.WithHint(err, "a pool moves within its cluster or host, and neither into itself nor below itself")
		}
		return err
	}
	c.forgetPoolPaths(pool)
	return nil
}

// forgetPoolPaths drops what is remembered of a pool whose name or place changed, and of all paths through pools: some may
// lead through it.
func (c *Client) forgetPoolPaths(pool types.ManagedObjectReference) {
	c.refs.forget(func(key string, known types.ManagedObjectReference) bool {
		return known == pool || known.Type == "ResourcePool" && strings.Contains(key, "/Resources/")
	})
}

// DeleteResourcePool deletes a pool and waits. Refused by policy, a pool that holds VMs or pools is sdk.ErrConflict and they
// are named; a root pool and a vApp are sdk.ErrInvalid. No policy deletes a VM.
func (c *Client) DeleteResourcePool(ctx context.Context, ref string, policy PoolRemoval) error {
	if err := c.deletePool(ctx, ref, policy); err != nil {
		return fmt.Errorf("delete resource pool %q: %w", strings.TrimPrefix(ref, poolPrefix), err)
	}
	return nil
}

func (c *Client) deletePool(ctx context.Context, ref string, policy PoolRemoval) error {
	if policy != RefuseUnlessEmpty && policy != MoveChildren {
		return sdk.Invalidf("policy %q; use %s or %s", policy, RefuseUnlessEmpty, MoveChildren)
	}
	pool, err := c.resolvePool(ctx, ref)
	if err != nil {
		return err
	}
	if err := c.deletable(ctx, pool, policy); err != nil {
		return err
	}
	res, err := methods.Destroy_Task(ctx, c.vim, &types.Destroy_Task{This: pool})
	if err == nil {
		_, err = c.tasks.wait(ctx, res.Returnval, nil)
	}
	c.ahead.forget()
	c.forgetPoolPaths(pool)
	return err
}

// deletable reads what the pool holds, with names; deletes that come together share the call.
func (c *Client) deletable(ctx context.Context, pool types.ManagedObjectReference, policy PoolRemoval) error {
	content, err := c.poolContents.get(ctx, pool)
	if err != nil {
		return err
	}
	object, err := find(content, pool)
	if err != nil {
		return err
	}
	props := properties(object)
	if parent, ok := props["parent"].(types.ManagedObjectReference); !ok || parent.Type != "ResourcePool" && parent.Type != "VirtualApp" {
		return sdk.Invalidf("it is the root pool of a cluster or host and goes with that")
	}
	if policy == MoveChildren {
		return nil
	}
	held := newPoolContents(object, newTree(content)).String()
	if held == "" {
		return nil
	}
	return sdk.WithHint(sdk.Conflictf("it holds %s", held),
		"move them elsewhere first, or choose %s: then they move to its parent", MoveChildren)
}

// poolContentsShape is a pool and the names of what it holds.
func poolContentsShape() shape {
	return shape{
		around: []types.BaseSelectionSpec{
			traversal("vm", "ResourcePool", "vm"), traversal("resourcePool", "ResourcePool", "resourcePool"),
		},
		props: []types.PropertySpec{
			{Type: "ResourcePool", PathSet: []string{"name", "parent", "vm", "resourcePool"}},
			{Type: "VirtualMachine", PathSet: []string{"name"}},
		},
	}
}

func namesOf(known tree, refs any) []string {
	list, _ := refs.(types.ArrayOfManagedObjectReference)
	names := []string{}
	for _, ref := range list.ManagedObjectReference {
		names = append(names, unescapeName(known[ref].name))
	}
	sort.Strings(names)
	return names
}

// counted says how many and which: 2 VMs (web-1, web-2).
func counted(what string, names []string) []string {
	switch n := len(names); {
	case n == 0:
		return nil
	case n == 1:
		return []string{fmt.Sprintf("the %s %s", what, names[0])}
	case n > maxCandidates:
		return []string{fmt.Sprintf("%d %ss (%s, …)", n, what, strings.Join(names[:maxCandidates], ", "))}
	default:
		return []string{fmt.Sprintf("%d %ss (%s)", n, what, strings.Join(names, ", "))}
	}
}
