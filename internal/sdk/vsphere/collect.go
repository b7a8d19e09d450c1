package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// pageObjects bounds one page of a retrieve; a page of hosts or names stays well below what vCenter answers at once.
const pageObjects = 1000

// maxDepth bounds a walk towards the root folder, whatever the server says about parents.
const maxDepth = 64

// retrieve reads properties in one paged call.
func (c *Client) retrieve(ctx context.Context, objects []types.ObjectSpec, props []types.PropertySpec) ([]types.ObjectContent, error) {
	return c.retrievePages(ctx, pageObjects, objects, props)
}

// retrievePages is retrieve with at most so many objects a page.
func (c *Client) retrievePages(ctx context.Context, page int32, objects []types.ObjectSpec, props []types.PropertySpec) ([]types.ObjectContent, error) {
	return mo.RetrievePropertiesEx(ctx, c.vim, types.RetrievePropertiesEx{
		This:    c.vim.ServiceContent.PropertyCollector,
		SpecSet: []types.PropertyFilterSpec{{ObjectSet: objects, PropSet: props}},
		Options: types.RetrieveOptions{MaxObjects: page},
	})
}

// withView makes a view of all objects of a kind below the root folder, for the time of the call.
func (c *Client) withView(ctx context.Context, kind string, use func(types.ManagedObjectReference) error) error {
	return c.withViewOf(ctx, c.vim.ServiceContent.RootFolder, []string{kind}, use)
}

// withViewOf makes a view of all objects of the kinds below a folder, datacenter or cluster, for the time of the call. View and
// pages go with the session: when vCenter ended it meanwhile, everything is done again, once.
func (c *Client) withViewOf(ctx context.Context, container types.ManagedObjectReference, kinds []string, use func(types.ManagedObjectReference) error) error {
	seen := c.session.generation.Load()
	err := c.useView(ctx, container, kinds, use)
	if err != nil && c.session.generation.Load() != seen && ctx.Err() == nil {
		err = c.useView(ctx, container, kinds, use)
	}
	if gone, ok := faultOf(err).(*types.ManagedObjectNotFound); ok && gone.Obj.Type == "ContainerView" {
		return sdk.Unavailablef("vCenter ended the session again and again while it was asked") // and nothing of the user's is gone
	}
	return err
}

func (c *Client) useView(ctx context.Context, container types.ManagedObjectReference, kinds []string, use func(types.ManagedObjectReference) error) error {
	res, err := methods.CreateContainerView(ctx, c.vim, &types.CreateContainerView{
		This: *c.vim.ServiceContent.ViewManager, Container: container, Type: kinds, Recursive: true,
	})
	if err != nil {
		return err
	}
	err = use(res.Returnval)
	if c.closing.Load() {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if _, derr := methods.DestroyView(ctx, c.vim, &types.DestroyView{This: res.Returnval}); derr != nil {
		c.log.Debug("destroy view", "error", derr) // it goes with the session
	}
	return err
}

// list reads all objects of the kinds in a scope, and what around selects from them: one view, one paged retrieve. Objects
// that went away meanwhile are left out.
func (c *Client) list(ctx context.Context, s *scope, page int32, kinds []string, around []types.BaseSelectionSpec, props []types.PropertySpec) ([]types.ObjectContent, error) {
	var content []types.ObjectContent
	err := c.withViewOf(ctx, s.container, kinds, func(view types.ManagedObjectReference) error {
		var err error
		content, err = c.retrievePages(ctx, page, []types.ObjectSpec{viewSpec(view, around...)}, props)
		return err
	})
	return slices.DeleteFunc(content, isGone), err
}

// isGone says whether an object was deleted while it was read.
func isGone(object types.ObjectContent) bool {
	return slices.ContainsFunc(object.MissingSet, func(p types.MissingProperty) bool {
		fault, ok := p.Fault.Fault.(*types.ManagedObjectNotFound)
		return ok && fault.Obj == object.Obj
	})
}

// viewSpec selects the objects of a view and, from them, what more says.
func viewSpec(view types.ManagedObjectReference, more ...types.BaseSelectionSpec) types.ObjectSpec {
	return types.ObjectSpec{Obj: view, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
		&types.TraversalSpec{Type: "ContainerView", Path: "view", SelectSet: more},
	}}
}

