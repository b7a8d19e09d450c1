package vsphere

import (
	"path"
	"slices"
	"sync"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Inventory is the whole inventory at one moment. Nothing in it changes: rows are shared with the snapshots before and after, so nobody may
// write to them. Lists are sorted by path and never nil.
type Inventory struct {
	Version       uint64 // rises with every change; 0: nothing was read yet
	VMs           []*VMSummary
	Hosts         []*Host
	Clusters      []*Cluster
	Datacenters   []*Datacenter
	ResourcePools []*ResourcePool // root pools among them, vApps not

	rows    []*vmRow // of VMs
	places  places
	byRef   func() map[string]*VMSummary // made when it is first asked for
	changed chan struct{}
}

func newInventory() *Inventory {
	i := &Inventory{
		VMs: []*VMSummary{}, Hosts: []*Host{}, Clusters: []*Cluster{}, Datacenters: []*Datacenter{}, ResourcePools: []*ResourcePool{},
		changed: make(chan struct{}),
	}
	i.byRef = sync.OnceValue(func() map[string]*VMSummary {
		all := make(map[string]*VMSummary, len(i.VMs))
		for _, vm := range i.VMs {
			all[vm.Ref] = vm
		}
		return all
	})
	return i
}

// Changed is closed as soon as there is a newer snapshot, or a new status. However many changes come while nobody looks, the next Snapshot
// has them all.
func (i *Inventory) Changed() <-chan struct{} { return i.changed }

// VM is the row with this managed object id, nil when there is none.
func (i *Inventory) VM(ref string) *VMSummary { return i.byRef()[ref] }

// FilterVMs returns the VMs that the filter chooses, sorted by path, as ListVMs does but without a call. Places are found in the snapshot. A
// filter by tags, which the snapshot does not know, and one that cannot be used is a *FilterError.
func (i *Inventory) FilterVMs(f Filter) ([]*VMSummary, error) { return i.filterVMs(f, nil) }

func (i *Inventory) filterVMs(f Filter, tagged map[types.ManagedObjectReference]bool) ([]*VMSummary, error) {
	within, err := i.scope(KindVM, f, VMStates(), byDatacenter, byCluster, byFolder, byStates, byGuest, byTemplates)
	if err != nil {
		return nil, err
	}
	s := scope{filter: f}
	vms := []*VMSummary{}
	for n, vm := range i.VMs {
		row := i.rows[n]
		if (tagged == nil || tagged[row.self]) && matches(f.Name, path.Base(vm.Path), vm.Name, vm.Path) && s.holdsVM(vm) &&
			within.hold(row.parent, row.host) {
			vms = append(vms, vm)
		}
	}
	return vms, nil
}

// FilterHosts returns the hosts that the filter chooses, sorted by path, as ListHosts does but without a call.
func (i *Inventory) FilterHosts(f Filter) ([]*Host, error) {
	within, err := i.scope(KindHost, f, HostStates(), byDatacenter, byCluster, byFolder, byStates)
	if err != nil {
		return nil, err
	}
	s := scope{filter: f}
	return filtered(i.Hosts, func(h *Host) bool {
		return matches(f.Name, path.Base(h.Path), h.Name, h.Path) && s.inState(h.state()) && within.hold(refTo("HostSystem", h.Ref))
	}), nil
}

// FilterClusters returns the clusters that the filter chooses, sorted by path, as ListClusters does but without a call.
func (i *Inventory) FilterClusters(f Filter) ([]*Cluster, error) {
	within, err := i.scope(KindCluster, f, nil, byDatacenter, byFolder)
	if err != nil {
		return nil, err
	}
	return filtered(i.Clusters, func(c *Cluster) bool {
		return matches(f.Name, path.Base(c.Path), c.Name, c.Path) && within.hold(refTo("ClusterComputeResource", c.Ref))
	}), nil
}

// FilterDatacenters returns the datacenters that the filter chooses, sorted by path, as ListDatacenters does but without a call.
func (i *Inventory) FilterDatacenters(f Filter) ([]*Datacenter, error) {
	within, err := i.scope(KindDatacenter, f, nil, byFolder)
	if err != nil {
		return nil, err
	}
	return filtered(i.Datacenters, func(d *Datacenter) bool {
		return matches(f.Name, path.Base(d.Path), d.Name, d.Path) && within.hold(refTo("Datacenter", d.Ref))
	}), nil
}

// FilterResourcePools returns the pools whose name or path matches the glob pattern (empty: all), sorted by path, as ListResourcePools does but
// without a call. What is no glob is sdk.ErrInvalid.
func (i *Inventory) FilterResourcePools(pattern string) ([]*ResourcePool, error) {
	if err := CheckGlob(pattern); err != nil {
		return nil, err
	}
	return filtered(i.ResourcePools, func(p *ResourcePool) bool { return matches(pattern, p.Name, p.Path) }), nil
}

func refTo(typ, id string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: typ, Value: id}
}

