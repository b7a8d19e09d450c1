package demo

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Guest is a VM of the simulated vCenter with real disks.
type Guest struct {
	Path      string   // inventory path of the VM to make: /DC0/vm/web-01; folders on the way are made
	GuestID   string   // vSphere guest id; empty: debian12_64Guest
	Firmware  string   // bios (default) or uefi
	CPUs      int      // 0: 2
	MemoryMB  int64    // 0: 1024
	Hostname  string   // what VMware Tools report once the guest ran
	IPs       []string // what VMware Tools report while it runs, on the first adapter
	Disks     []GuestDisk
	NICs      []GuestNIC // empty: one vmxnet3 on "VM Network"
	PoweredOn bool
}

// GuestDisk is one disk with its bytes.
type GuestDisk struct {
	Image      string // raw or qcow2 file, or a ready streamOptimized VMDK (.vmdk), which is served as it is
	Format     string // raw, qcow2 or vmdk; empty: by the file's name
	Address    string // scsi0:0, sata0:1, …; empty: the next unit of a ParaVirtual controller
	Controller string // of a scsi address: pvscsi (default), lsilogic, lsisas or buslogic
}

// GuestNIC is one adapter.
type GuestNIC struct {
	MAC     string // empty: derived from the VM's path
	Network string // empty: "VM Network"; one that does not exist becomes a distributed port group
	Type    string // vmxnet3 (default), e1000, e1000e
}

const defaultNetwork = "VM Network"

// completeGuests fills in every default, so that what is made of them depends on nothing else.
func completeGuests(in []Guest) ([]Guest, error) {
	out := make([]Guest, len(in))
	paths := map[string]bool{}
	for i, g := range in {
		g, err := g.complete()
		if err != nil {
			return nil, fmt.Errorf("guest %q: %w", in[i].Path, err)
		}
		if paths[g.Path] {
			return nil, sdk.Invalidf("guest %q is given twice", g.Path)
		}
		paths[g.Path] = true
		out[i] = g
	}
	return out, nil
}

func (g Guest) complete() (Guest, error) {
	if _, _, err := splitPath(g.Path); err != nil {
		return g, err
	}
	if g.GuestID == "" {
		g.GuestID = "debian12_64Guest"
	}
	if !slices.Contains(simulator.GuestID, types.VirtualMachineGuestOsIdentifier(g.GuestID)) {
		return g, sdk.Invalidf("guest id %q: vSphere has none such; debian12_64Guest is one", g.GuestID)
	}
	for _, ip := range g.IPs {
		if net.ParseIP(ip) == nil {
			return g, sdk.Invalidf("address %q: give an IPv4 or IPv6 address without a prefix", ip)
		}
	}
	if g.Firmware == "" {
		g.Firmware = "bios"
	}
	if g.Firmware != "bios" && g.Firmware != "uefi" {
		return g, sdk.Invalidf("firmware %q: give bios or uefi", g.Firmware)
	}
	if g.CPUs == 0 {
		g.CPUs = 2
	}
	if g.MemoryMB == 0 {
		g.MemoryMB = 1024
	}
	if g.CPUs < 0 || g.CPUs > 768 || g.MemoryMB < 4 || g.MemoryMB > 24<<20 {
		return g, sdk.Invalidf("%d CPUs and %d MB: vSphere has no such VM", g.CPUs, g.MemoryMB)
	}
	var err error
	if g.Disks, err = completeDisks(g.Disks); err != nil {
		return g, err
	}
	g.NICs, err = completeNICs(g.Path, g.NICs)
	return g, err
}

func completeDisks(in []GuestDisk) ([]GuestDisk, error) {
	out := slices.Clone(in)
	taken := map[string]bool{}
	controllers := map[int32]string{}
	for i := range out {
		d := &out[i]
		if d.Format == "" {
			d.Format = formatOf(d.Image)
		}
		if !slices.Contains([]string{"raw", "qcow2", "vmdk"}, d.Format) {
			return nil, sdk.Invalidf("disk %d: format %q: give raw, qcow2 or vmdk", i, d.Format)
		}
		if d.Address == "" {
			d.Address = freeAddress(out)
		}
		a, err := parseAddress(d.Address)
		if err != nil {
			return nil, fmt.Errorf("disk %d: %w", i, err)
		}
		d.Address = a.String()
		if taken[d.Address] {
			return nil, sdk.Invalidf("disk %d: address %s is taken", i, d.Address)
		}
		taken[d.Address] = true
		if err := completeController(d, a, controllers); err != nil {
			return nil, fmt.Errorf("disk %d: %w", i, err)
		}
	}
	return out, nil
}

