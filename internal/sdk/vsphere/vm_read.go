package vsphere

import (
	"context"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// vmShape is all of a VM in one call: its properties, and by traversal the names of its host, datastores, networks and
// ancestors.
func (c *Client) vmShape() shape {
	up := &types.SelectionSpec{Name: "parent"}
	vm := []string{
		"name", "parent", "parentVApp", "resourcePool", "config.template", "config.instanceUuid", "config.uuid", "config.changeVersion",
		"config.guestId", "config.guestFullName", "config.firmware", "config.bootOptions", "config.hardware", "config.files",
		"config.annotation", "config.changeTrackingEnabled", "config.ftInfo", "config.cpuAllocation", "config.memoryAllocation",
		"config.cpuHotAddEnabled", "config.cpuHotRemoveEnabled", "config.memoryHotAddEnabled", "config.hotPlugMemoryLimit",
		"config.extraConfig", "config.vAppConfig", "runtime.powerState", "runtime.connectionState", "runtime.host",
		"runtime.consolidationNeeded", "guest.hostName", "guest.ipAddress", "guest.toolsRunningStatus", "guest.net", "snapshot",
	}
	if c.knowsCustomization() {
		vm = append(vm, "guest.customizationInfo")
	}
	return shape{
		around: append(towardsRoot(),
			traversal("host", "VirtualMachine", "runtime.host", up),
			traversal("pool", "VirtualMachine", "resourcePool", up),
			traversal("datastore", "VirtualMachine", "datastore", up),
			traversal("network", "VirtualMachine", "network"),
		),
		props: append(treeProps(),
			types.PropertySpec{Type: "VirtualMachine", PathSet: vm},
			types.PropertySpec{Type: "ResourcePool", PathSet: []string{"name", "parent", "owner"}},
			types.PropertySpec{Type: "HostSystem", PathSet: []string{"name", "parent"}},
			types.PropertySpec{Type: "Datastore", PathSet: []string{"name", "parent", "summary.accessible", "summary.type"}},
			types.PropertySpec{Type: "Network", PathSet: []string{"name"}},
			types.PropertySpec{Type: "DistributedVirtualPortgroup", PathSet: []string{"name", "key"}},
			types.PropertySpec{Type: "OpaqueNetwork", PathSet: []string{"name", "summary"}},
		),
	}
}

// readVM reads a VM; reads that come together share a call.
func (c *Client) readVM(ctx context.Context, ref types.ManagedObjectReference) (*VM, error) {
	vm, _, err := c.readVMWhole(ctx, ref)
	return vm, err
}

// readVMWhole also gives the VM as vCenter told it, for those who change it.
func (c *Client) readVMWhole(ctx context.Context, ref types.ManagedObjectReference) (*VM, *mo.VirtualMachine, error) {
	content, err := c.vms.get(ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	object, err := find(content, ref)
	if err != nil {
		return nil, nil, err
	}
	m, err := decode[mo.VirtualMachine](object)
	if err != nil {
		return nil, nil, err
	}
	vm, err := newVM(&m, newSurroundings(content))
	return vm, &m, err
}

// surroundings are the names of what a VM refers to.
type surroundings struct {
	tree
	datastores map[string]datastore                    // by name, as file names carry it
	owners     map[string]types.ManagedObjectReference // of resource pools, by moref
	networks   map[string]string                       // names by moref, port group key and opaque network id
}

type datastore struct {
	ref        types.ManagedObjectReference
	accessible bool
	kind       string
}

func newSurroundings(content []types.ObjectContent) surroundings {
	s := surroundings{tree: newTree(content), datastores: map[string]datastore{}, networks: map[string]string{},
		owners: map[string]types.ManagedObjectReference{}}
	for _, object := range content {
		props := properties(object)
		name, _ := props["name"].(string)
		switch object.Obj.Type {
		case "ResourcePool", "VirtualApp":
			if owner, ok := props["owner"].(types.ManagedObjectReference); ok {
				s.owners[object.Obj.Value] = owner
			}
		case "Datastore":
			accessible, _ := props["summary.accessible"].(bool)
			kind, _ := props["summary.type"].(string)
			s.datastores[unescapeName(name)] = datastore{ref: object.Obj, accessible: accessible, kind: kind}
		case "Network", "DistributedVirtualPortgroup", "OpaqueNetwork":
			addNetwork(s.networks, object.Obj, props)
		}
	}
	return s
}

// addNetwork enters a network's name under all that adapters may call it by.
func addNetwork(networks map[string]string, ref types.ManagedObjectReference, props map[string]any) {
	stored, _ := props["name"].(string)
	name := unescapeName(stored)
	networks[ref.Value] = name
	if key, ok := props["key"].(string); ok {
		networks[key] = name
	}
	if summary, ok := props["summary"].(types.OpaqueNetworkSummary); ok {
		networks[summary.OpaqueNetworkId] = name
	}
}

func newVM(m *mo.VirtualMachine, around surroundings) (*VM, error) {
	vm := &VM{
		Ref: m.Self.Value, Path: around.path(m.Self), Name: unescapeName(m.Name),
		Datacenter: unescapeName(around.ancestor(m.Self, "Datacenter")),
		PowerState: string(m.Runtime.PowerState), ConnectionState: string(m.Runtime.ConnectionState),
		ConsolidationNeeded: m.Runtime.ConsolidationNeeded,
	}
	if m.Runtime.Host != nil {
		vm.Host = unescapeName(around.tree[*m.Runtime.Host].name)
	}
	setPlace(vm, m, around)
	if m.Config == nil {
		return nil, sdk.WithHint(sdk.Unavailablef("vCenter does not know the configuration of VM %s (%s)", vm.Name, vm.ConnectionState),
			"see whether its host is connected and its datastore reachable")
	}
	setConfig(vm, m.Config)
	if m.Guest != nil {
		setGuest(vm, m.Guest)
	}
	setCustomization(vm, m.Guest)
	if m.Snapshot != nil {
		vm.Snapshots = flatten(m.Snapshot.RootSnapshotList, nil, m.Snapshot.CurrentSnapshot)
	}
	setDevices(vm, m.Config, around)
	return vm, nil
}

func setConfig(vm *VM, config *types.VirtualMachineConfigInfo) {
	vm.Template = config.Template
	vm.InstanceUUID, vm.BIOSUUID = config.InstanceUuid, config.Uuid
	vm.ChangeVersion = config.ChangeVersion
	vm.GuestID, vm.GuestFullName = config.GuestId, config.GuestFullName
	vm.Annotation = config.Annotation
	if vm.Annotation == clearedAnnotation {
		vm.Annotation = ""
	}
	setSettings(vm, config)
	vm.CBT = config.ChangeTrackingEnabled != nil && *config.ChangeTrackingEnabled
	vm.FaultTolerance = config.FtInfo != nil
	vm.Firmware = "bios"
	if config.Firmware == string(types.GuestOsDescriptorFirmwareTypeEfi) {
		vm.Firmware = "uefi"
	}
	if boot := config.BootOptions; boot != nil && boot.EfiSecureBootEnabled != nil {
		vm.SecureBoot = *boot.EfiSecureBootEnabled
	}
	vm.CPUs, vm.MemoryMB = int(config.Hardware.NumCPU), int64(config.Hardware.MemoryMB)
	vm.CoresPerSocket = 1
	if cores := config.Hardware.NumCoresPerSocket; cores != nil && *cores > 0 {
		vm.CoresPerSocket = int(*cores)
	}
}

func setGuest(vm *VM, guest *types.GuestInfo) {
	vm.Hostname, vm.ToolsStatus, vm.IPAddress = guest.HostName, guest.ToolsRunningStatus, guest.IpAddress
	for _, nic := range guest.Net {
		ips := nic.IpAddress
		if nic.IpConfig != nil && len(nic.IpConfig.IpAddress) > 0 {
			ips = nil
			for _, ip := range nic.IpConfig.IpAddress {
				ips = append(ips, ip.IpAddress)
			}
		}
		vm.GuestNICs = append(vm.GuestNICs, GuestNIC{MAC: strings.ToLower(nic.MacAddress), Network: nic.Network, IPs: ips})
	}
}
