package vsphere

import (
	"context"
	"fmt"
	"path"
	"sort"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Host is an ESXi host.
type Host struct {
	Ref           string `json:"ref"`
	Name          string `json:"name"`
	Path          string `json:"path"`
	Datacenter    string `json:"datacenter"`
	Cluster       string `json:"cluster"` // empty: standalone
	State         string `json:"state"`   // connected, disconnected, notResponding
	PowerState    string `json:"power_state"`
	Maintenance   bool   `json:"maintenance"`
	Vendor        string `json:"vendor"`
	Model         string `json:"model"`
	CPUModel      string `json:"cpu_model"`
	CPUSockets    int    `json:"cpu_sockets"`
	CPUCores      int    `json:"cpu_cores"`
	CPUThreads    int    `json:"cpu_threads"`
	CPUMHz        int    `json:"cpu_mhz"`       // per core
	CPUTotalMHz   int    `json:"cpu_total_mhz"` // cores × MHz
	CPUUsageMHz   int    `json:"cpu_usage_mhz"`
	MemoryMB      int64  `json:"memory_mb"`
	MemoryUsageMB int64  `json:"memory_usage_mb"`
	Version       string `json:"version"`
	Build         string `json:"build"`
	UptimeSeconds int64  `json:"uptime_seconds"`
	VMs           int    `json:"vms"`
	Datastores    int    `json:"datastores"`
}

// ListHosts returns the hosts whose name or inventory path matches the glob pattern (empty: all), sorted by path. One
// container view and one paged retrieve, whatever their number. A pattern that is no glob is sdk.ErrInvalid.
func (c *Client) ListHosts(ctx context.Context, pattern string) ([]Host, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("list hosts: pattern %q is not a glob", pattern), "use * and ?, and close every [")
	}
	hosts, err := c.hosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	matching := []Host{}
	for _, h := range hosts {
		byName, _ := path.Match(pattern, h.Name) // the pattern was checked above
		byPath, _ := path.Match(pattern, h.Path)
		if pattern == "" || byName || byPath {
			matching = append(matching, h)
		}
	}
	return matching, nil
}

// GetHost finds one host by name, inventory path or moref. Two hosts of one name are sdk.ErrInvalid and their paths listed.
func (c *Client) GetHost(ctx context.Context, name string) (*Host, error) {
	hosts, err := c.hosts(ctx)
	if err != nil {
		return nil, fmt.Errorf("get host %q: %w", name, err)
	}
	var found []Host
	var names, paths []string
	for _, h := range hosts {
		if h.Ref == name || h.Path == name {
			return &h, nil
		}
		names = append(names, h.Name)
		if h.Name == name {
			found = append(found, h)
			paths = append(paths, h.Path)
		}
	}
	switch len(found) {
	case 0:
		return nil, didYouMean(sdk.NotFoundf("host %q does not exist", name), name, names)
	case 1:
		return &found[0], nil
	}
	return nil, ambiguous("host", name, paths)
}

// hosts reads all hosts and, in the same call, the folders, clusters and datacenters above them.
func (c *Client) hosts(ctx context.Context) ([]Host, error) {
	var content []types.ObjectContent
	err := c.withView(ctx, "HostSystem", func(view types.ManagedObjectReference) error {
		var err error
		content, err = c.retrieve(ctx, []types.ObjectSpec{viewSpec(view, towardsRoot()...)}, append(treeProps(),
			types.PropertySpec{Type: "HostSystem", PathSet: []string{
				"name", "parent", "summary.hardware", "summary.runtime", "summary.quickStats", "summary.config.product",
				"vm", "datastore",
			}}))
		return err
	})
	if err != nil {
		return nil, err
	}
	tree := newTree(content)
	hosts := []Host{}
	for _, object := range content {
		if object.Obj.Type != "HostSystem" {
			continue
		}
		system, err := decode[mo.HostSystem](object)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, newHost(&system, tree))
	}
	sort.Slice(hosts, func(i, j int) bool { return hosts[i].Path < hosts[j].Path })
	return hosts, nil
}

func newHost(system *mo.HostSystem, tree tree) Host {
	h := Host{
		Ref: system.Self.Value, Name: unescapeName(system.Name), Path: tree.path(system.Self),
		Datacenter:    unescapeName(tree.ancestor(system.Self, "Datacenter")),
		Cluster:       unescapeName(tree.ancestor(system.Self, "ClusterComputeResource")),
		CPUUsageMHz:   int(system.Summary.QuickStats.OverallCpuUsage),
		MemoryUsageMB: int64(system.Summary.QuickStats.OverallMemoryUsage),
		UptimeSeconds: int64(system.Summary.QuickStats.Uptime),
		VMs:           len(system.Vm), Datastores: len(system.Datastore),
	}
	if r := system.Summary.Runtime; r != nil {
		h.State, h.PowerState, h.Maintenance = string(r.ConnectionState), string(r.PowerState), r.InMaintenanceMode
	}
	if hw := system.Summary.Hardware; hw != nil {
		h.Vendor, h.Model, h.CPUModel = hw.Vendor, hw.Model, hw.CpuModel
		h.CPUSockets, h.CPUCores, h.CPUThreads = int(hw.NumCpuPkgs), int(hw.NumCpuCores), int(hw.NumCpuThreads)
		h.CPUMHz, h.CPUTotalMHz = int(hw.CpuMhz), int(hw.CpuMhz)*int(hw.NumCpuCores)
		h.MemoryMB = hw.MemorySize >> 20
	}
	if p := system.Summary.Config.Product; p != nil {
		h.Version, h.Build = p.Version, p.Build
	}
	return h
}
