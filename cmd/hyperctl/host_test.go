package main

import (
	"bytes"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func sampleHosts() []vsphere.Host {
	return []vsphere.Host{
		{
			Ref: "host-9", Name: "esxi-01.example.com", Path: "/DC1/host/Cluster1/esxi-01.example.com", Datacenter: "DC1", Cluster: "Cluster1",
			State: "connected", PowerState: "poweredOn", Vendor: "Dell Inc.", Model: "PowerEdge R750", CPUModel: "Xeon Gold 6338",
			CPUSockets: 2, CPUCores: 64, CPUThreads: 128, CPUMHz: 2000, CPUTotalMHz: 128000, CPUUsageMHz: 32000,
			MemoryMB: 1048576, MemoryUsageMB: 786432, Version: "8.0.3", Build: "24022510", UptimeSeconds: 40*86400 + 3*3600, VMs: 117, Datastores: 4,
		},
		{Name: "esxi-02", State: "connected", Maintenance: true, CPUCores: 8, CPUTotalMHz: 900, MemoryMB: 512, Version: "7.0.3"},
		{Name: "gone\x1b[2J", State: "notResponding"},
	}
}

func TestHostsTable(t *testing.T) {
	want := "" +
		"NAME                 STATE          CLUSTER   CORES  CPU%   MEMORY  MEM%  VERSION  VMS\n" +
		"esxi-01.example.com  connected      Cluster1     64   25%  1.0 TiB   75%  8.0.3    117\n" +
		"esxi-02              maintenance    -             8    0%  512 MiB    0%  7.0.3      0\n" +
		"gone\\x1b[2J          notResponding  -             0     -      0 B     -  -          0\n"
	checkTable(t, hostsTable(sampleHosts()).Narrow(), want)
}

func TestHostTable(t *testing.T) {
	want := `Name:        esxi-01.example.com
Path:        /DC1/host/Cluster1/esxi-01.example.com
Reference:   host-9
Datacenter:  DC1
Cluster:     Cluster1
State:       connected
Power:       poweredOn
Uptime:      40 d 3 h
Hardware:    Dell Inc. PowerEdge R750
CPU:         Xeon Gold 6338
Cores:       64 in 2 sockets, 128 threads
CPU use:     32 GHz of 128 GHz (25%)
Memory use:  768 GiB of 1.0 TiB (75%)
Version:     8.0.3 build 24022510
VMs:         117
Datastores:  4
`
	checkTable(t, hostTable(&sampleHosts()[0]), want)
}

func checkTable(t *testing.T, table cli.Table, want string) {
	t.Helper()
	var got bytes.Buffer
	if err := table.Write(&got); err != nil {
		t.Fatal(err)
	}
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}
