package vsphere

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Kind is what a reference may name, in the user's words.
type Kind string

// The kinds of inventory objects.
const (
	KindVM               Kind = "VM"
	KindHost             Kind = "host"
	KindCluster          Kind = "cluster"
	KindDatacenter       Kind = "datacenter"
	KindFolder           Kind = "folder"
	KindResourcePool     Kind = "resource pool" // a cluster or a host means its root pool
	KindDatastore        Kind = "datastore"
	KindDatastoreCluster Kind = "datastore cluster"
	KindNetwork          Kind = "network"
)

// kinds are the managed object types behind each kind, the one to search by name first.
var kinds = map[Kind][]string{
	KindVM:               {"VirtualMachine"},
	KindHost:             {"HostSystem"},
	KindCluster:          {"ClusterComputeResource", "ComputeResource"},
	KindDatacenter:       {"Datacenter"},
	KindFolder:           {"Folder"},
	KindResourcePool:     {"ResourcePool", "VirtualApp"},
	KindDatastore:        {"Datastore"},
	KindDatastoreCluster: {"StoragePod"},
	KindNetwork:          {"Network", "DistributedVirtualPortgroup", "OpaqueNetwork"},
}

// anyMoref is the shape of managed object ids: vm-42, resgroup-8, group-v3, domain-c7, dvportgroup-11.
var anyMoref = regexp.MustCompile(`^(?:([A-Z][A-Za-z]+):)?([a-z]+(?:-[a-z]+)?-[a-z]*[0-9]+)$`)

// Resolve finds the object that ref names: by inventory path (it starts with /), managed object id, a VM also by instance UUID,
// or, when it is unique, by name. The answer is remembered for the life of the client, so a hundred clones into one folder ask once; Forget drops it.
// What does not exist is sdk.ErrNotFound, a path to another kind of object and an ambiguous name are sdk.ErrInvalid.
func (c *Client) Resolve(ctx context.Context, kind Kind, ref string) (types.ManagedObjectReference, error) {
	ref = strings.TrimSpace(ref)
	found, err := c.refs.get(ctx, string(kind)+"\x00"+ref, func() (types.ManagedObjectReference, error) {
		return c.resolve(ctx, kind, ref)
	})
	if err != nil {
		return found, fmt.Errorf("find %s %q: %w", kind, ref, err)
	}
	return found, nil
}

// Forget drops what Resolve and Clone remember of an object, for example after its deletion or move, or after a snapshot of a source.
func (c *Client) Forget(ref types.ManagedObjectReference) {
	c.refs.forget(func(_ string, known types.ManagedObjectReference) bool { return known == ref })
	c.sources.forget(func(_ string, known *cloneSource) bool { return known.vm.Self == ref })
}

func (c *Client) resolve(ctx context.Context, kind Kind, ref string) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	if ref == "" {
		return none, sdk.Invalidf("no %s named", kind)
	}
	if strings.HasPrefix(ref, "/") {
		return c.resolvePath(ctx, kind, ref)
	}
	if kind == KindVM && uuidPattern.MatchString(ref) {
		if found, err := c.findByUUID(ctx, ref); err != nil || found != nil {
			return orZero(found), err
		}
	}
	if m := anyMoref.FindStringSubmatch(ref); m != nil {
		found, err := c.resolveMoref(ctx, kind, m[1], m[2])
		if !errors.Is(err, sdk.ErrNotFound) {
			return found, err
		}
	}
	found, err := c.resolveName(ctx, kind, ref)
	if kind == KindResourcePool && errors.Is(err, sdk.ErrNotFound) {
		if owner, missing := c.resolveName(ctx, KindCluster, ref); missing == nil {
			return c.rootPool(ctx, owner)
		}
	}
	return found, err
}

func (c *Client) resolvePath(ctx context.Context, kind Kind, path string) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	found, err := c.findByPath(ctx, path)
	if err != nil {
		return none, err
	}
	if found == nil {
		return none, c.deepest(ctx, kind, path)
	}
	return c.fit(ctx, kind, *found)
}

func (c *Client) findByPath(ctx context.Context, path string) (*types.ManagedObjectReference, error) {
	res, err := methods.FindByInventoryPath(ctx, c.vim, &types.FindByInventoryPath{
		This: *c.vim.ServiceContent.SearchIndex, InventoryPath: strings.Trim(escapePath(path), "/"),
	})
	if err != nil {
		return nil, err
	}
	return res.Returnval, nil
}

