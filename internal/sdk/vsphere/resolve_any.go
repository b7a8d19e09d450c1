package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// kindAny is an object of whatever kind, in messages.
const kindAny Kind = "object"

// anyKinds are the kinds that a managed object id is tried as, the likeliest first.
var anyKinds = []Kind{
	KindVM, KindHost, KindCluster, KindDatastore, KindFolder, KindDatacenter, KindResourcePool, KindDatastoreCluster, KindNetwork,
}

// resolveAny finds an object of any kind by path, managed object id or unique name; / is the root folder. It remembers like
// Resolve.
func (c *Client) resolveAny(ctx context.Context, ref string) (types.ManagedObjectReference, error) {
	ref = strings.TrimSpace(ref)
	found, err := c.refs.get(ctx, string(kindAny)+"\x00"+ref, func() (types.ManagedObjectReference, error) {
		return c.findAny(ctx, ref)
	})
	if err != nil {
		return found, fmt.Errorf("find %q: %w", ref, err)
	}
	return found, nil
}

func (c *Client) findAny(ctx context.Context, ref string) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	switch {
	case ref == "":
		return none, sdk.Invalidf("no object named")
	case ref == "/":
		return c.vim.ServiceContent.RootFolder, nil
	case strings.HasPrefix(ref, "/"):
		found, err := c.findByPath(ctx, ref)
		if err != nil {
			return none, err
		}
		if found == nil {
			return none, c.deepest(ctx, kindAny, ref)
		}
		return *found, nil
	}
	if m := anyMoref.FindStringSubmatch(ref); m != nil {
		for _, kind := range anyKinds {
			found, err := c.resolveMoref(ctx, kind, m[1], m[2])
			if !errors.Is(err, sdk.ErrNotFound) {
				return found, err
			}
		}
	}
	return c.findAnyNamed(ctx, ref)
}

// findAnyNamed reads all names at once. Of a thing and what is in it, as a standalone host in its compute resource, it is the
// outer that is meant.
func (c *Client) findAnyNamed(ctx context.Context, name string) (types.ManagedObjectReference, error) {
	const entity = "ManagedEntity"
	var none types.ManagedObjectReference
	var all tree
	err := c.withView(ctx, entity, func(view types.ManagedObjectReference) error {
		content, err := c.retrieve(ctx, []types.ObjectSpec{viewSpec(view)}, []types.PropertySpec{{Type: entity, PathSet: []string{"name", "parent"}}})
		all = newTree(content)
		return err
	})
	if err != nil {
		return none, err
	}
	var found []types.ManagedObjectReference
	var names []string
	for ref, node := range all {
		names = append(names, unescapeName(node.name))
		if unescapeName(node.name) == name {
			found = append(found, ref)
		}
	}
	outer := slices.DeleteFunc(slices.Clone(found), func(ref types.ManagedObjectReference) bool {
		return slices.ContainsFunc(all.chain(ref)[1:], func(above types.ManagedObjectReference) bool { return slices.Contains(found, above) })
	})
	switch len(outer) {
	case 0:
		return none, didYouMean(sdk.NotFoundf("nothing has that name"), name, names)
	case 1:
		return outer[0], nil
	}
	var paths []string
	for _, ref := range outer {
		paths = append(paths, all.path(ref))
	}
	return none, ambiguous(string(kindAny), name, paths)
}
