package vsphere

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// VMSettings are the settings of a VM that a clone or an update may change. What is zero, nil or not listed is left as it is:
// unmanaged. Where zero means something the field is a pointer.
type VMSettings struct {
	CPUs             int                     `json:"cpus,omitempty"`
	CoresPerSocket   int                     `json:"cores_per_socket,omitempty"`
	MemoryMB         int64                   `json:"memory_mb,omitempty"`
	CPUAllocation    *VMAllocation           `json:"cpu_allocation,omitempty"`    // in MHz
	MemoryAllocation *VMAllocation           `json:"memory_allocation,omitempty"` // in MB
	Disks            map[string]DiskSettings `json:"disks,omitempty"`             // by address: scsi0:1. One that the VM has not is added
	NICs             map[string]NICSettings  `json:"networks,omitempty"`          // by position: "0" is the first adapter. The next free one is added
	CDROM            *CDROMSettings          `json:"cdrom,omitempty"`             // the first drive; added when there is none
	ExtraConfig      map[string]string       `json:"extra_config,omitempty"`      // an empty value removes the key
	VAppProperties   map[string]string       `json:"vapp_properties,omitempty"`   // by id; the source must define them
	Annotation       *string                 `json:"annotation,omitempty"`        // empty clears it
}

// VMAllocation is a VM's claim on its pool. Nil is unmanaged.
type VMAllocation struct {
	Reservation *int64 `json:"reservation,omitempty"`
	Limit       *int64 `json:"limit,omitempty"`       // -1: none
	Shares      string `json:"shares,omitempty"`      // low, normal, high or custom
	ShareCount  int32  `json:"share_count,omitempty"` // with custom, else ignored
}

// DiskSettings are those of one disk. A new disk needs its size; an existing one only grows.
type DiskSettings struct {
	SizeGB       int64  `json:"size_gb,omitempty"`
	Provisioning string `json:"provisioning,omitempty"` // thin, lazy or eager; chosen when the disk is made or copied
	Datastore    string `json:"datastore,omitempty"`    // path, moref or name
	Mode         string `json:"mode,omitempty"`         // persistent, independent_persistent or independent_nonpersistent
}

// NICSettings are those of one adapter. A new adapter needs its network.
type NICSettings struct {
	Network string `json:"network,omitempty"` // path, moref or name
	Type    string `json:"type,omitempty"`    // vmxnet3 (default of a new one), e1000e, e1000; another type replaces the adapter
	MAC     string `json:"mac,omitempty"`     // a static address; empty: vCenter assigns one
}

// CDROMSettings is what is in the drive: one of the two.
type CDROMSettings struct {
	ISO    string `json:"iso,omitempty"`    // [datastore] path/file.iso
	Client bool   `json:"client,omitempty"` // the device of whoever opens the console: an empty drive
}

// Validate checks the form of the settings, without a call: sdk.ErrInvalid names the setting by its JSON path.
func (s *VMSettings) Validate() error {
	switch {
	case s.CPUs < 0 || s.CPUs > maxCPUs:
		return sdk.Invalidf("cpus %d: vSphere allows 1 to %d", s.CPUs, maxCPUs)
	case s.CoresPerSocket < 0 || s.CPUs > 0 && s.CoresPerSocket > 0 && s.CPUs%s.CoresPerSocket != 0:
		return sdk.Invalidf("cores_per_socket %d: %d CPUs do not divide into sockets of so many", s.CoresPerSocket, s.CPUs)
	case s.MemoryMB != 0 && (s.MemoryMB < 4 || s.MemoryMB > maxMemoryMB || s.MemoryMB%4 != 0):
		return sdk.Invalidf("memory_mb %d: vSphere wants a multiple of 4, 4 to %d", s.MemoryMB, maxMemoryMB)
	}
	if err := s.CPUAllocation.validate("cpu_allocation"); err != nil {
		return err
	}
	if err := s.MemoryAllocation.validate("memory_allocation"); err != nil {
		return err
	}
	for name, disk := range s.Disks {
		if err := disk.validate(name); err != nil {
			return err
		}
	}
	for key, nic := range s.NICs {
		if err := nic.validate(key); err != nil {
			return err
		}
	}
	if s.CDROM != nil && s.CDROM.Client == (s.CDROM.ISO != "") {
		return sdk.Invalidf("cdrom: give an ISO file or client, one of the two")
	}
	if s.CDROM != nil && s.CDROM.ISO != "" && !datastorePath.MatchString(s.CDROM.ISO) {
		return sdk.Invalidf("cdrom.iso %q: write [datastore] directory/file.iso", s.CDROM.ISO)
	}
	for key := range s.ExtraConfig {
		if strings.TrimSpace(key) == "" || strings.HasPrefix(key, markKey) {
			return sdk.Invalidf("extra_config %q: the key is empty or this module's own", key)
		}
	}
	return nil
}

