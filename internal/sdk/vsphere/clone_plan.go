package vsphere

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sort"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	planAtOnce = 8  // look-ups of so many clones at once
	maxRefused = 20 // of the clones that cannot be made, so many are told
)

// ClonePlan is a clone that was looked at and not begun.
type ClonePlan struct {
	Item           CloneItem `json:"item"`
	Name           string    `json:"name"`            // the target's; with its folder where two of one plan share it
	Path           string    `json:"path"`            // inventory path that the VM has, or will have
	SourcePath     string    `json:"source_path"`     //
	SourceTemplate bool      `json:"source_template"` // the source is a template
	Exists         bool      `json:"exists"`          // a VM of that path is there already
	PowerState     string    `json:"power_state,omitempty"`
	Ours           bool      `json:"ours"` // what exists was made by these very words

	spec CloneSpec
}

// CloneItemError says which of several clones an error is about.
type CloneItemError struct {
	Index int    // in the list that was asked for, from 0
	Where string // where the clone is written; empty: not known
	Name  string // the target's
	Err   error
}

func (e *CloneItemError) Error() string {
	at := e.Where
	if at == "" {
		at = fmt.Sprintf("clone %d", e.Index+1)
	}
	if e.Name != "" {
		at += " (" + e.Name + ")"
	}
	return at + ": " + e.Err.Error()
}

// Unwrap gives the cause.
func (e *CloneItemError) Unwrap() error { return e.Err }

