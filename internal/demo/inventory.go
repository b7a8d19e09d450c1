package demo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	datastoreName = "LocalDS_0"
	hardware      = "vmx-20" // of vSphere 8.0
)

// building is held while a model is made: that writes to variables of the simulator's package.
var building sync.Mutex

// newModel makes the inventory without guests: datacenters with clusters, each datacenter with one datastore and two networks.
func newModel(opts Options) (*simulator.Model, error) {
	m := simulator.VPX()
	m.ServiceContent.About = about(opts)
	m.Datacenter, m.Cluster = opts.Datacenters, opts.Clusters
	m.Host, m.ClusterHost, m.Machine = 0, opts.Hosts, opts.VMs
	m.Datastore = opts.Datastores
	if opts.DatastoreCluster {
		m.Pod = 1
	}
	building.Lock()
	err := m.Create()
	building.Unlock()
	if err != nil {
		if m.Service != nil {
			m.Remove()
		}
		return nil, fmt.Errorf("simulated inventory: %w", err)
	}
	return m, nil
}

// about is the AboutInfo of a vCenter Server 8.0 Update 3.
func about(opts Options) types.AboutInfo {
	return types.AboutInfo{
		Name:                  "VMware vCenter Server",
		FullName:              "VMware vCenter Server 8.0.3 build-24022515",
		Vendor:                "VMware, Inc.",
		Version:               "8.0.3",
		PatchLevel:            "00000",
		Build:                 "24022515",
		LocaleVersion:         "INTL",
		LocaleBuild:           "000",
		OsType:                "linux-x64",
		ProductLineId:         "vpx",
		ApiType:               "VirtualCenter",
		ApiVersion:            "8.0.3.0",
		InstanceUuid:          opts.instanceUUID(),
		LicenseProductName:    "VMware VirtualCenter Server",
		LicenseProductVersion: "8.0",
	}
}

// inventory adds guests to a model's first datacenter and cluster through its in-process client.
type inventory struct {
	model     *simulator.Model
	client    *vim25.Client
	registry  *simulator.Registry
	dc        *simulator.Datacenter
	datastore *simulator.Datastore
	pool      *object.ResourcePool
	hosts     []*object.HostSystem
}

func newInventory(ctx context.Context, m *simulator.Model) (*inventory, error) {
	client, err := vim25.NewClient(ctx, m.Service)
	if err != nil {
		return nil, err
	}
	inv := &inventory{model: m, client: client, registry: m.Map()}
	finder := find.NewFinder(client)
	dc, err := finder.Datacenter(ctx, "/DC0")
	if err != nil {
		return nil, err
	}
	inv.dc, _ = inv.registry.Get(dc.Reference()).(*simulator.Datacenter)
	if inv.dc != nil {
		inv.datastore, _ = inv.registry.FindByName(datastoreName, inv.dc.Datastore).(*simulator.Datastore)
	}
	if inv.datastore == nil {
		return nil, errors.New("simulated inventory has no datacenter or datastore")
	}
	if inv.pool, err = finder.ResourcePool(ctx, "/DC0/host/DC0_C0/Resources"); err != nil {
		return nil, err
	}
	inv.hosts, err = finder.HostSystemList(ctx, "/DC0/host/DC0_C0/*")
	return inv, err
}

// machine is a VM whose bytes we have.
type machine struct {
	guest Guest
	vm    *simulator.VirtualMachine
	disks map[int32]*image  // by device key
	flats map[string]*image // by path on the datastore: web-01/web-01-flat.vmdk
	clone *cloneGuest       // nil: of a guest that the inventory began with
}

