package libvirt

import (
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Hardware is the family of devices that a domain shows its guest.
type Hardware string

// The families, best first. VMware is pvscsi and vmxnet3, which QEMU emulates.
const (
	HardwareVirtio Hardware = "virtio" // virtio-blk (virtio-scsi beyond 20 disks), virtio-net
	HardwareSATA   Hardware = "sata"   // AHCI and e1000e
	HardwareVMware Hardware = "vmware" // pvscsi and vmxnet3
)

// DomainSpec asks for a domain.
type DomainSpec struct {
	Name         string
	UUID         string
	Description  string
	CPUs         int
	CoresPerCPU  int // cores a socket; 0: one socket for each vCPU
	MemoryMB     int64
	Firmware     string // bios or uefi; libvirt picks the image and makes the NVRAM
	NVRAM        string // uefi: file of its variables; empty: libvirt names one
	SecureBoot   bool   // uefi only: a firmware with the vendors' keys, secure boot on
	Acceleration string // kvm or qemu
	Emulator     string // empty: the host's
	Machine      string // empty: q35
	Hardware     Hardware
	Disks        []DomainDisk // in boot order
	NICs         []DomainNIC
	ConsoleLog   string // file that receives the serial console; empty: a pty
	Autostart    bool
	Metadata     Metadata
}

// DomainDisk is one disk of a domain.
type DomainDisk struct {
	Path   string
	Format string // qcow2 or raw
	Serial string // shown to the guest; empty: none
}

// DomainNIC is one adapter of a domain. Exactly one of Bridge and Network is set.
type DomainNIC struct {
	MAC      string
	Bridge   string
	Network  string
	LinkDown bool
}

// Bounds of what a domain may be: QEMU's and libvirt's own where they have one.
const (
	maxNameBytes = 200 // the name becomes part of file names
	maxDisks     = 256
	maxNICs      = 32
)

// serialPattern is the one of libvirt's schema.
var serialPattern = regexp.MustCompile(`^[A-Za-z0-9_.+ -]*$`)

// validate finds what cannot be right about the spec whatever the host; the error is sdk.ErrInvalid.
func (s *DomainSpec) validate() error {
	if err := validName("domain", s.Name); err != nil {
		return err
	}
	if _, err := uuid.Parse(s.UUID); err != nil {
		return sdk.Invalidf("domain %q: UUID %q: %v", s.Name, s.UUID, err)
	}
	switch {
	case s.CPUs < 1:
		return sdk.Invalidf("domain %q: %d vCPUs", s.Name, s.CPUs)
	case s.CoresPerCPU < 0 || (s.CoresPerCPU > 0 && s.CPUs%s.CoresPerCPU != 0):
		return sdk.Invalidf("domain %q: %d vCPUs cannot be sockets of %d cores", s.Name, s.CPUs, s.CoresPerCPU)
	case s.MemoryMB < 1:
		return sdk.Invalidf("domain %q: %d MB of memory", s.Name, s.MemoryMB)
	case s.Firmware != FirmwareBIOS && s.Firmware != FirmwareUEFI:
		return sdk.Invalidf("domain %q: firmware %q is neither bios nor uefi", s.Name, s.Firmware)
	case s.SecureBoot && s.Firmware != FirmwareUEFI:
		return sdk.Invalidf("domain %q: secure boot needs the firmware uefi", s.Name)
	case s.Acceleration != AccelerationKVM && s.Acceleration != AccelerationQEMU:
		return sdk.Invalidf("domain %q: acceleration %q is neither kvm nor qemu", s.Name, s.Acceleration)
	case s.NVRAM != "" && !filepath.IsAbs(s.NVRAM):
		return sdk.Invalidf("domain %q: NVRAM %q is not an absolute path", s.Name, s.NVRAM)
	case len(s.Disks) > maxDisks:
		return sdk.Invalidf("domain %q: %d disks, and %d is the most", s.Name, len(s.Disks), maxDisks)
	case len(s.NICs) > maxNICs:
		return sdk.Invalidf("domain %q: %d adapters, and %d is the most", s.Name, len(s.NICs), maxNICs)
	case s.ConsoleLog != "" && !filepath.IsAbs(s.ConsoleLog):
		return sdk.Invalidf("domain %q: console log %q is not an absolute path", s.Name, s.ConsoleLog)
	}
	if _, ok := families[s.Hardware]; !ok {
		return sdk.Invalidf("domain %q: hardware %q is not one of virtio, sata, vmware", s.Name, s.Hardware)
	}
	for i, d := range s.Disks {
		if err := d.validate(); err != nil {
			return sdk.Invalidf("domain %q: disk %d: %v", s.Name, i, err)
		}
	}
	for i, n := range s.NICs {
		if err := n.validate(); err != nil {
			return sdk.Invalidf("domain %q: adapter %d: %v", s.Name, i, err)
		}
	}
	return nil
}

func (d *DomainDisk) validate() error {
	switch {
	case !filepath.IsAbs(d.Path):
		return sdk.Invalidf("path %q is not absolute", d.Path)
	case d.Format != "qcow2" && d.Format != "raw":
		return sdk.Invalidf("format %q is neither qcow2 nor raw", d.Format)
	case !serialPattern.MatchString(d.Serial):
		return sdk.Invalidf("serial %q has characters that libvirt refuses", d.Serial)
	}
	return nil
}

func (n *DomainNIC) validate() error {
	if (n.Bridge == "") == (n.Network == "") {
		return sdk.Invalidf("exactly one of bridge (%q) and network (%q) must be set", n.Bridge, n.Network)
	}
	mac, err := net.ParseMAC(n.MAC)
	if err != nil || len(mac) != 6 {
		return sdk.Invalidf("MAC address %q cannot be read", n.MAC)
	}
	if mac[0]&1 != 0 {
		return sdk.Invalidf("MAC address %s is a multicast address", n.MAC)
	}
	return nil
}

// validName refuses names that libvirt refuses, or that would not do as part of a file name.
func validName(what, name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return sdk.Invalidf("%s name %q is blank", what, name)
	case len(name) > maxNameBytes:
		return sdk.Invalidf("%s name has %d bytes, and %d is the most", what, len(name), maxNameBytes)
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl), strings.Contains(name, "/"), name == ".", name == "..":
		return sdk.Invalidf("%s name %q has characters that libvirt refuses", what, name)
	}
	return nil
}