func filtered[T any](rows []*T, wanted func(*T) bool) []*T {
	found := []*T{}
	for _, row := range rows {
		if wanted(row) {
			found = append(found, row)
		}
	}
	return found
}

// scope checks the filter and finds its places.
func (i *Inventory) scope(kind Kind, f Filter, states []string, fields ...string) (*placeFilter, error) {
	if err := f.check(kind, states, fields); err != nil {
		return nil, err
	}
	if len(f.Tags) > 0 {
		return nil, &FilterError{Field: "tags", Err: sdk.WithHint(sdk.Invalidf("the inventory in memory knows no tags"), "ask vCenter for the list")}
	}
	within := &placeFilter{in: i.places, known: map[types.ManagedObjectReference]uint{}}
	for _, place := range []struct {
		field string
		kind  Kind
		name  string
	}{{byDatacenter, KindDatacenter, f.Datacenter}, {byFolder, KindFolder, f.Folder}, {byCluster, KindCluster, f.Cluster}} {
		if place.name == "" {
			continue
		}
		found, err := i.places.find(place.kind, place.name)
		if err != nil {
			return nil, &FilterError{Field: place.field, Err: err}
		}
		within.places = append(within.places, found)
	}
	return within, nil
}

// places are all objects but VMs, networks and pools, as they lie in each other.
type places tree

func (k *mirrored) newPlaces() places {
	all := places{}
	for ref, n := range k.around.tree {
		switch ref.Type {
		case "VirtualMachine", "Network", "DistributedVirtualPortgroup", "OpaqueNetwork", "ResourcePool":
		default:
			all[ref] = n
		}
	}
	return all
}

// find is the one place of a kind that is meant: by inventory path, managed object id or unique name.
func (p places) find(kind Kind, name string) (types.ManagedObjectReference, error) {
	var all []types.ManagedObjectReference
	for ref := range p {
		if slices.Contains(kinds[kind], ref.Type) {
			all = append(all, ref)
		}
	}
	found, err := one(string(kind), name, all, func(ref types.ManagedObjectReference) (string, string, string) {
		return ref.Value, unescapeName(p[ref].name), tree(p).path(ref)
	})
	if err != nil {
		return types.ManagedObjectReference{}, hint(err, "name the "+string(kind)+" by its inventory path, by its managed object id, or by its name when "+
			"no other has it")
	}
	return *found, nil
}

// placeFilter remembers of every object which of the wanted places are around it.
type placeFilter struct {
	in     places
	places []types.ManagedObjectReference // at most one of each field
	known  map[types.ManagedObjectReference]uint
}

// hold says whether each wanted place is around one of the objects.
func (f *placeFilter) hold(objects ...types.ManagedObjectReference) bool {
	var around uint
	for _, ref := range objects {
		if len(f.places) > 0 {
			around |= f.around(ref)
		}
	}
	return around == 1<<len(f.places)-1
}

// around are the wanted places around an object, a bit for each.
func (f *placeFilter) around(ref types.ManagedObjectReference) uint {
	bits, ok := f.known[ref]
	if ok {
		return bits
	}
	chain := tree(f.in).chain(ref)
	for n, place := range f.places {
		if slices.Contains(chain, place) {
			bits |= 1 << n
		}
	}
	f.known[ref] = bits
	return bits
}