// towardsRoot selects the chain of parents of an inventory object. The parents of a VM in a vApp go through the folder of
// the vApp.
func towardsRoot() []types.BaseSelectionSpec {
	again := []types.BaseSelectionSpec{
		&types.SelectionSpec{Name: "parent"}, &types.SelectionSpec{Name: "vApp"}, &types.SelectionSpec{Name: "vAppFolder"},
	}
	return []types.BaseSelectionSpec{
		traversal("parent", "ManagedEntity", "parent", again...),
		traversal("vApp", "VirtualMachine", "parentVApp", again...),
		traversal("vAppFolder", "VirtualApp", "parentFolder", again...),
	}
}

func traversal(name, kind, path string, next ...types.BaseSelectionSpec) *types.TraversalSpec {
	return &types.TraversalSpec{
		SelectionSpec: types.SelectionSpec{Name: name}, Type: kind, Path: path, SelectSet: next,
	}
}

// treeProps are the properties by which paths are told.
func treeProps() []types.PropertySpec {
	return []types.PropertySpec{
		{Type: "Folder", PathSet: []string{"name", "parent"}},
		{Type: "Datacenter", PathSet: []string{"name", "parent"}},
		{Type: "ComputeResource", PathSet: []string{"name", "parent"}},
		{Type: "VirtualApp", PathSet: []string{"name", "parentFolder", "parentVApp"}},
	}
}

// tree knows names and parents of inventory objects.
type tree map[types.ManagedObjectReference]node

type node struct {
	name   string
	parent *types.ManagedObjectReference
}

func newTree(content []types.ObjectContent) tree {
	t := tree{}
	for _, object := range content {
		t[object.Obj] = newNode(object)
	}
	return t
}

func newNode(object types.ObjectContent) node {
	props := properties(object)
	name, _ := props["name"].(string)
	n := node{name: name}
	for _, key := range []string{"parentFolder", "parentVApp", "parent"} { // a vApp's place is among the VMs, not the pools
		if ref, ok := props[key].(types.ManagedObjectReference); ok {
			n.parent = &ref
			break
		}
	}
	return n
}

// chain is the object and its ancestors below the root folder, the object first.
func (t tree) chain(ref types.ManagedObjectReference) []types.ManagedObjectReference {
	var refs []types.ManagedObjectReference
	for range maxDepth {
		n, ok := t[ref]
		if !ok || n.parent == nil { // the root folder has no part in paths
			break
		}
		refs = append(refs, ref)
		ref = *n.parent
	}
	return refs
}

// path is the inventory path, names as vSphere stores them.
func (t tree) path(ref types.ManagedObjectReference) string {
	var path strings.Builder
	chain := t.chain(ref)
	for i := len(chain) - 1; i >= 0; i-- {
		path.WriteString("/" + t[chain[i]].name)
	}
	return path.String()
}

// ancestor is the name of the nearest ancestor of one of the kinds; empty when there is none.
func (t tree) ancestor(ref types.ManagedObjectReference, kinds ...string) string {
	for _, r := range t.chain(ref) {
		for _, kind := range kinds {
			if r.Type == kind {
				return t[r].name
			}
		}
	}
	return ""
}

func properties(object types.ObjectContent) map[string]any {
	props := make(map[string]any, len(object.PropSet))
	for _, p := range object.PropSet {
		props[p.Name] = p.Val
	}
	return props
}

// decode loads an object's properties into its govmomi type. A property that may not be read is an error.
func decode[T any](object types.ObjectContent) (T, error) {
	var zero T
	v, err := mo.ObjectContentToType(object)
	if err != nil {
		return zero, fmt.Errorf("read %s %s: %w", object.Obj.Type, object.Obj.Value, classify(err))
	}
	t, ok := v.(T)
	if !ok {
		return zero, fmt.Errorf("read %s %s: the server sent a %T", object.Obj.Type, object.Obj.Value, v)
	}
	return t, nil
}
