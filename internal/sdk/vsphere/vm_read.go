package vsphere

import (
	"context"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// readVM reads all of a VM in one call: its properties, and by traversal the names of its host, datastores, networks and
// ancestors.
func (c *Client) readVM(ctx context.Context, ref types.ManagedObjectReference) (*VM, error) {
	around := append(towardsRoot(),
		traversal("host", "VirtualMachine", "runtime.host"),
		traversal("datastore", "VirtualMachine", "datastore"),
		traversal("network", "VirtualMachine", "network"),
	)
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref, SelectSet: around}}, append(treeProps(),
		types.PropertySpec{Type: "VirtualMachine", PathSet: []string{
			"name", "parent", "parentVApp", "config.template", "config.instanceUuid", "config.uuid", "config.changeVersion",
			"config.guestId", "config.guestFullName", "config.firmware", "config.bootOptions", "config.hardware",
			"config.annotation", "config.changeTrackingEnabled", "config.ftInfo", "runtime.powerState",
			"runtime.connectionState", "runtime.host", "runtime.consolidationNeeded", "guest.hostName",
			"guest.toolsRunningStatus", "guest.net", "snapshot",
		}},
		types.PropertySpec{Type: "HostSystem", PathSet: []string{"name"}},
		types.PropertySpec{Type: "Datastore", PathSet: []string{"name", "summary.accessible", "summary.type"}},
		types.PropertySpec{Type: "Network", PathSet: []string{"name"}},
		types.PropertySpec{Type: "DistributedVirtualPortgroup", PathSet: []string{"name", "key"}},
		types.PropertySpec{Type: "OpaqueNetwork", PathSet: []string{"name", "summary"}},
	))
	if err != nil {
		return nil, err
	}
	for _, object := range content {
		if object.Obj == ref {
			m, err := decode[mo.VirtualMachine](object)
			if err != nil {
				return nil, err
			}
			return newVM(&m, newSurroundings(content))
		}
	}
	return nil, sdk.NotFoundf("VM %s does not exist", ref.Value)
}

// surroundings are the names of what a VM refers to.
type surroundings struct {
	tree
	datastores map[string]datastore // by name, as file names carry it
	networks   map[string]string    // names by moref, port group key and opaque network id
}

type datastore struct {
	accessible bool
	kind       string
}

func newSurroundings(content []types.ObjectContent) surroundings {
	s := surroundings{tree: newTree(content), datastores: map[string]datastore{}, networks: map[string]string{}}
	for _, object := range content {
		props := properties(object)
		name, _ := props["name"].(string)
		switch object.Obj.Type {
		case "Datastore":
			accessible, _ := props["summary.accessible"].(bool)
			kind, _ := props["summary.type"].(string)
			s.datastores[unescapeName(name)] = datastore{accessible: accessible, kind: kind}
		case "Network", "DistributedVirtualPortgroup", "OpaqueNetwork":
			s.networks[object.Obj.Value] = unescapeName(name)
			if key, ok := props["key"].(string); ok {
				s.networks[key] = unescapeName(name)
			}
			if summary, ok := props["summary"].(types.OpaqueNetworkSummary); ok {
				s.networks[summary.OpaqueNetworkId] = unescapeName(name)
			}
		}
	}
	return s
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
	if m.Config == nil {
		return nil, sdk.WithHint(sdk.Unavailablef("vCenter does not know the configuration of VM %s (%s)", vm.Name, vm.ConnectionState),
			"see whether its host is connected and its datastore reachable")
	}
	setConfig(vm, m.Config)
	if m.Guest != nil {
		setGuest(vm, m.Guest)
	}
	if m.Snapshot != nil {
		vm.Snapshots = flatten(m.Snapshot.RootSnapshotList, "", m.Snapshot.CurrentSnapshot)
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
	vm.Hostname, vm.ToolsStatus = guest.HostName, guest.ToolsRunningStatus
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

// flatten lists a snapshot tree, parents first.
func flatten(trees []types.VirtualMachineSnapshotTree, parent string, current *types.ManagedObjectReference) []Snapshot {
	var all []Snapshot
	for _, t := range trees {
		path := strings.TrimPrefix(parent+"/"+t.Name, "/")
		all = append(all, Snapshot{
			Ref: t.Snapshot.Value, Name: t.Name, Path: path, Created: t.CreateTime,
			Current: current != nil && *current == t.Snapshot,
		})
		all = append(all, flatten(t.ChildSnapshotList, path, current)...)
	}
	return all
}
