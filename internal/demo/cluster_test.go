package demo_test

import (
	"testing"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// readCluster is a cluster with its summary, and its hosts.
func readCluster(t *testing.T, pc *property.Collector, ref types.ManagedObjectReference) (mo.ClusterComputeResource, *types.ClusterComputeResourceSummary, []mo.HostSystem) {
	t.Helper()
	var cluster mo.ClusterComputeResource
	if err := pc.RetrieveOne(t.Context(), ref, []string{"summary", "configurationEx", "host"}, &cluster); err != nil {
		t.Fatal(err)
	}
	var hosts []mo.HostSystem
	if err := pc.Retrieve(t.Context(), cluster.Host, []string{"summary"}, &hosts); err != nil {
		t.Fatal(err)
	}
	return cluster, cluster.Summary.(*types.ClusterComputeResourceSummary), hosts
}

func TestCluster_SummaryFollowsItsHosts(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Datacenters: 2, Clusters: 2, Hosts: 3, VMs: 1}))
	found, err := find.NewFinder(c.Client).ClusterComputeResource(t.Context(), "/DC1/host/DC1_C1")
	if err != nil {
		t.Fatal(err)
	}
	pc := property.DefaultCollector(c.Client)
	cluster, summary, hosts := readCluster(t, pc, found.Reference())
	one := hosts[0].Summary.Hardware
	mhz := one.CpuMhz * int32(one.NumCpuCores)
	if summary.NumHosts != 3 || summary.NumEffectiveHosts != 3 || summary.TotalCpu != 3*mhz || summary.EffectiveCpu != 3*mhz ||
		summary.TotalMemory != 3*one.MemorySize || summary.EffectiveMemory != 3*(one.MemorySize>>20) || summary.OverallStatus != "green" {
		t.Errorf("got %+v, want three hosts of %d MHz and %d bytes", summary.ComputeResourceSummary, mhz, one.MemorySize)
	}
	if use := summary.UsageSummary; use == nil || use.TotalVmCount != 1 || use.CpuDemandMhz == 0 || use.MemDemandMB == 0 || use.TotalCpuCapacityMhz != 3*mhz {
		t.Errorf("usage: got %+v, want what DRS counts", use)
	}
	config := cluster.ConfigurationEx.(*types.ClusterConfigInfoEx)
	if config.DrsConfig.DefaultVmBehavior != types.DrsBehaviorFullyAutomated || config.DasConfig.Enabled == nil || *config.DasConfig.Enabled {
		t.Errorf("got %+v %+v, want DRS fully automated and HA off", config.DrsConfig, config.DasConfig)
	}
	for _, h := range hosts {
		if h.Summary.OverallStatus != "green" {
			t.Errorf("host %s: status %q", h.Summary.Config.Name, h.Summary.OverallStatus)
		}
	}

	wait := func(task *object.Task, err error) {
		t.Helper()
		if err == nil {
			err = task.Wait(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	wait(object.NewHostSystem(c.Client, hosts[0].Self).EnterMaintenanceMode(t.Context(), 0, false, nil))
	wait(object.NewHostSystem(c.Client, hosts[1].Self).Disconnect(t.Context()))
	off := false
	wait(found.Reconfigure(t.Context(), &types.ClusterConfigSpecEx{DrsConfig: &types.ClusterDrsConfigInfo{Enabled: &off}}, true))
	_, summary, _ = readCluster(t, pc, found.Reference())
	if summary.NumHosts != 3 || summary.NumEffectiveHosts != 1 || summary.TotalCpu != 3*mhz || summary.EffectiveCpu != mhz || summary.EffectiveMemory != one.MemorySize>>20 {
		t.Errorf("got %+v, want one effective host of three", summary.ComputeResourceSummary)
	}
	if summary.UsageSummary != nil {
		t.Errorf("usage without DRS: got %+v, want none", summary.UsageSummary)
	}

	wait(object.NewHostSystem(c.Client, hosts[0].Self).ExitMaintenanceMode(t.Context(), 0))
	wait(object.NewHostSystem(c.Client, hosts[1].Self).Reconnect(t.Context(), nil, nil))
	if _, summary, _ = readCluster(t, pc, found.Reference()); summary.NumEffectiveHosts != 3 {
		t.Errorf("got %d effective hosts after all came back, want 3", summary.NumEffectiveHosts)
	}
}

func TestInventory_GuestsAreInTheFirstDatacenter(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Datacenters: 3, Clusters: 2, Hosts: 1, VMs: 1, Guests: []demo.Guest{guest(t, webPath)}}))
	vms, err := find.NewFinder(c.Client).VirtualMachineList(t.Context(), "/*/vm/*")
	if err != nil || len(vms) != 7 {
		t.Fatalf("got %v and %v, want 6 VMs and a guest", vms, err)
	}
	lease, info := export(t, findVM(t, c, webPath))
	if len(info.Items) != 1 {
		t.Errorf("the lease has %d items, want the guest's disk", len(info.Items))
	}
	if err := lease.Abort(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestOptions_TooManyHostsInAllClusters(t *testing.T) {
	if _, err := demo.Start(t.Context(), demo.Options{Datacenters: 4, Clusters: 4, Hosts: 33}); err == nil {
		t.Error("528 hosts were accepted, want at most 512")
	}
}