// PlanClones checks a list of clones as far as that can be done without making one: the form of each, everything that they
// name, and that no two make the same VM. It changes nothing. Every clone that cannot be made is in the error, as a
// *CloneItemError; then there is no plan.
func (c *Client) PlanClones(ctx context.Context, items []CloneItem) ([]ClonePlan, error) {
	if len(items) == 0 {
		return nil, sdk.Invalidf("no clones are asked for")
	}
	if err := checkItems(items); err != nil {
		return nil, err
	}
	look := &clonePlanner{Client: c}
	plans, failed := make([]ClonePlan, len(items)), make([]error, len(items))
	next := make(chan int)
	var work sync.WaitGroup
	for range min(planAtOnce, len(items)) {
		work.Go(func() {
			for i := range next {
				if failed[i] = ctx.Err(); failed[i] == nil {
					plans[i], failed[i] = look.plan(ctx, items[i])
				}
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	work.Wait()
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%w; no clone was begun", err)
	}
	if err := refused(items, failed); err != nil {
		return nil, err
	}
	if err := distinctPlans(plans); err != nil {
		return nil, err
	}
	return plans, nil
}

// checkItems checks what needs no vCenter.
func checkItems(items []CloneItem) error {
	failed := make([]error, len(items))
	first := map[string]int{}
	for i := range items {
		if failed[i] = items[i].Validate(); failed[i] != nil {
			continue
		}
		key := items[i].Folder + "\x00" + items[i].TargetName
		if items[i].Folder == "" { // its source's
			key = items[i].SourceVM + "\x00" + key
		}
		if before, known := first[key]; known {
			failed[i] = twice(items, before)
		} else {
			first[key] = i
		}
	}
	return refused(items, failed)
}

// distinctPlans refuses two clones whose folders turned out to be the same, and tells names apart where folders do.
func distinctPlans(plans []ClonePlan) error {
	items, failed := make([]CloneItem, len(plans)), make([]error, len(plans))
	byPath, names := map[string]int{}, map[string]int{}
	for i, p := range plans {
		items[i] = p.Item
		if before, known := byPath[p.Path]; known {
			failed[i] = twice(items, before)
			continue
		}
		byPath[p.Path] = i
		names[p.Name]++
	}
	for i := range plans {
		if names[plans[i].Name] > 1 {
			plans[i].Name = plans[i].Path
		}
	}
	return refused(items, failed)
}

func twice(items []CloneItem, before int) error {
	where := items[before].Where
	if where == "" {
		where = fmt.Sprintf("clone %d", before+1)
	}
	return sdk.WithHint(sdk.Invalidf("the same VM as %s", where), "give one of the two another target_name or folder")
}

// refused is the error of all clones that cannot be made; nil: all can.
func refused(items []CloneItem, failed []error) error {
	var all []error
	for i, err := range failed {
		if err != nil {
			all = append(all, &CloneItemError{Index: i, Where: items[i].Where, Name: items[i].TargetName, Err: err})
		}
	}
	n := len(all)
	switch {
	case n == 0:
		return nil
	case len(items) == 1 && items[0].Where == "":
		return errors.Unwrap(all[0])
	case len(items) == 1:
		return all[0]
	case n > maxRefused:
		all = append(all[:maxRefused], fmt.Errorf("and %d more", n-maxRefused))
	}
	return fmt.Errorf("%d of %d clones cannot be made, and none was begun:\n%w", n, len(items), errors.Join(all...))
}

// clonePlanner looks things up for one list of clones, each thing once.
type clonePlanner struct {
	*Client
	sources once[*cloneSource]
	paths   once[string]
	pools   once[string]
}

// plan finds everything that one clone names, and what has its name already.
func (c *clonePlanner) plan(ctx context.Context, item CloneItem) (ClonePlan, error) {
	p := ClonePlan{Item: item, Name: item.TargetName}
	source, err := c.sources.get(ctx, strings.TrimSpace(item.SourceVM), func() (*cloneSource, error) {
		return c.source(ctx, item.SourceVM, true)
	})
	if err != nil {
		return p, fmt.Errorf("source: %w", err)
	}
	p.SourceTemplate = source.vm.Config.Template
	if p.SourcePath, err = c.pathOf(ctx, source.vm.Self); err != nil {
		return p, fmt.Errorf("source: %w", err)
	}
	p.spec = item.spec()
	if p.spec.ResourcePool, err = c.itemPool(ctx, item, &p); err != nil {
		return p, err
	}
	r, err := c.prepareClone(ctx, p.spec)
	if err != nil {
		return p, err
	}
	folder, err := c.pathOf(ctx, r.call.Folder)
	if err != nil {
		return p, fmt.Errorf("folder: %w", err)
	}
	p.Path = path.Join(folder, pathName(r.call.Name))
	return p, c.planExisting(ctx, r, &p)
}

// pathName is a stored name as it stands in a path.
func pathName(stored string) string { return storedName(unescapeName(stored)) }

// pathOf is the inventory path of an object, asked for once.
func (c *clonePlanner) pathOf(ctx context.Context, ref types.ManagedObjectReference) (string, error) {
	return c.paths.get(ctx, ref.String(), func() (string, error) {
		content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref, SelectSet: towardsRoot()}},
			append(treeProps(), types.PropertySpec{Type: "VirtualMachine", PathSet: []string{"name", "parent", "parentVApp"}}))
		if err != nil {
			return "", err
		}
		return newTree(content).path(ref), nil
	})
}

// itemPool is the pool that a clone is put into; empty: CloneSpec's own rule finds it.
func (c *clonePlanner) itemPool(ctx context.Context, item CloneItem, p *ClonePlan) (string, error) {
	switch {
	case item.Cluster != "":
		return c.poolInCluster(ctx, item.Cluster, item.ResourcePool)
	case item.ResourcePool == "" && item.Host == "" && p.SourceTemplate:
		return c.poolForTemplate(ctx, p.SourcePath)
	}
	return item.ResourcePool, nil
}

// poolInCluster is the moref of the cluster's root pool or, with a name or path, of the pool in that cluster.
func (c *clonePlanner) poolInCluster(ctx context.Context, cluster, pool string) (string, error) {
	owner, err := c.Resolve(ctx, KindCluster, cluster)
	if err != nil {
		return "", err
	}
	return c.pools.get(ctx, owner.Value+"\x00"+pool, func() (string, error) {
		if pool != "" {
			return c.namedPool(ctx, cluster, owner, pool)
		}
		root, err := c.rootPool(ctx, owner)
		return root.Value, err
	})
}

