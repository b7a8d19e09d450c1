package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Datacenter holds everything that is in one place: hosts, VMs, datastores and networks, each below a folder of its own.
type Datacenter struct {
	Ref             string `json:"ref"`
	Name            string `json:"name"`
	Path            string `json:"path"`
	OverallStatus   string `json:"overall_status"` // green, yellow, red, gray
	VMFolder        string `json:"vm_folder"`      // moref, as those that follow
	HostFolder      string `json:"host_folder"`
	DatastoreFolder string `json:"datastore_folder"`
	NetworkFolder   string `json:"network_folder"`
	VMs             int    `json:"vms"` // templates included
	Hosts           int    `json:"hosts"`
	Clusters        int    `json:"clusters"`
	Datastores      int    `json:"datastores"`
	Networks        int    `json:"networks"`
}

// ListDatacenters returns the datacenters that the filter chooses (by name, folder, tags), sorted by path: one container view and
// one paged retrieve. A filter that cannot be used is a *FilterError.
func (c *Client) ListDatacenters(ctx context.Context, f Filter) ([]Datacenter, error) {
	datacenters, err := c.datacenters(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list datacenters: %w", err)
	}
	return datacenters, nil
}

// GetDatacenter finds one datacenter by name, inventory path or moref. Two datacenters of one name are sdk.ErrInvalid and
// their paths listed.
func (c *Client) GetDatacenter(ctx context.Context, name string) (*Datacenter, error) {
	datacenters, err := c.datacenters(ctx, Filter{})
	if err != nil {
		return nil, fmt.Errorf("get datacenter %q: %w", name, err)
	}
	return one("datacenter", name, datacenters, func(d Datacenter) (string, string, string) { return d.Ref, d.Name, d.Path })
}

// datacenters reads the datacenters with their clusters and hosts. VMs are counted by their hosts' lists: far fewer objects
// than the VMs themselves.
func (c *Client) datacenters(ctx context.Context, f Filter) ([]Datacenter, error) {
	scope, err := c.scope(ctx, KindDatacenter, f, nil, byFolder)
	if err != nil {
		return nil, err
	}
	kinds := []string{"Datacenter", "ComputeResource", "HostSystem"}
	content, err := c.list(ctx, scope, pageObjects, kinds, towardsRoot(), []types.PropertySpec{
		{Type: "Folder", PathSet: []string{"name", "parent"}},
		{Type: "ComputeResource", PathSet: []string{"name", "parent"}},
		{Type: "HostSystem", PathSet: []string{"parent", "vm"}},
		{Type: "Datacenter", PathSet: datacenterProps()},
	})
	if err != nil {
		return nil, err
	}
	tree, counts := newTree(content), map[types.ManagedObjectReference]*Datacenter{}
	datacenters := []Datacenter{}
	for _, object := range content {
		if err := count(counts, tree, object); err != nil {
			return nil, err
		}
	}
	for _, object := range content {
		if object.Obj.Type != "Datacenter" || !scope.holds(tree, object.Obj) {
			continue
		}
		m, err := decode[mo.Datacenter](object)
		if err != nil {
			return nil, err
		}
		datacenters = append(datacenters, newDatacenter(&m, tree, counts[object.Obj]))
	}
	slices.SortFunc(datacenters, func(a, b Datacenter) int { return strings.Compare(a.Path, b.Path) })
	return datacenters, nil
}

// datacenterProps are the properties that a Datacenter is made of, besides what lies in it.
func datacenterProps() []string {
	return []string{
		"name", "parent", "overallStatus", "vmFolder", "hostFolder", "datastoreFolder", "networkFolder", "datastore", "network",
	}
}

// count adds a host or a cluster to the counts of its datacenter.
func count(counts map[types.ManagedObjectReference]*Datacenter, tree tree, object types.ObjectContent) error {
	chain := tree.chain(object.Obj)
	i := slices.IndexFunc(chain, func(ref types.ManagedObjectReference) bool { return ref.Type == "Datacenter" })
	if i < 0 {
		return nil
	}
	sum := counts[chain[i]]
	if sum == nil {
		sum = &Datacenter{}
		counts[chain[i]] = sum
	}
	switch object.Obj.Type {
	case "ClusterComputeResource":
		sum.Clusters++
	case "HostSystem":
		h, err := decode[mo.HostSystem](object)
		if err != nil {
			return err
		}
		sum.Hosts++
		sum.VMs += len(h.Vm)
	}
	return nil
}

func newDatacenter(m *mo.Datacenter, tree tree, sum *Datacenter) Datacenter {
	return Datacenter{
		Ref: m.Self.Value, Name: unescapeName(m.Name), Path: tree.path(m.Self), OverallStatus: string(m.OverallStatus),
		VMFolder: m.VmFolder.Value, HostFolder: m.HostFolder.Value,
		DatastoreFolder: m.DatastoreFolder.Value, NetworkFolder: m.NetworkFolder.Value,
		VMs: sum.VMs, Hosts: sum.Hosts, Clusters: sum.Clusters,
		Datastores: len(m.Datastore), Networks: len(m.Network),
	}
}
