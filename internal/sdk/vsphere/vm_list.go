package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// pageVMs bounds a page of VMs: each carries its devices, some 20 KB on the wire.
const pageVMs = 250

// VMSummary is a VM or a template in a list. Of a VM whose configuration vCenter cannot read (connection_state says why) only
// name, place and state are known.
type VMSummary struct {
	Ref             string   `json:"ref"`
	Name            string   `json:"name"`
	Path            string   `json:"path"`
	Datacenter      string   `json:"datacenter"`
	Folder          string   `json:"folder"`        // inventory path
	ResourcePool    string   `json:"resource_pool"` // inventory path; empty: a template
	Cluster         string   `json:"cluster"`       // empty: on a standalone host
	Host            string   `json:"host"`
	InstanceUUID    string   `json:"instance_uuid"`
	BIOSUUID        string   `json:"bios_uuid"`
	Template        bool     `json:"template"`
	PowerState      string   `json:"power_state"`      // poweredOn, poweredOff, suspended
	ConnectionState string   `json:"connection_state"` // connected, disconnected, orphaned, inaccessible, invalid
	GuestID         string   `json:"guest_id"`
	GuestFullName   string   `json:"guest_full_name"`
	Hostname        string   `json:"hostname"`
	IPAddresses     []string `json:"ip_addresses"` // VMware Tools' primary address first
	ToolsStatus     string   `json:"tools_status"` // guestToolsRunning, guestToolsNotRunning, guestToolsExecutingScripts
	Firmware        string   `json:"firmware"`     // bios or uefi
	CPUs            int      `json:"cpus"`
	MemoryMB        int64    `json:"memory_mb"`
	Annotation      string   `json:"annotation"`
	CBT             bool     `json:"cbt"`
	Disks           []VMDisk `json:"disks"` // in boot order
	NICs            []VMNIC  `json:"nics"`
	SnapshotCount   int      `json:"snapshot_count"`
	Snapshots       []string `json:"snapshots"` // names, each after those of its ancestors and a slash; parents first
}

// VMDisk is a disk of a VM in a list.
type VMDisk struct {
	Address    string  `json:"address"` // scsi0:1
	Label      string  `json:"label"`
	CapacityGB float64 `json:"capacity_gb"` // 2^30 bytes
	Thin       bool    `json:"thin"`
	Datastore  string  `json:"datastore"`
}

// VMNIC is a network adapter of a VM in a list.
type VMNIC struct {
	Label     string `json:"label"`
	MAC       string `json:"mac"`
	Network   string `json:"network"`
	Type      string `json:"type"`
	Connected bool   `json:"connected"`
}

// VMStates are the states that VMs are chosen by.
func VMStates() []string { return []string{"poweredOn", "poweredOff", "suspended"} }

// ListVMs returns the VMs and templates that the filter chooses (by name, datacenter, cluster, folder, states, guest,
// templates, tags), sorted by path: one container view and one retrieve in pages of 250. A filter that cannot be used is a
// *FilterError.
func (c *Client) ListVMs(ctx context.Context, f Filter) ([]VMSummary, error) {
	vms, err := c.listVMs(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list VMs: %w", err)
	}
	return vms, nil
}

func (c *Client) listVMs(ctx context.Context, f Filter) ([]VMSummary, error) {
	scope, err := c.scope(ctx, KindVM, f, VMStates(), byDatacenter, byCluster, byFolder, byStates, byGuest, byTemplates)
	if err != nil {
		return nil, err
	}
	content, err := c.list(ctx, scope, pageVMs, []string{"VirtualMachine"}, aroundVM(), vmSummaryProps())
	if err != nil {
		return nil, err
	}
	around := newSurroundings(content)
	vms := []VMSummary{}
	for _, object := range content {
		if object.Obj.Type != "VirtualMachine" {
			continue
		}
		m, err := decode[mo.VirtualMachine](object)
		if err != nil {
			return nil, err
		}
		var host types.ManagedObjectReference
		if m.Runtime.Host != nil {
			host = *m.Runtime.Host
		}
		if vm := newVMSummary(&m, host, around); scope.holds(around.tree, m.Self, host) && scope.holdsVM(&vm) {
			vms = append(vms, vm)
		}
	}
	slices.SortFunc(vms, func(a, b VMSummary) int { return strings.Compare(a.Path, b.Path) })
	return vms, nil
}

// aroundVM selects what tells a VM's place, and the names of its networks.
func aroundVM() []types.BaseSelectionSpec {
	up := &types.SelectionSpec{Name: "parent"}
	return append(towardsRoot(),
		traversal("host", "VirtualMachine", "runtime.host", up),
		traversal("pool", "VirtualMachine", "resourcePool", up),
		traversal("network", "VirtualMachine", "network"),
	)
}

