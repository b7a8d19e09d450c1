package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ListReferences returns, sorted, the shortest reference to each object of the kind that Resolve takes: its name, or its inventory path
// where others have that name too. Folders of
// VMs only; the roots below a datacenter and the root pools, which all bear one name, are left out. One container view and one retrieve for each managed object type behind the kind.
func (c *Client) ListReferences(ctx context.Context, kind Kind) ([]string, error) {
	var all []namedObject
	for _, typ := range kinds[kind] {
		found, err := c.named(ctx, typ)
		if err != nil {
			return nil, fmt.Errorf("list %ss: %w", kind, err)
		}
		for _, o := range found {
			if !slices.ContainsFunc(all, func(known namedObject) bool { return known.ref == o.ref }) {
				all = append(all, o)
			}
		}
	}
	times := map[string]int{}
	for _, o := range all {
		times[o.name]++
	}
	refs := []string{}
	for _, o := range all {
		at, err := ParseInventoryPath(o.path)
		switch {
		case err != nil || leftOut(kind, at): // the root of all has no path
		case times[o.name] > 1 || strings.HasPrefix(o.name, "/"):
			refs = append(refs, o.path)
		default:
			refs = append(refs, unescapeName(o.name))
		}
	}
	slices.Sort(refs)
	return refs, nil
}

// leftOut says whether an object is one that each datacenter or cluster has, or a folder that holds no VMs.
func leftOut(kind Kind, at InventoryPath) bool {
	if kind == KindFolder {
		return at.Kind != "vm" || at.Parent == at.Datacenter
	}
	return kind == KindResourcePool && at.Name == "Resources" && !strings.Contains(at.Parent, "/Resources")
}