// addGuest makes the VM of a guest, powered off.
func (inv *inventory) addGuest(ctx context.Context, index int, g Guest, images []*image) (*machine, error) {
	folders, name, err := splitPath(g.Path)
	if err != nil {
		return nil, err
	}
	folder, err := inv.folder(ctx, folders)
	if err != nil {
		return nil, err
	}
	dir := inv.freeDirectory(escapeName(name))
	diskFile := func(i int) string { return fmt.Sprintf("%s/%s.vmdk", dir, numbered(escapeName(name), i)) }
	spec, err := inv.configSpec(ctx, g, images, diskFile)
	if err != nil {
		return nil, err
	}
	// The simulator mangles the spec of a VM whose name it has to escape, so it gets the name afterwards.
	spec.Name = strings.NewReplacer("%", "_", "/", "_", `\`, "_").Replace(name)
	spec.Files = &types.VirtualMachineFileInfo{VmPathName: datastorePath(dir + "/" + escapeName(name) + ".vmx")}
	task, err := folder.CreateVM(ctx, *spec, inv.pool, inv.hosts[index%len(inv.hosts)])
	if err != nil {
		return nil, err
	}
	info, err := task.WaitForResult(ctx, nil)
	if err != nil {
		return nil, err
	}
	ref, _ := info.Result.(types.ManagedObjectReference)
	vm, ok := inv.registry.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return nil, fmt.Errorf("simulator made %v instead of a VM", ref)
	}
	m := &machine{guest: g, vm: vm, disks: map[int32]*image{}, flats: map[string]*image{}}
	return m, inv.place(m, images, diskFile)
}

// configSpec is the guest's hardware and identity.
func (inv *inventory) configSpec(ctx context.Context, g Guest, images []*image, diskFile func(int) string) (*types.VirtualMachineConfigSpec, error) {
	firmware := string(types.GuestOsDescriptorFirmwareTypeBios)
	if g.Firmware == "uefi" {
		firmware = string(types.GuestOsDescriptorFirmwareTypeEfi)
	}
	spec := &types.VirtualMachineConfigSpec{
		GuestId:           g.GuestID,
		Version:           hardware,
		Firmware:          firmware,
		NumCPUs:           int32(g.CPUs),
		NumCoresPerSocket: types.NewInt32(1),
		MemoryMB:          g.MemoryMB,
		Uuid:              identity("bios", g.Path).String(),
		InstanceUuid:      identity("instance", g.Path).String(),
		BootOptions: &types.VirtualMachineBootOptions{
			EnterBIOSSetup:       types.NewBool(false),
			EfiSecureBootEnabled: types.NewBool(false),
			BootRetryEnabled:     types.NewBool(false),
			BootRetryDelay:       10000,
			NetworkBootProtocol:  string(types.VirtualMachineBootOptionsNetworkBootProtocolTypeIpv4),
		},
	}
	devices, err := diskDevices(g, images, func(i int) string { return datastorePath(diskFile(i)) })
	if err != nil {
		return nil, err
	}
	for i, n := range g.NICs {
		backing, err := inv.network(ctx, n.Network)
		if err != nil {
			return nil, fmt.Errorf("network %q: %w", n.Network, err)
		}
		devices = append(devices, newNIC(i, n, backing))
	}
	for _, d := range devices {
		change := &types.VirtualDeviceConfigSpec{Operation: types.VirtualDeviceConfigSpecOperationAdd, Device: d}
		if _, ok := d.(*types.VirtualDisk); ok {
			change.FileOperation = types.VirtualDeviceConfigSpecFileOperationCreate
		}
		spec.DeviceChange = append(spec.DeviceChange, change)
	}
	return spec, nil
}

// place gives the VM's files on the datastore the sizes that they have on VMFS, and notes whose bytes they are.
func (inv *inventory) place(m *machine, images []*image, diskFile func(int) string) error {
	for i, d := range m.guest.Disks {
		a, err := parseAddress(d.Address)
		if err != nil {
			return err
		}
		flat := flatName(diskFile(i))
		m.disks[a.diskKey()] = images[i]
		m.flats[flat] = images[i]
		// The simulator leaves it empty; a hole costs nothing and shows the size in the datastore browser.
		if err := os.Truncate(filepath.Join(inv.datastore.Summary.Url, flat), images[i].capacity); err != nil {
			return err
		}
	}
	ctx := backgroundContext(inv.model.Service)
	ctx.WithLock(m.vm, func() {
		linkControllers(m.vm.Config.Hardware.Device)
		rename(ctx, m.vm, m.guest.Path)
		setFullName(m.vm, m.guest.GuestID)
		m.vm.RefreshStorageInfo(ctx, nil)
	})
	return nil
}

// rename gives the VM the name that its path ends in.
func rename(ctx *simulator.Context, vm *simulator.VirtualMachine, inventoryPath string) {
	name := escapeName(unescapeName(path.Base(inventoryPath)))
	ctx.Update(vm, []types.PropertyChange{
		{Name: "name", Val: name},
		{Name: "config.name", Val: name},
		{Name: "summary.config.name", Val: name},
	})
}

// linkControllers makes each controller list the keys of its devices, which the simulator does only for those it moved.
func linkControllers(devices object.VirtualDeviceList) {
	for _, d := range devices {
		c, ok := d.(types.BaseVirtualController)
		if !ok {
			continue
		}
		base := c.GetVirtualController()
		var keys []int32
		for _, child := range devices {
			if child.GetVirtualDevice().ControllerKey == base.Key {
				keys = append(keys, child.GetVirtualDevice().Key)
			}
		}
		if !slices.Equal(keys, base.Device) { // an answer that is being written may hold the device
			base.Device = keys
		}
	}
}

// folder finds or makes the folders below /DC0/vm, given by their unescaped names.
func (inv *inventory) folder(ctx context.Context, names []string) (*object.Folder, error) {
	ref := inv.dc.VmFolder
	for _, name := range names {
		parent, ok := inv.registry.Get(ref).(*simulator.Folder)
		if !ok {
			return nil, sdk.Conflictf("%v is not a folder", ref)
		}
		if child := inv.registry.FindByName(escapeName(name), parent.ChildEntity); child != nil {
			ref = child.Reference()
			continue
		}
		made, err := object.NewFolder(inv.client, ref).CreateFolder(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("folder %q: %w", name, err)
		}
		ref = made.Reference()
	}
	if ref.Type != "Folder" {
		return nil, sdk.Conflictf("%v is not a folder", ref)
	}
	return object.NewFolder(inv.client, ref), nil
}

// network finds a network by name, or makes it as a port group of the distributed switch.
func (inv *inventory) network(ctx context.Context, name string) (types.BaseVirtualDeviceBackingInfo, error) {
	found := inv.registry.FindByName(name, inv.dc.Network)
	if found == nil {
		if err := inv.addPortGroup(ctx, name); err != nil {
			return nil, err
		}
		found = inv.registry.FindByName(name, inv.dc.Network)
	}
	switch n := found.(type) {
	case *mo.Network:
		return object.NewNetwork(inv.client, n.Self).EthernetCardBackingInfo(ctx)
	case *simulator.DistributedVirtualPortgroup:
		return object.NewDistributedVirtualPortgroup(inv.client, n.Self).EthernetCardBackingInfo(ctx)
	}
	return nil, sdk.Conflictf("no adapter fits a %T", found)
}

func (inv *inventory) addPortGroup(ctx context.Context, name string) error {
	for _, dvs := range inv.registry.AllReference("") {
		s, ok := dvs.(*simulator.DistributedVirtualSwitch)
		if !ok {
			continue
		}
		task, err := object.NewDistributedVirtualSwitch(inv.client, s.Self).AddPortgroup(ctx, []types.DVPortgroupConfigSpec{{
			Name: name, Type: string(types.DistributedVirtualPortgroupPortgroupTypeEarlyBinding), NumPorts: 8,
		}})
		if err != nil {
			return err
		}
		return task.Wait(ctx)
	}
	return errors.New("simulated inventory has no distributed switch")
}

// freeDirectory names a new directory of the datastore; a name that is taken gets a number, as in vSphere.
func (inv *inventory) freeDirectory(name string) string {
	for i := 0; ; i++ {
		dir := numbered(name, i)
		if _, err := os.Lstat(filepath.Join(inv.datastore.Summary.Url, dir)); err != nil {
			return dir
		}
	}
}

// numbered appends the number of a second and later thing of one name: web-01, web-01_1.
func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s_%d", name, i)
}

func datastorePath(p string) string { return fmt.Sprintf("[%s] %s", datastoreName, p) }

// flatName is the extent beside a disk's descriptor.
func flatName(descriptor string) string {
	return descriptor[:len(descriptor)-len(path.Ext(descriptor))] + "-flat.vmdk"
}

// backgroundContext is the simulator's idea of a caller that is not a request. Each is its own owner of locks.
func backgroundContext(svc *simulator.Service) *simulator.Context {
	ctx := *svc.Context
	return &ctx
}

// listenURL is where a server that listens on host:port is reached.
func listenURL(host string) *url.URL { return &url.URL{Scheme: "https", Host: host, Path: vim25.Path} }
