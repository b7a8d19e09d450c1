package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// Cluster is a cluster of ESXi hosts.
type Cluster struct {
	Ref                string `json:"ref"`
	Name               string `json:"name"`
	Path               string `json:"path"`
	Datacenter         string `json:"datacenter"`
	ResourcePool       string `json:"resource_pool"`  // moref of the root pool
	OverallStatus      string `json:"overall_status"` // green, yellow, red, gray
	DRS                bool   `json:"drs"`
	DRSMode            string `json:"drs_mode"` // fullyAutomated, partiallyAutomated, manual; empty: DRS is off
	HA                 bool   `json:"ha"`
	HAAdmissionControl bool   `json:"ha_admission_control"` // false when HA is off
	EVCMode            string `json:"evc_mode"`             // intel-broadwell, …; empty: EVC is off
	Hosts              int    `json:"hosts"`
	EffectiveHosts     int    `json:"effective_hosts"` // connected and not in maintenance
	CPUCores           int    `json:"cpu_cores"`
	CPUThreads         int    `json:"cpu_threads"`
	CPUTotalMHz        int    `json:"cpu_total_mhz"`
	CPUEffectiveMHz    int    `json:"cpu_effective_mhz"` // for VMs
	CPUUsageMHz        int    `json:"cpu_usage_mhz"`     // of the hosts together
	CPUDemandMHz       int    `json:"cpu_demand_mhz"`    // what the running VMs would use; DRS tells it, 0 without
	MemoryMB           int64  `json:"memory_mb"`
	MemoryEffectiveMB  int64  `json:"memory_effective_mb"`
	MemoryUsageMB      int64  `json:"memory_usage_mb"`
	MemoryDemandMB     int64  `json:"memory_demand_mb"`
	VMs                int    `json:"vms"` // templates included
	Datastores         int    `json:"datastores"`
	Networks           int    `json:"networks"`
}

// ListClusters returns the clusters that the filter chooses (by name, datacenter, folder, tags), sorted by path: one container view
// and one paged retrieve. A filter that cannot be used is a *FilterError.
func (c *Client) ListClusters(ctx context.Context, f Filter) ([]Cluster, error) {
	clusters, err := c.clusters(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list clusters: %w", err)
	}
	return clusters, nil
}

// GetCluster finds one cluster by name, inventory path or moref. Two clusters of one name are sdk.ErrInvalid and their paths
// listed.
func (c *Client) GetCluster(ctx context.Context, name string) (*Cluster, error) {
	clusters, err := c.clusters(ctx, Filter{})
	if err != nil {
		return nil, fmt.Errorf("get cluster %q: %w", name, err)
	}
	return one("cluster", name, clusters, func(c Cluster) (string, string, string) { return c.Ref, c.Name, c.Path })
}

// clusters reads the clusters with their hosts' usage, and what is above them.
func (c *Client) clusters(ctx context.Context, f Filter) ([]Cluster, error) {
	scope, err := c.scope(ctx, KindCluster, f, nil, byDatacenter, byFolder)
	if err != nil {
		return nil, err
	}
	around := append(towardsRoot(), traversal("host", "ComputeResource", "host"))
	content, err := c.list(ctx, scope, pageObjects, []string{"ClusterComputeResource"}, around, []types.PropertySpec{
		{Type: "Folder", PathSet: []string{"name", "parent"}},
		{Type: "Datacenter", PathSet: []string{"name", "parent"}},
		{Type: "ClusterComputeResource", PathSet: clusterProps()},
		{Type: "HostSystem", PathSet: []string{"summary.quickStats", "vm"}},
	})
	if err != nil {
		return nil, err
	}
	tree, hosts := newTree(content), map[types.ManagedObjectReference]mo.HostSystem{}
	for _, object := range content {
		if object.Obj.Type == "HostSystem" {
			if hosts[object.Obj], err = decode[mo.HostSystem](object); err != nil {
				return nil, err
			}
		}
	}
	clusters := []Cluster{}
	for _, object := range content {
		if object.Obj.Type != "ClusterComputeResource" || !scope.holds(tree, object.Obj) {
			continue
		}
		m, err := decode[mo.ClusterComputeResource](object)
		if err != nil {
			return nil, err
		}
		clusters = append(clusters, newCluster(&m, tree, hosts))
	}
	slices.SortFunc(clusters, func(a, b Cluster) int { return strings.Compare(a.Path, b.Path) })
	return clusters, nil
}

// clusterProps are the properties that a Cluster is made of, besides those of its hosts.
func clusterProps() []string {
	return []string{"name", "parent", "resourcePool", "summary", "configurationEx", "host", "datastore", "network"}
}

func newCluster(m *mo.ClusterComputeResource, tree tree, hosts map[types.ManagedObjectReference]mo.HostSystem) Cluster {
	cl := Cluster{
		Ref: m.Self.Value, Name: unescapeName(m.Name), Path: tree.path(m.Self),
		Datacenter: unescapeName(tree.ancestor(m.Self, "Datacenter")),
		Datastores: len(m.Datastore), Networks: len(m.Network),
	}
	if m.ResourcePool != nil {
		cl.ResourcePool = m.ResourcePool.Value
	}
	for _, ref := range m.Host {
		h := hosts[ref]
		cl.CPUUsageMHz += int(h.Summary.QuickStats.OverallCpuUsage)
		cl.MemoryUsageMB += int64(h.Summary.QuickStats.OverallMemoryUsage)
		cl.VMs += len(h.Vm)
	}
	if m.Summary != nil {
		s := m.Summary.GetComputeResourceSummary()
		cl.OverallStatus = string(s.OverallStatus)
		cl.Hosts, cl.EffectiveHosts = int(s.NumHosts), int(s.NumEffectiveHosts)
		cl.CPUCores, cl.CPUThreads = int(s.NumCpuCores), int(s.NumCpuThreads)
		cl.CPUTotalMHz, cl.CPUEffectiveMHz = int(s.TotalCpu), int(s.EffectiveCpu)
		cl.MemoryMB, cl.MemoryEffectiveMB = s.TotalMemory>>20, s.EffectiveMemory // vSphere: bytes and MB
	}
	if s, ok := m.Summary.(*types.ClusterComputeResourceSummary); ok {
		cl.EVCMode = s.CurrentEVCModeKey
		if use := s.UsageSummary; use != nil {
			cl.CPUDemandMHz, cl.MemoryDemandMB = int(use.CpuDemandMhz), int64(use.MemDemandMB)
		}
	}
	if config, ok := m.ConfigurationEx.(*types.ClusterConfigInfoEx); ok {
		setServices(&cl, config)
	}
	return cl
}

// setServices tells whether and how DRS and HA work. Their settings outlive being switched off, and say nothing then.
func setServices(cl *Cluster, config *types.ClusterConfigInfoEx) {
	if cl.DRS = isOn(config.DrsConfig.Enabled); cl.DRS {
		cl.DRSMode = string(config.DrsConfig.DefaultVmBehavior)
	}
	if cl.HA = isOn(config.DasConfig.Enabled); cl.HA {
		cl.HAAdmissionControl = isOn(config.DasConfig.AdmissionControlEnabled)
	}
}

func isOn(flag *bool) bool { return flag != nil && *flag }