// deepest is the error for a path that leads nowhere: it names the last object on the way that does exist.
func (c *Client) deepest(ctx context.Context, kind Kind, path string) error {
	missing := sdk.NotFoundf("no %s has that inventory path", kind)
	names := strings.Split(strings.Trim(path, "/"), "/")
	for n := len(names) - 1; n > 0; n-- {
		there := "/" + strings.Join(names[:n], "/")
		found, err := c.findByPath(ctx, there)
		if err != nil {
			return err
		}
		if found != nil {
			return sdk.WithHint(missing, "%s exists and has no %q in it; a / inside a name is written %%2f", there, names[n])
		}
	}
	return sdk.WithHint(missing, "there is no %q at the top either; a path begins with its datacenter or the folder that it is in", names[0])
}

// fit checks the kind of an object, and takes a compute resource or a host for its root pool where a pool is asked for.
func (c *Client) fit(ctx context.Context, kind Kind, found types.ManagedObjectReference) (types.ManagedObjectReference, error) {
	if slices.Contains(kinds[kind], found.Type) || kind == KindNetwork && strings.HasSuffix(found.Type, "Network") {
		return found, nil
	}
	if kind == KindResourcePool {
		switch found.Type {
		case "ComputeResource", "ClusterComputeResource", "HostSystem":
			return c.rootPool(ctx, found)
		}
	}
	return found, sdk.Invalidf("it is a %s, not a %s", found.Type, kind)
}

// rootPool is the root resource pool of a cluster, or of the compute resource that a host is in.
func (c *Client) rootPool(ctx context.Context, of types.ManagedObjectReference) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	content, err := c.retrieve(ctx,
		[]types.ObjectSpec{{Obj: of, SelectSet: []types.BaseSelectionSpec{traversal("parent", "HostSystem", "parent")}}},
		[]types.PropertySpec{{Type: "ComputeResource", PathSet: []string{"resourcePool"}}})
	if err != nil {
		return none, err
	}
	for _, object := range content {
		if pool, ok := properties(object)["resourcePool"].(types.ManagedObjectReference); ok {
			return pool, nil
		}
	}
	return none, sdk.NotFoundf("%s %s has no resource pool", of.Type, of.Value)
}

// resolveMoref asks which of the kind's types the id is of, since an id alone does not say.
func (c *Client) resolveMoref(ctx context.Context, kind Kind, typ, id string) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	candidates := kinds[kind]
	if kind == KindResourcePool {
		candidates = append(slices.Clone(candidates), "ClusterComputeResource", "ComputeResource", "HostSystem")
	}
	for _, candidate := range candidates {
		if typ != "" && typ != candidate {
			continue
		}
		ref := types.ManagedObjectReference{Type: candidate, Value: id}
		_, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref}}, []types.PropertySpec{{Type: candidate, PathSet: []string{"name"}}})
		switch {
		case err == nil:
			return c.fit(ctx, kind, ref)
		case !errors.Is(err, sdk.ErrNotFound):
			return none, err
		}
	}
	return none, sdk.NotFoundf("%s %s does not exist", kind, id)
}

// resolveName reads the names of all objects of the kind, and the paths of those that carry this one.
func (c *Client) resolveName(ctx context.Context, kind Kind, name string) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	var names, paths []string
	var found []types.ManagedObjectReference
	for _, typ := range kinds[kind] {
		objects, err := c.named(ctx, typ)
		if err != nil {
			return none, err
		}
		for _, o := range objects {
			names = append(names, unescapeName(o.name))
			if unescapeName(o.name) == name && !slices.Contains(found, o.ref) {
				found, paths = append(found, o.ref), append(paths, o.path)
			}
		}
	}
	switch len(found) {
	case 0:
		return none, didYouMean(sdk.NotFoundf("no %s has that name", kind), name, names)
	case 1:
		return found[0], nil
	}
	return none, ambiguous(string(kind), name, paths)
}

type namedObject struct {
	ref        types.ManagedObjectReference
	name, path string
}

// named lists all objects of a managed object type with their paths.
func (c *Client) named(ctx context.Context, typ string) ([]namedObject, error) {
	var objects []namedObject
	err := c.withView(ctx, typ, func(view types.ManagedObjectReference) error {
		props := treeProps()
		if !slices.ContainsFunc(props, func(p types.PropertySpec) bool { return p.Type == typ }) {
			props = append(props, types.PropertySpec{Type: typ, PathSet: []string{"name", "parent"}})
		}
		content, err := c.retrieve(ctx, []types.ObjectSpec{viewSpec(view, towardsRoot()...)}, props)
		tree := newTree(content)
		for _, object := range content {
			if object.Obj.Type == typ || typ == "ComputeResource" && object.Obj.Type == "ClusterComputeResource" {
				objects = append(objects, namedObject{ref: object.Obj, name: tree[object.Obj].name, path: tree.path(object.Obj)})
			}
		}
		return err
	})
	return objects, err
}