func (c *Client) namedPool(ctx context.Context, cluster string, owner types.ManagedObjectReference, pool string) (string, error) {
	pools, err := c.ListResourcePools(ctx, "")
	if err != nil {
		return "", err
	}
	var names, paths, found []string
	for _, p := range pools {
		if p.OwnerRef != owner.Value {
			continue
		}
		names = append(names, p.Name)
		if p.Name == pool || p.Path == pool || p.Ref == pool {
			found, paths = append(found, p.Ref), append(paths, p.Path)
		}
	}
	switch len(found) {
	case 0:
		return "", didYouMean(sdk.NotFoundf("cluster %q has no resource pool %q", cluster, pool), pool, names)
	case 1:
		return found[0], nil
	}
	return "", ambiguous(string(KindResourcePool), pool, paths)
}

// poolForTemplate is the root pool of the only cluster, else of the only host, of the template's datacenter. A template has
// no pool, and between several nothing is guessed.
func (c *clonePlanner) poolForTemplate(ctx context.Context, template string) (string, error) {
	at, err := ParseInventoryPath(template)
	if err != nil {
		return "", err
	}
	return c.pools.get(ctx, at.Datacenter, func() (string, error) {
		all, err := c.named(ctx, "ComputeResource")
		if err != nil {
			return "", err
		}
		var clusters, hosts []namedObject
		for _, o := range all {
			switch {
			case !strings.HasPrefix(o.path, at.Datacenter+"/"):
			case o.ref.Type == "ClusterComputeResource":
				clusters = append(clusters, o)
			default:
				hosts = append(hosts, o)
			}
		}
		if len(clusters) == 0 {
			clusters = hosts
		}
		if len(clusters) != 1 {
			return "", whichCluster(clusters)
		}
		root, err := c.rootPool(ctx, clusters[0].ref)
		return root.Value, err
	})
}

func whichCluster(clusters []namedObject) error {
	if len(clusters) == 0 {
		return sdk.NotFoundf("the source is a template, and its datacenter has neither cluster nor host")
	}
	var paths []string
	for _, o := range clusters {
		paths = append(paths, o.path)
	}
	sort.Strings(paths)
	return sdk.WithHint(sdk.Invalidf("the source is a template, which has no resource pool, and there are %d clusters to choose from", len(paths)),
		"name a cluster, a host or a resource pool: %s", strings.Join(paths[:min(len(paths), maxCandidates)], ", "))
}

// planExisting looks what has the clone's name already. A VM without configuration is being made: by an earlier run of this
// clone, perhaps, which Clone finds out.
func (c *Client) planExisting(ctx context.Context, r *cloneRequest, p *ClonePlan) error {
	res, err := methods.FindChild(ctx, c.vim, &types.FindChild{
		This: *c.vim.ServiceContent.SearchIndex, Entity: r.call.Folder, Name: r.call.Name,
	})
	if err != nil || res.Returnval == nil {
		return err
	}
	there := *res.Returnval
	if there.Type != "VirtualMachine" {
		return sdk.WithHint(sdk.Conflictf("%s exists and is a %s", p.Path, there.Type), "choose another name or folder")
	}
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: there}},
		[]types.PropertySpec{{Type: there.Type, PathSet: []string{"config.extraConfig", "config.instanceUuid", "runtime.powerState"}}})
	if err != nil {
		return err
	}
	own, err := find(content, there)
	if err != nil {
		return err
	}
	vm, err := decode[mo.VirtualMachine](own)
	if err != nil || vm.Config == nil {
		return err
	}
	p.Exists, p.PowerState = true, string(vm.Runtime.PowerState)
	p.Ours = optionMap(vm.Config.ExtraConfig)[markKey] == r.mark
	return nil
}
