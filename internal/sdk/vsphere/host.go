package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
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
	OverallStatus string `json:"overall_status"` // green, yellow, red, gray
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

// HostStates are the states that hosts are chosen by. A host in maintenance mode is in that state alone, whatever its
// connection is.
func HostStates() []string {
	return []string{"connected", "maintenance", "disconnected", "notResponding"}
}

// ListHosts returns the hosts that the filter chooses (by name, datacenter, cluster, folder, states, tags), sorted by path. One
// container view and one paged retrieve, whatever their number. A filter that cannot be used is a *FilterError.
func (c *Client) ListHosts(ctx context.Context, f Filter) ([]Host, error) {
	hosts, err := c.hosts(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list hosts: %w", err)
	}
	return hosts, nil
}

// GetHost finds one host by name, inventory path or moref. Two hosts of one name are sdk.ErrInvalid and their paths listed.
func (c *Client) GetHost(ctx context.Context, name string) (*Host, error) {
	hosts, err := c.hosts(ctx, Filter{})
	if err != nil {
		return nil, fmt.Errorf("get host %q: %w", name, err)
	}
	return one("host", name, hosts, func(h Host) (string, string, string) { return h.Ref, h.Name, h.Path })
}

// hosts reads the hosts and, in the same call, the folders, clusters and datacenters above them.
func (c *Client) hosts(ctx context.Context, f Filter) ([]Host, error) {
	scope, err := c.scope(ctx, KindHost, f, HostStates(), byDatacenter, byCluster, byFolder, byStates)
	if err != nil {
		return nil, err
	}
	content, err := c.list(ctx, scope, pageObjects, []string{"HostSystem"}, towardsRoot(), append(treeProps(),
		types.PropertySpec{Type: "HostSystem", PathSet: hostProps()}))
	if err != nil {
		return nil, err
	}
	tree := newTree(content)
	hosts := []Host{}
	for _, object := range content {
		if object.Obj.Type != "HostSystem" || !scope.holds(tree, object.Obj) {
			continue
		}
		system, err := decode[mo.HostSystem](object)
		if err != nil {
			return nil, err
		}
		if h := newHost(&system, tree); scope.inState(h.state()) {
			hosts = append(hosts, h)
		}
	}
	slices.SortFunc(hosts, func(a, b Host) int { return strings.Compare(a.Path, b.Path) })
	return hosts, nil
}

// hostProps are the properties that a Host is made of.
func hostProps() []string {
	return []string{
		"name", "parent", "summary.hardware", "summary.runtime", "summary.quickStats", "summary.config.product",
		"summary.overallStatus", "vm", "datastore",
	}
}

// state is one of HostStates.
func (h *Host) state() string {
	if h.Maintenance {
		return "maintenance"
	}
	return h.State
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
		OverallStatus: string(system.Summary.OverallStatus),
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
