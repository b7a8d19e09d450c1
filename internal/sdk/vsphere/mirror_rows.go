package vsphere

import (
	"maps"
	"slices"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// vmRow is a VM with what else tells its place.
type vmRow struct {
	VMSummary
	self, parent, host types.ManagedObjectReference
}

// mirrorRows are the rows of all kinds. They outlive a connection, so that what did not change meanwhile stays the same row.
type mirrorRows struct {
	vms         *rowTable[vmRow]
	hosts       *rowTable[Host]
	clusters    *rowTable[Cluster]
	datacenters *rowTable[Datacenter]
	pools       *rowTable[ResourcePool]
}

func newMirrorRows() *mirrorRows {
	return &mirrorRows{
		vms:         newRowTable(func(r *vmRow) string { return r.Path }),
		hosts:       newRowTable(func(r *Host) string { return r.Path }),
		clusters:    newRowTable(func(r *Cluster) string { return r.Path }),
		datacenters: newRowTable(func(r *Datacenter) string { return r.Path }),
		pools:       newRowTable(func(r *ResourcePool) string { return r.Path }),
	}
}

// settle brings the rows up to date with everything that was applied since, and says whether any changed. The first time rows of objects that
// there are not go.
func (k *mirrored) settle(first bool) (bool, error) {
	r := k.rows
	if first {
		there := func(ref types.ManagedObjectReference) bool { return k.objects[ref] != nil }
		r.vms.keep(there)
		r.hosts.keep(there)
		r.clusters.keep(there)
		r.datacenters.keep(there)
		r.pools.keep(there)
	}
	for _, derive := range []func() error{k.settleVMs, k.settleHosts, k.settleClusters, k.settleDatacenters, k.settlePools} {
		if err := derive(); err != nil {
			return false, err
		}
	}
	placed := len(k.moved) > 0
	clear(k.changed)
	clear(k.moved)
	k.renamed = false
	changed := r.vms.settle()
	changed = r.hosts.settle() || changed
	changed = r.clusters.settle() || changed
	changed = r.datacenters.settle() || changed
	changed = r.pools.settle() || changed
	if placed || k.places == nil {
		k.places = k.newPlaces()
		changed = true
	}
	return changed, nil
}

// inventory is a snapshot of the rows.
func (k *mirrored) inventory(version uint64) *Inventory {
	i := newInventory()
	i.Version, i.places = version, k.places
	i.rows = k.rows.vms.list
	i.VMs = make([]*VMSummary, len(i.rows))
	for n, row := range i.rows {
		i.VMs[n] = &row.VMSummary
	}
	i.Hosts, i.Clusters, i.Datacenters, i.ResourcePools = k.rows.hosts.list, k.rows.clusters.list, k.rows.datacenters.list, k.rows.pools.list
	return i
}

// each calls derive for the objects of a type that are stale, and removes the rows of those that are gone.
func each[T any](k *mirrored, typ string, table *rowTable[T], stale func(types.ObjectContent) bool, derive func(types.ObjectContent) (*T, error)) error {
	for ref := range k.changed {
		if ref.Type == typ && k.objects[ref] == nil {
			table.remove(ref)
		}
	}
	all := k.renamed || len(k.moved) > 0 || stale != nil
	for ref := range k.of(typ, all) {
		object := k.objects[ref]
		if object == nil || !k.changed[ref] && !k.touched(*object) && (stale == nil || !stale(*object)) {
			continue
		}
		row, err := derive(*object)
		if err != nil {
			return err
		}
		table.set(ref, row)
	}
	return nil
}

func (k *mirrored) settleVMs() error {
	return each(k, "VirtualMachine", k.rows.vms, nil, func(object types.ObjectContent) (*vmRow, error) {
		m, err := decode[mo.VirtualMachine](object)
		if err != nil {
			return nil, err
		}
		row := &vmRow{self: m.Self}
		if m.Runtime.Host != nil {
			row.host = *m.Runtime.Host
		}
		if parent := k.around.tree[m.Self].parent; parent != nil {
			row.parent = *parent
		}
		row.VMSummary = newVMSummary(&m, row.host, k.around)
		return row, nil
	})
}

func (k *mirrored) settleHosts() error {
	return each(k, "HostSystem", k.rows.hosts, nil, func(object types.ObjectContent) (*Host, error) {
		system, err := decode[mo.HostSystem](object)
		if err != nil {
			return nil, err
		}
		h := newHost(&system, k.around.tree)
		return &h, nil
	})
}

// settleClusters also heeds the hosts, whose usage is the cluster's.
func (k *mirrored) settleClusters() error {
	stale := map[types.ManagedObjectReference]bool{}
	for ref := range k.changed {
		if ref.Type != "HostSystem" {
			continue
		}
		if parent := k.around.tree[ref].parent; parent != nil {
			stale[*parent] = true
		}
	}
	return each(k, "ClusterComputeResource", k.rows.clusters, func(o types.ObjectContent) bool { return stale[o.Obj] },
		func(object types.ObjectContent) (*Cluster, error) {
			m, err := decode[mo.ClusterComputeResource](object)
			if err != nil {
				return nil, err
			}
			hosts := map[types.ManagedObjectReference]mo.HostSystem{}
			for _, ref := range m.Host {
				if host := k.objects[ref]; host != nil {
					if hosts[ref], err = decode[mo.HostSystem](only(*host, "summary.quickStats", "vm")); err != nil {
						return nil, err
					}
				}
			}
			cluster := newCluster(&m, k.around.tree, hosts)
			return &cluster, nil
		})
}

// settleDatacenters counts what is in each, when anything that counts has changed.
func (k *mirrored) settleDatacenters() error {
	counted := map[string]bool{"Datacenter": true, "ComputeResource": true, "ClusterComputeResource": true, "HostSystem": true, "Folder": true}
	stale := false
	for ref := range k.changed {
		stale = stale || counted[ref.Type]
	}
	if !stale {
		return nil
	}
	counts := map[types.ManagedObjectReference]*Datacenter{}
	for typ := range counted {
		for ref := range k.types[typ] {
			if err := count(counts, k.around.tree, only(*k.objects[ref], "parent", "vm")); err != nil {
				return err
			}
		}
	}
	return each(k, "Datacenter", k.rows.datacenters, func(types.ObjectContent) bool { return true },
		func(object types.ObjectContent) (*Datacenter, error) {
			m, err := decode[mo.Datacenter](object)
			if err != nil {
				return nil, err
			}
			datacenter := newDatacenter(&m, k.around.tree, counts[object.Obj])
			return &datacenter, nil
		})
}

// settlePools tells the paths of pools through the vApps that they are in, which lie among VMs otherwise.
func (k *mirrored) settlePools() error {
	among := k.around.tree
	if vApps := k.types["VirtualApp"]; len(vApps) > 0 {
		among = maps.Clone(among)
		for ref := range vApps {
			among[ref] = newNode(only(*k.objects[ref], "name", "parent"))
		}
	}
	return each(k, "ResourcePool", k.rows.pools, nil, func(object types.ObjectContent) (*ResourcePool, error) {
		return newResourcePool(object, among)
	})
}

// only is an object with some of its properties.
func only(object types.ObjectContent, names ...string) types.ObjectContent {
	object.PropSet = slices.DeleteFunc(slices.Clone(object.PropSet), func(p types.DynamicProperty) bool { return !slices.Contains(names, p.Name) })
	return object
}