const (
	maxCPUs     = 960      // vSphere 8, "Configuration Maximums"
	maxMemoryMB = 24 << 20 // as above
	maxDiskGB   = 62 << 10 // as above
)

var datastorePath = regexp.MustCompile(`^\[[^\]]+\] *[^/ ].*$`)

func (a *VMAllocation) validate(name string) error {
	if a == nil {
		return nil
	}
	shares := []string{"", "low", "normal", "high", "custom"}
	switch {
	case a.Reservation != nil && *a.Reservation < 0:
		return sdk.Invalidf("%s.reservation %d is negative", name, *a.Reservation)
	case a.Limit != nil && *a.Limit < -1:
		return sdk.Invalidf("%s.limit %d: -1 is none", name, *a.Limit)
	case a.Limit != nil && *a.Limit >= 0 && a.Reservation != nil && *a.Reservation > *a.Limit:
		return sdk.Invalidf("%s: the reservation %d is more than the limit %d", name, *a.Reservation, *a.Limit)
	case !slices.Contains(shares, a.Shares):
		return sdk.Invalidf("%s.shares %q: write low, normal, high or custom", name, a.Shares)
	case a.Shares == "custom" && a.ShareCount <= 0:
		return sdk.Invalidf("%s.shares: custom needs a positive share_count", name)
	}
	return nil
}

func (d DiskSettings) validate(name string) error {
	if _, err := parseAddress(name); err != nil {
		return fmt.Errorf("disks: %w", err)
	}
	modes := []string{"", string(types.VirtualDiskModePersistent), string(types.VirtualDiskModeIndependent_persistent), string(types.VirtualDiskModeIndependent_nonpersistent)}
	switch {
	case d.SizeGB < 0 || d.SizeGB > maxDiskGB:
		return sdk.Invalidf("disks.%s.size_gb %d: vSphere allows 1 to %d", name, d.SizeGB, maxDiskGB)
	case !slices.Contains([]string{"", thinDisk, lazyDisk, eagerDisk}, d.Provisioning):
		return sdk.Invalidf("disks.%s.provisioning %q: write thin, lazy or eager", name, d.Provisioning)
	case !slices.Contains(modes, d.Mode):
		return sdk.Invalidf("disks.%s.mode %q: write persistent, independent_persistent or independent_nonpersistent", name, d.Mode)
	}
	return nil
}

func (n NICSettings) validate(key string) error {
	if _, err := position(key); err != nil {
		return err
	}
	if n.Type != "" {
		if _, err := newCard(n.Type, types.VirtualEthernetCard{}); err != nil {
			return fmt.Errorf("networks.%s: %w", key, err)
		}
	}
	if mac, err := net.ParseMAC(n.MAC); n.MAC != "" && (err != nil || len(mac) != 6 || mac[0]&1 != 0) {
		return sdk.Invalidf("networks.%s.mac %q: write six bytes like 00:50:56:01:02:03, not a multicast address", key, n.MAC)
	}
	return nil
}
