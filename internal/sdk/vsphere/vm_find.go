package vsphere

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

var (
	morefPattern = regexp.MustCompile(`^(?:VirtualMachine:)?(vm-[0-9]+)$`)
	uuidPattern  = regexp.MustCompile(`^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
)

// GetVM finds one VM by inventory path (it starts with /), moref, instance UUID, name, or the end of its path. A name that
// several VMs carry is sdk.ErrInvalid and lists their paths; one that none has is sdk.ErrNotFound with the nearest names.
// By path it makes two calls.
func (c *Client) GetVM(ctx context.Context, ref string) (*VM, error) {
	vm, err := c.getVM(ctx, strings.TrimSpace(ref))
	if err != nil {
		return nil, fmt.Errorf("get VM %q: %w", ref, err)
	}
	return vm, nil
}

// RefreshVM reads a VM that was known before, by its moref and, when that is gone or became another VM, by its instance UUID,
// which it keeps when it is registered anew. Only when vCenter has neither is it sdk.ErrNotFound. Reads that come together
// share a call.
func (c *Client) RefreshVM(ctx context.Context, moref, instanceUUID string) (*VM, error) {
	if moref != "" {
		vm, err := c.readVM(ctx, types.ManagedObjectReference{Type: "VirtualMachine", Value: moref})
		if err == nil && (instanceUUID == "" || vm.InstanceUUID == instanceUUID) {
			return vm, nil
		}
		if err != nil && (!errors.Is(err, sdk.ErrNotFound) || instanceUUID == "") {
			return nil, fmt.Errorf("read VM %s: %w", moref, err)
		}
	}
	found, err := c.findByUUID(ctx, instanceUUID)
	if err == nil && found == nil {
		err = sdk.NotFoundf("no VM has that instance UUID")
	}
	if err != nil {
		return nil, fmt.Errorf("read VM %s: %w", instanceUUID, err)
	}
	vm, err := c.readVM(ctx, *found)
	if err != nil {
		return nil, fmt.Errorf("read VM %s: %w", instanceUUID, err)
	}
	return vm, nil
}

// findByUUID finds a VM by its instance UUID; nil when there is none.
func (c *Client) findByUUID(ctx context.Context, uuid string) (*types.ManagedObjectReference, error) {
	instance := true
	res, err := methods.FindByUuid(ctx, c.vim, &types.FindByUuid{
		This: *c.vim.ServiceContent.SearchIndex, Uuid: uuid, VmSearch: true, InstanceUuid: &instance,
	})
	if err != nil {
		return nil, err
	}
	return res.Returnval, nil
}

func (c *Client) getVM(ctx context.Context, ref string) (*VM, error) {
	switch {
	case ref == "":
		return nil, sdk.Invalidf("no VM named")
	case strings.HasPrefix(ref, "/"):
		return c.getVMByPath(ctx, ref)
	}
	if m := morefPattern.FindStringSubmatch(ref); m != nil {
		vm, err := c.readVM(ctx, types.ManagedObjectReference{Type: "VirtualMachine", Value: m[1]})
		if !errors.Is(err, sdk.ErrNotFound) {
			return vm, err
		}
	}
	if uuidPattern.MatchString(ref) {
		found, err := c.findByUUID(ctx, ref)
		if err != nil {
			return nil, err
		}
		if found != nil {
			return c.readVM(ctx, *found)
		}
	}
	found, err := c.findVMByName(ctx, ref)
	if err != nil {
		return nil, err
	}
	return c.readVM(ctx, found)
}

func orZero(ref *types.ManagedObjectReference) types.ManagedObjectReference {
	if ref == nil {
		return types.ManagedObjectReference{}
	}
	return *ref
}

func (c *Client) getVMByPath(ctx context.Context, path string) (*VM, error) {
	res, err := methods.FindByInventoryPath(ctx, c.vim, &types.FindByInventoryPath{
		This: *c.vim.ServiceContent.SearchIndex, InventoryPath: strings.Trim(escapePath(path), "/"),
	})
	if err != nil {
		return nil, err
	}
	if res.Returnval == nil {
		return nil, sdk.WithHint(sdk.NotFoundf("no VM has that inventory path"),
			"a path looks like /datacenter/vm/folder/name; a / inside a name is written %%2f; the name alone works when it is unique")
	}
	if kind := res.Returnval.Type; kind != "VirtualMachine" {
		return nil, sdk.Invalidf("the path is that of a %s", kind)
	}
	return c.readVM(ctx, *res.Returnval)
}

// findVMByName reads the names of all VMs, and the paths of those that could be meant when that is needed.
func (c *Client) findVMByName(ctx context.Context, ref string) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	name := ref[strings.LastIndex(ref, "/")+1:]
	var candidates []types.ManagedObjectReference
	var names []string
	err := c.withView(ctx, "VirtualMachine", func(view types.ManagedObjectReference) error {
		content, err := c.retrieve(ctx, []types.ObjectSpec{viewSpec(view)},
			[]types.PropertySpec{{Type: "VirtualMachine", PathSet: []string{"name"}}})
		for _, object := range content {
			stored, _ := properties(object)["name"].(string)
			names = append(names, unescapeName(stored))
			if stored == escapeName(name) || unescapeName(stored) == ref {
				candidates = append(candidates, object.Obj)
			}
		}
		return err
	})
	if err != nil {
		return none, err
	}
	if len(candidates) == 1 && name == ref {
		return candidates[0], nil
	}
	if len(candidates) == 0 {
		return none, didYouMean(sdk.NotFoundf("no VM has that name"), name, names)
	}
	return c.chooseByPath(ctx, ref, candidates)
}

// chooseByPath picks the one candidate whose path ends in ref.
func (c *Client) chooseByPath(ctx context.Context, ref string, candidates []types.ManagedObjectReference) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	objects := make([]types.ObjectSpec, len(candidates))
	for i, candidate := range candidates {
		objects[i] = types.ObjectSpec{Obj: candidate, SelectSet: towardsRoot()}
	}
	content, err := c.retrieve(ctx, objects, append(treeProps(),
		types.PropertySpec{Type: "VirtualMachine", PathSet: []string{"name", "parent", "parentVApp"}}))
	if err != nil {
		return none, err
	}
	tree := newTree(content)
	var found []types.ManagedObjectReference
	var paths, all []string
	for _, candidate := range candidates {
		path := tree.path(candidate)
		all = append(all, path)
		if strings.HasSuffix(path, "/"+escapePath(ref)) || unescapeName(tree[candidate].name) == ref {
			found = append(found, candidate)
			paths = append(paths, path)
		}
	}
	switch len(found) {
	case 0:
		return none, sdk.WithHint(sdk.NotFoundf("no VM's path ends so"), "there is %s", strings.Join(all[:min(len(all), maxCandidates)], ", "))
	case 1:
		return found[0], nil
	}
	return none, ambiguous("VM", ref, paths)
}