// completeController chooses the adapter of a scsi disk; all disks of one controller must agree.
func completeController(d *GuestDisk, a address, controllers map[int32]string) error {
	if a.bus != "scsi" {
		if d.Controller != "" {
			return sdk.Invalidf("controller %q: only a scsi address has a choice", d.Controller)
		}
		return nil
	}
	had := controllers[a.num]
	if d.Controller == "" {
		d.Controller = had
	}
	if d.Controller == "" {
		d.Controller = "pvscsi"
	}
	if newSCSIController(d.Controller) == nil {
		return sdk.Invalidf("controller %q: give pvscsi, lsilogic, lsisas or buslogic", d.Controller)
	}
	if had != "" && had != d.Controller {
		return sdk.Invalidf("controller %q: scsi%d is %s already", d.Controller, a.num, had)
	}
	controllers[a.num] = d.Controller
	return nil
}

// freeAddress is the first unit of scsi0 that no disk claims, as vSphere assigns them.
func freeAddress(disks []GuestDisk) string {
	for unit := int32(0); unit < 16; unit++ {
		a := address{bus: "scsi", unit: unit}.String()
		claimed := slices.ContainsFunc(disks, func(d GuestDisk) bool { return d.Address == a })
		if unit != 7 && !claimed {
			return a
		}
	}
	return "scsi0:16" // refused by parseAddress: the controller is full
}

func formatOf(image string) string {
	switch ext := strings.ToLower(filepath.Ext(image)); ext {
	case ".qcow2", ".vmdk":
		return ext[1:]
	default:
		return "raw"
	}
}

func completeNICs(path string, in []GuestNIC) ([]GuestNIC, error) {
	out := slices.Clone(in)
	if len(out) == 0 {
		out = []GuestNIC{{}}
	}
	if len(out) > 10 {
		return nil, sdk.Invalidf("%d adapters: vSphere allows 10", len(out))
	}
	for i := range out {
		n := &out[i]
		if n.Network == "" {
			n.Network = defaultNetwork
		}
		if n.Type == "" {
			n.Type = "vmxnet3"
		}
		if newEthernetCard(n.Type) == nil {
			return nil, sdk.Invalidf("adapter %d: type %q: give vmxnet3, e1000 or e1000e", i, n.Type)
		}
		if n.MAC == "" {
			n.MAC = vCenterMAC(path, i)
		}
		mac, err := net.ParseMAC(n.MAC)
		if err != nil || len(mac) != 6 {
			return nil, sdk.Invalidf("adapter %d: MAC %q: give six bytes like 00:50:56:80:01:02", i, n.MAC)
		}
		n.MAC = mac.String()
	}
	return out, nil
}

// vCenterMAC is an address of the range that vCenter assigns from, 00:50:56:80:00:00 to 00:50:56:bf:ff:ff ("vSphere
// Networking", MAC address assignment).
func vCenterMAC(path string, index int) string {
	id := identity("mac", path, fmt.Sprint(index))
	return net.HardwareAddr{0x00, 0x50, 0x56, 0x80 | id[0]&0x3f, id[1], id[2]}.String()
}

// splitPath takes the inventory path of a VM apart: its folders below /DC0/vm and its name, both as a person types them.
func splitPath(path string) (folders []string, name string, err error) {
	rest, ok := strings.CutPrefix(path, "/DC0/vm/")
	parts := strings.Split(rest, "/")
	for i, p := range parts {
		parts[i] = unescapeName(p)
		if p == "" || len([]rune(p)) > 80 {
			ok = false
		}
	}
	if !ok {
		return nil, "", sdk.Invalidf("inventory path %q: give /DC0/vm/…/name, each part 1 to 80 characters", path)
	}
	return parts[:len(parts)-1], parts[len(parts)-1], nil
}

// escapeName writes a name as vSphere stores it: "%", "/" and "\" become their URL escapes (ManagedEntity.name, "vSphere Web
// Services API").
func escapeName(s string) string {
	return strings.NewReplacer("%", "%25", "/", "%2f", `\`, "%5c").Replace(s)
}

func unescapeName(s string) string {
	return strings.NewReplacer("%25", "%", "%2f", "/", "%2F", "/", "%5c", `\`, "%5C", `\`).Replace(s)
}
