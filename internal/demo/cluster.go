package demo

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// configureClusters gives the clusters what the simulator leaves out of a new one: DRS fully automated and HA off, as the
// "Create a Cluster" page of "vCenter Server and Host Management" has it, and the summary that updateCluster computes. It
// also gives each host the status that its entity has (HostListSummary.overallStatus, "vSphere Web Services API").
func (v *VCenter) configureClusters() {
	ctx := backgroundContext(v.model.Service)
	for _, entity := range v.registry.All("HostSystem") {
		if host, ok := entity.(*simulator.HostSystem); ok {
			ctx.WithLock(host, func() { host.Summary.OverallStatus = host.OverallStatus })
		}
	}
	for _, entity := range v.registry.All("ClusterComputeResource") {
		cluster, ok := entity.(*simulator.ClusterComputeResource)
		if !ok {
			continue
		}
		ctx.WithLock(cluster, func() {
			if config, ok := cluster.ConfigurationEx.(*types.ClusterConfigInfoEx); ok {
				config.DrsConfig.DefaultVmBehavior = types.DrsBehaviorFullyAutomated
				config.DrsConfig.EnableVmBehaviorOverrides = types.NewBool(true)
				config.DrsConfig.VmotionRate = 3
				config.DasConfig.Enabled = types.NewBool(false)
				config.DasConfig.AdmissionControlEnabled = types.NewBool(true)
			}
		})
		v.updateCluster(ctx, cluster)
	}
}

// watchHosts keeps the clusters' summaries true once hosts begin to come, go or change: then they are computed before each
// read. Most vCenters of tests never get there.
func (v *VCenter) watchHosts(m *simulator.Method) {
	switch m.Name {
	case "EnterMaintenanceMode_Task", "ExitMaintenanceMode_Task", "DisconnectHost_Task", "ReconnectHost_Task", "AddHost_Task",
		"CreateClusterEx", "ReconfigureComputeResource_Task":
		v.restless.Store(true)
	case "RetrieveProperties", "RetrievePropertiesEx", "WaitForUpdatesEx":
		if !v.restless.Load() {
			return
		}
		ctx := backgroundContext(v.model.Service)
		for _, entity := range v.registry.All("ClusterComputeResource") {
			if cluster, ok := entity.(*simulator.ClusterComputeResource); ok {
				v.updateCluster(ctx, cluster)
			}
		}
	}
}

// updateCluster computes a cluster's summary from its hosts. ComputeResourceSummary ("vSphere Web Services API"): totals are
// of all hosts, CPU in MHz of all cores together, memory in bytes; what is effective is of the hosts that are connected and
// not in maintenance mode, its memory in MB. ClusterUsageSummary is what DRS fills, so there is none without DRS.
func (v *VCenter) updateCluster(ctx *simulator.Context, cluster *simulator.ClusterComputeResource) {
	var hosts []types.ManagedObjectReference
	var drs bool
	var status types.ManagedEntityStatus
	ctx.WithLock(cluster, func() {
		hosts, status = append(hosts, cluster.Host...), cluster.OverallStatus
		if config, ok := cluster.ConfigurationEx.(*types.ClusterConfigInfoEx); ok {
			drs = config.DrsConfig.Enabled != nil && *config.DrsConfig.Enabled
		}
	})
	total := types.ComputeResourceSummary{OverallStatus: status}
	use := &types.ClusterUsageSummary{StatsGenNumber: 1}
	for _, ref := range hosts {
		if host, ok := v.registry.Get(ref).(*simulator.HostSystem); ok {
			ctx.WithLock(host, func() { addHost(&total, use, host) })
		}
	}
	use.TotalCpuCapacityMhz, use.TotalMemCapacityMB = total.EffectiveCpu, int32(total.EffectiveMemory)
	use.CpuEntitledMhz, use.MemEntitledMB = use.CpuDemandMhz, use.MemDemandMB
	ctx.WithLock(cluster, func() {
		summary, ok := cluster.Summary.(*types.ClusterComputeResourceSummary)
		if !ok {
			return
		}
		changed := *summary // the old one may be on its way to a client
		changed.ComputeResourceSummary, changed.UsageSummary = total, nil
		if drs {
			changed.UsageSummary = use
		}
		cluster.Summary = &changed
	})
}

// addHost adds a host to a cluster's sums. The caller holds the host's lock.
func addHost(total *types.ComputeResourceSummary, use *types.ClusterUsageSummary, host *simulator.HostSystem) {
	hw := host.Summary.Hardware
	mhz := hw.CpuMhz * int32(hw.NumCpuCores)
	total.NumHosts++
	total.TotalCpu += mhz
	total.TotalMemory += hw.MemorySize
	total.NumCpuCores += hw.NumCpuCores
	total.NumCpuThreads += hw.NumCpuThreads
	use.TotalVmCount += int32(len(host.Vm))
	if host.Runtime.ConnectionState != types.HostSystemConnectionStateConnected || host.Runtime.InMaintenanceMode {
		return
	}
	total.NumEffectiveHosts++
	total.EffectiveCpu += mhz
	total.EffectiveMemory += hw.MemorySize >> 20
	use.CpuDemandMhz += host.Summary.QuickStats.OverallCpuUsage
	use.MemDemandMB += host.Summary.QuickStats.OverallMemoryUsage
}
