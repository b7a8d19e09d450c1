package vsphere_test

import (
	"net/url"
	"testing"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// vim is a plain client, logged in: somebody else who works on the same vCenter.
func vim(t testing.TB, v *demo.VCenter) *vim25.Client {
	t.Helper()
	u, err := soap.ParseURL(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	sc := soap.NewClient(u, false)
	if err := sc.SetRootCAs(v.CAFile()); err != nil {
		t.Fatal(err)
	}
	c, err := vim25.NewClient(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	if err := session.NewManager(c).Login(t.Context(), url.UserPassword(v.Username(), v.Password())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sc.CloseIdleConnections)
	return c
}

// done waits for a task that was started without error.
func done(t testing.TB, task *object.Task, err error) {
	t.Helper()
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func hostRef(h vsphere.Host) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "HostSystem", Value: h.Ref}
}

func TestListHosts_States(t *testing.T) {
	v := twoByTwo(t)
	c := dial(t, v)
	all, err := c.ListHosts(t.Context(), vsphere.Filter{Datacenter: "DC0"})
	if err != nil || len(all) != 4 {
		t.Fatalf("got %v and %v, want 4 hosts", all, err)
	}
	admin := vim(t, v)
	task, err := object.NewHostSystem(admin, hostRef(all[0])).EnterMaintenanceMode(t.Context(), 0, false, nil)
	done(t, task, err)
	task, err = object.NewHostSystem(admin, hostRef(all[1])).Disconnect(t.Context())
	done(t, task, err)
	for state, want := range map[string]string{
		"maintenance": all[0].Path, "disconnected": all[1].Path, "connected": all[2].Path + " " + all[3].Path, "notResponding": "",
	} {
		got, err := c.ListHosts(t.Context(), vsphere.Filter{Datacenter: "DC0", States: []string{state}})
		if err != nil || hostPaths(got) != want {
			t.Errorf("%s: got %q and %v, want %q", state, hostPaths(got), err, want)
		}
	}

	// What the hosts can do no more, the cluster cannot either.
	cluster, err := c.GetCluster(t.Context(), "DC0_C0")
	if err != nil {
		t.Fatal(err)
	}
	if cluster.Hosts != 2 || cluster.EffectiveHosts != 0 || cluster.CPUEffectiveMHz != 0 || cluster.MemoryEffectiveMB != 0 || cluster.CPUTotalMHz == 0 {
		t.Errorf("got %+v, want two hosts and nothing effective", cluster)
	}
}

func TestListClusters(t *testing.T) {
	v := twoByTwo(t)
	c := dial(t, v)
	hosts, err := c.ListHosts(t.Context(), vsphere.Filter{Cluster: "DC0_C1"})
	if err != nil {
		t.Fatal(err)
	}
	before := v.Calls()
	clusters, err := c.ListClusters(t.Context(), vsphere.Filter{})
	if n := calls(before, v.Calls()); err != nil || len(clusters) != 4 || n > 4 {
		t.Fatalf("got %d clusters in %d calls and %v, want 4 in at most 4", len(clusters), n, err)
	}
	got := clusters[1]
	want := vsphere.Cluster{
		Ref: got.Ref, Name: "DC0_C1", Path: "/DC0/host/DC0_C1", Datacenter: "DC0", ResourcePool: got.ResourcePool, OverallStatus: "green",
		DRS: true, DRSMode: "fullyAutomated", Hosts: 2, EffectiveHosts: 2, VMs: 1, Datastores: 1, Networks: got.Networks,
	}
	for _, h := range hosts {
		want.CPUCores += h.CPUCores
		want.CPUThreads += h.CPUThreads
		want.CPUTotalMHz += h.CPUTotalMHz
		want.CPUUsageMHz += h.CPUUsageMHz
		want.MemoryUsageMB += h.MemoryUsageMB
	}
	want.CPUEffectiveMHz, want.CPUDemandMHz, want.MemoryDemandMB = want.CPUTotalMHz, want.CPUUsageMHz, want.MemoryUsageMB
	want.MemoryMB, want.MemoryEffectiveMB = got.MemoryMB, got.MemoryEffectiveMB // bytes do not round as the sum of MB does
	if got != want || got.CPUUsageMHz == 0 || got.ResourcePool == "" || got.Networks < 2 {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if sum := hosts[0].MemoryMB + hosts[1].MemoryMB; got.MemoryMB < sum || got.MemoryMB > sum+1 || got.MemoryEffectiveMB < sum || got.MemoryEffectiveMB > sum+1 {
		t.Errorf("memory %d MB, effective %d MB, want %d", got.MemoryMB, got.MemoryEffectiveMB, sum)
	}
}

func TestListClusters_Services(t *testing.T) {
	v := twoByTwo(t)
	c := dial(t, v)
	cluster, err := c.GetCluster(t.Context(), "/DC1/host/DC1_C1")
	if err != nil {
		t.Fatal(err)
	}
	on, off := true, false
	ref := types.ManagedObjectReference{Type: "ClusterComputeResource", Value: cluster.Ref}
	task, err := object.NewClusterComputeResource(vim(t, v), ref).Reconfigure(t.Context(), &types.ClusterConfigSpecEx{
		DasConfig: &types.ClusterDasConfigInfo{Enabled: &on, AdmissionControlEnabled: &on},
		DrsConfig: &types.ClusterDrsConfigInfo{Enabled: &off},
	}, true)
	done(t, task, err)
	got, err := c.GetCluster(t.Context(), cluster.Ref)
	if err != nil || !got.HA || !got.HAAdmissionControl || got.DRS || got.DRSMode != "" || got.CPUDemandMHz != 0 || got.CPUUsageMHz == 0 {
		t.Errorf("got %+v and %v, want HA alone, and the hosts' usage without DRS's demand", got, err)
	}
}

func TestListDatacenters(t *testing.T) {
	v := twoByTwo(t)
	c := dial(t, v)
	root := object.NewRootFolder(vim(t, v))
	folder, err := root.CreateFolder(t.Context(), "Europe/West")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := folder.CreateDatacenter(t.Context(), "Zürich"); err != nil {
		t.Fatal(err)
	}
	before := v.Calls()
	all, err := c.ListDatacenters(t.Context(), vsphere.Filter{})
	if n := calls(before, v.Calls()); err != nil || len(all) != 3 || n > 4 {
		t.Fatalf("got %+v in %d calls and %v, want 3 in at most 4", all, n, err)
	}
	got := all[1]
	if got.Path != "/DC1" || got.VMs != 2 || got.Hosts != 4 || got.Clusters != 2 || got.Datastores != 1 || got.Networks < 2 || got.OverallStatus != "green" {
		t.Errorf("got %+v, want DC1 with 2 VMs, 4 hosts, 2 clusters, 1 datastore", got)
	}
	empty := all[2]
	if empty.Path != "/Europe%2fWest/Zürich" || empty.Name != "Zürich" || empty.Hosts+empty.VMs+empty.Clusters+empty.Datastores != 0 {
		t.Errorf("got %+v, want an empty Zürich", empty)
	}
	for i, kind := range map[string]vsphere.Kind{got.VMFolder: vsphere.KindFolder, got.HostFolder: vsphere.KindFolder, got.DatastoreFolder: vsphere.KindFolder, got.NetworkFolder: vsphere.KindFolder} {
		if _, err := c.Resolve(t.Context(), kind, i); err != nil {
			t.Errorf("folder %s: %v", i, err)
		}
	}
	for _, ref := range []string{"Zürich", empty.Path, "/Europe%2FWest/Zürich", empty.Ref} {
		if d, err := c.GetDatacenter(t.Context(), ref); err != nil || *d != empty {
			t.Errorf("%s: got %+v and %v, want %+v", ref, d, err, empty)
		}
	}
	below, err := c.ListDatacenters(t.Context(), vsphere.Filter{Folder: "/Europe%2fWest"})
	if err != nil || len(below) != 1 || below[0] != empty {
		t.Errorf("below the folder: got %+v and %v, want Zürich", below, err)
	}
}

func TestListHosts_StandaloneHostIsInNoCluster(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1})
	c := dial(t, v)
	dc, err := c.GetDatacenter(t.Context(), "DC0")
	if err != nil {
		t.Fatal(err)
	}
	folder := object.NewFolder(vim(t, v), types.ManagedObjectReference{Type: "Folder", Value: dc.HostFolder})
	task, err := folder.AddStandaloneHost(t.Context(), types.HostConnectSpec{HostName: "esx-9"}, true, nil, nil)
	done(t, task, err)
	for _, f := range []vsphere.Filter{{Name: "esx-9"}, {Cluster: "/DC0/host/esx-9"}, {Folder: dc.HostFolder, Name: "/*/*/esx-9/*"}} {
		got, err := c.ListHosts(t.Context(), f)
		if err != nil || len(got) != 1 || got[0].Path != "/DC0/host/esx-9/esx-9" || got[0].Cluster != "" || got[0].Datacenter != "DC0" {
			t.Errorf("%+v: got %+v and %v, want esx-9 in no cluster", f, got, err)
		}
	}
	clusters, err := c.ListClusters(t.Context(), vsphere.Filter{})
	if err != nil || len(clusters) != 1 {
		t.Errorf("got %+v and %v, want the one cluster", clusters, err)
	}
	if dc, err = c.GetDatacenter(t.Context(), "DC0"); err != nil || dc.Hosts != 2 || dc.Clusters != 1 {
		t.Errorf("got %+v and %v, want 2 hosts and 1 cluster", dc, err)
	}
}
