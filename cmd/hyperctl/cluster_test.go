package main

import (
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func sampleClusters() []vsphere.Cluster {
	return []vsphere.Cluster{
		{
			Ref: "domain-c9", Name: "Cluster1", Path: "/DC1/host/Cluster1", Datacenter: "DC1", ResourcePool: "resgroup-10", OverallStatus: "green",
			DRS: true, DRSMode: "partiallyAutomated", HA: true, HAAdmissionControl: true, EVCMode: "intel-broadwell", Hosts: 4, EffectiveHosts: 3,
			CPUCores: 256, CPUThreads: 512, CPUTotalMHz: 512000, CPUEffectiveMHz: 380000, CPUUsageMHz: 128000,
			MemoryMB: 4194304, MemoryEffectiveMB: 3145728, MemoryUsageMB: 2097152, VMs: 470, Datastores: 4, Networks: 12,
		},
		{Name: "empty\x1b[2J", OverallStatus: "gray"},
	}
}

func TestClustersTable(t *testing.T) {
	want := "" +
		"NAME          STATUS  DRS                 HA    HOSTS  CORES  CPU%   MEMORY  MEM%  VMS\n" +
		"Cluster1      green   partiallyAutomated  on   3 of 4    256   25%  4.0 TiB   50%  470\n" +
		"empty\\x1b[2J  gray    off                 off       0      0     -      0 B     -    0\n"
	checkTable(t, clustersTable(sampleClusters()), want)
}

func TestClusterTable(t *testing.T) {
	want := `Name:            Cluster1
Path:            /DC1/host/Cluster1
Reference:       domain-c9
Datacenter:      DC1
Root pool:       resgroup-10
Status:          green
DRS:             partiallyAutomated
HA:              on, with admission control
EVC:             intel-broadwell
Hosts:           3 of 4
Cores:           256, 512 threads
CPU use:         128 GHz of 512 GHz (25%)
CPU for VMs:     380 GHz
Memory use:      2.0 TiB of 4.0 TiB (50%)
Memory for VMs:  3.0 TiB
VMs:             470
Datastores:      4
Networks:        12
`
	checkTable(t, clusterTable(&sampleClusters()[0]), want)
}

func TestDatacentersTable(t *testing.T) {
	want := "" +
		"NAME    PATH            STATUS  CLUSTERS  HOSTS  VMS  DATASTORES  NETWORKS\n" +
		"Zürich  /Europe/Zürich  green          2     12  470           4        12\n"
	checkTable(t, datacentersTable([]vsphere.Datacenter{
		{Name: "Zürich", Path: "/Europe/Zürich", OverallStatus: "green", Clusters: 2, Hosts: 12, VMs: 470, Datastores: 4, Networks: 12},
	}), want)
}
