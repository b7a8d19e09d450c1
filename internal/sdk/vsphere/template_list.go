package vsphere

import (
	"context"
	"fmt"
	"path"
	"sort"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// ListTemplates returns the templates whose name or inventory path matches the glob pattern (empty: all), sorted by path. One
// retrieve finds out which of all VMs are templates, and one reads those.
func (c *Client) ListTemplates(ctx context.Context, pattern string) ([]Template, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("list templates: pattern %q is not a glob", pattern), "use * and ?, and close every [")
	}
	heads, err := c.listHeads(ctx, func(props map[string]any) bool { return props["config.template"] == true }, "config.template")
	if err != nil {
		return nil, fmt.Errorf("list templates: %w", err)
	}
	templates := []Template{}
	for _, h := range heads {
		byName, _ := path.Match(pattern, h.name) // the pattern was checked above
		byPath, _ := path.Match(pattern, h.path)
		if pattern == "" || byName || byPath {
			templates = append(templates, h.asTemplate())
		}
	}
	sort.Slice(templates, func(i, j int) bool { return templates[i].Path < templates[j].Path })
	return templates, nil
}

// listHeads reads the heads of the VMs whose properties are wanted.
func (c *Client) listHeads(ctx context.Context, wanted func(props map[string]any) bool, props ...string) ([]*head, error) {
	var objects []types.ObjectSpec
	err := c.withView(ctx, "VirtualMachine", func(view types.ManagedObjectReference) error {
		content, err := c.retrieve(ctx, []types.ObjectSpec{viewSpec(view)}, []types.PropertySpec{{Type: "VirtualMachine", PathSet: props}})
		for _, object := range content {
			if wanted(properties(object)) {
				objects = append(objects, types.ObjectSpec{Obj: object.Obj, SelectSet: headShape().around})
			}
		}
		return err
	})
	if err != nil || len(objects) == 0 {
		return nil, err
	}
	content, err := c.retrieve(ctx, objects, headShape().props)
	if err != nil {
		return nil, err
	}
	var heads []*head
	for _, object := range objects {
		h, err := newHead(content, object.Obj)
		if err != nil {
			return nil, err
		}
		heads = append(heads, h)
	}
	return heads, nil
}