func vmSummaryProps() []types.PropertySpec {
	return append(treeProps(),
		types.PropertySpec{Type: "VirtualMachine", PathSet: vmRowProps()},
		types.PropertySpec{Type: "HostSystem", PathSet: []string{"name", "parent"}},
		types.PropertySpec{Type: "ResourcePool", PathSet: []string{"name", "parent"}},
		types.PropertySpec{Type: "Network", PathSet: []string{"name"}},
		types.PropertySpec{Type: "DistributedVirtualPortgroup", PathSet: []string{"name", "key"}},
		types.PropertySpec{Type: "OpaqueNetwork", PathSet: []string{"name", "summary"}},
	)
}

// vmRowProps are the properties that a VMSummary is made of.
func vmRowProps() []string {
	return []string{
		"name", "parent", "parentVApp", "resourcePool", "config.template", "config.instanceUuid", "config.uuid",
		"config.guestId", "config.guestFullName", "config.firmware", "config.bootOptions", "config.hardware",
		"config.annotation", "config.changeTrackingEnabled", "runtime.powerState", "runtime.connectionState", "runtime.host",
		"guest.hostName", "guest.toolsRunningStatus", "guest.ipAddress", "guest.net", "snapshot",
	}
}

// holdsVM says whether the filter wants a VM by what it is.
func (s *scope) holdsVM(vm *VMSummary) bool {
	return s.inState(vm.PowerState) && matches(s.filter.Guest, vm.GuestID, vm.GuestFullName) &&
		(s.filter.Templates == nil || *s.filter.Templates == vm.Template)
}

func newVMSummary(m *mo.VirtualMachine, host types.ManagedObjectReference, around surroundings) VMSummary {
	s := VMSummary{
		Ref: m.Self.Value, Name: unescapeName(m.Name), Path: around.path(m.Self),
		Datacenter: unescapeName(around.ancestor(m.Self, "Datacenter")),
		Cluster:    unescapeName(around.ancestor(host, "ClusterComputeResource")),
		Host:       unescapeName(around.tree[host].name),
		PowerState: string(m.Runtime.PowerState), ConnectionState: string(m.Runtime.ConnectionState),
		IPAddresses: []string{}, Disks: []VMDisk{}, NICs: []VMNIC{}, Snapshots: []string{},
	}
	if parent := around.tree[m.Self].parent; parent != nil {
		s.Folder = around.path(*parent)
	}
	if m.ResourcePool != nil {
		s.ResourcePool = around.path(*m.ResourcePool)
	}
	if m.Config != nil {
		s.setConfig(m.Config, around)
	}
	if m.Guest != nil {
		s.setGuest(m.Guest)
	}
	if m.Snapshot != nil {
		for _, snapshot := range flatten(m.Snapshot.RootSnapshotList, nil, nil) {
			s.Snapshots = append(s.Snapshots, snapshot.Path)
		}
		s.SnapshotCount = len(s.Snapshots)
	}
	return s
}

// setConfig reads the configuration as GetVM does.
func (s *VMSummary) setConfig(config *types.VirtualMachineConfigInfo, around surroundings) {
	var vm VM
	setConfig(&vm, config)
	setDevices(&vm, config, around)
	s.InstanceUUID, s.BIOSUUID, s.Template = vm.InstanceUUID, vm.BIOSUUID, vm.Template
	s.GuestID, s.GuestFullName, s.Firmware = vm.GuestID, vm.GuestFullName, vm.Firmware
	s.CPUs, s.MemoryMB, s.Annotation, s.CBT = vm.CPUs, vm.MemoryMB, vm.Annotation, vm.CBT
	for _, d := range vm.Disks {
		s.Disks = append(s.Disks, VMDisk{
			Address: d.Address, Label: d.Label, CapacityGB: float64(d.CapacityBytes) / (1 << 30), Thin: d.Thin, Datastore: d.Datastore,
		})
	}
	for _, n := range vm.NICs {
		s.NICs = append(s.NICs, VMNIC{Label: n.Label, MAC: n.MAC, Network: n.Network, Type: n.Type, Connected: n.Connected})
	}
}

// setGuest tells what VMware Tools said. The primary address is one of the adapters', too.
func (s *VMSummary) setGuest(guest *types.GuestInfo) {
	var vm VM
	setGuest(&vm, guest)
	s.Hostname, s.ToolsStatus = vm.Hostname, vm.ToolsStatus
	ips := []string{guest.IpAddress}
	for _, nic := range vm.GuestNICs {
		ips = append(ips, nic.IPs...)
	}
	for _, ip := range ips {
		if ip != "" && !slices.Contains(s.IPAddresses, ip) {
			s.IPAddresses = append(s.IPAddresses, ip)
		}
	}
}
