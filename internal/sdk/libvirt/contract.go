package libvirt

import (
	"context"
	"log/slog"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Client is one connection to one libvirt daemon.
type Client struct{}

// Open connects to the URI (qemu:///system, qemu:///session, test:///default). A URI with a remote host is ErrInvalid for
// now and names the daemon executor. Logger may be nil.
func Open(ctx context.Context, uri string, log *slog.Logger) (*Client, error) { panic("contract") }

// Close ends the connection.
func (c *Client) Close() error { panic("contract") }

// URI is the one the client was opened with.
func (c *Client) URI() string { panic("contract") }

// Host is what the target can do.
type Host struct {
	Hostname     string   `json:"hostname"`
	Acceleration string   `json:"acceleration"` // kvm or qemu; probed by starting a vCPU, never by looking at /dev/kvm
	Emulator     string   `json:"emulator"`
	Machine      string   `json:"machine"` // canonical machine type used for new domains
	CPUs         int      `json:"cpus"`
	MemoryMB     int64    `json:"memory_mb"`
	FreeMemoryMB int64    `json:"free_memory_mb"`
	Firmware     []string `json:"firmware"` // bios, uefi, uefi-secure
	TPM          bool     `json:"tpm"`      // swtpm is there
}

// GetHost asks and probes; the answer is kept for the client's life.
func (c *Client) GetHost(ctx context.Context) (*Host, error) { panic("contract") }

// StoragePool is a libvirt storage pool.
type StoragePool struct {
	Name           string `json:"name"`
	Type           string `json:"type"` // dir, fs, netfs, logical, …
	Path           string `json:"path"`
	Active         bool   `json:"active"`
	CapacityBytes  int64  `json:"capacity_bytes"`
	AvailableBytes int64  `json:"available_bytes"`
}

// GetStoragePool refuses with ErrNotFound and names the pools there are.
func (c *Client) GetStoragePool(ctx context.Context, name string) (*StoragePool, error) {
	panic("contract")
}

// RefreshStoragePool makes the pool see files written beside libvirt.
func (c *Client) RefreshStoragePool(ctx context.Context, name string) error { panic("contract") }

// Network is a libvirt virtual network.
type Network struct {
	Name   string `json:"name"`
	Bridge string `json:"bridge"`
	Active bool   `json:"active"`
}

// ListNetworks returns all of them, sorted by name.
func (c *Client) ListNetworks(ctx context.Context) ([]Network, error) { panic("contract") }

// BridgeExists says whether a bridge of this name is there: a libvirt network's own, or one in the kernel. known is false
// when it cannot be told from here.
func (c *Client) BridgeExists(ctx context.Context, name string) (exists, known bool, err error) {
	panic("contract")
}

// Domain is a defined or running domain.
type Domain struct {
	Name      string    `json:"name"`
	UUID      string    `json:"uuid"`
	State     string    `json:"state"` // running, shutoff, paused, crashed, …
	Autostart bool      `json:"autostart"`
	MACs      []string  `json:"macs"`
	Disks     []string  `json:"disks"` // paths
	CPUs      int       `json:"cpus"`
	MemoryMB  int64     `json:"memory_mb"`
	Metadata  *Metadata `json:"metadata,omitempty"` // ours, when it carries the element
}

// Metadata is what we write into a domain's metadata element, so that it can be found again.
type Metadata struct {
	JobKey       string `json:"job_key" xml:"job"`
	SourceVM     string `json:"source_vm" xml:"source"` // inventory path
	InstanceUUID string `json:"instance_uuid" xml:"instance_uuid"`
	VCenterUUID  string `json:"vcenter_uuid" xml:"vcenter_uuid"`
	Version      string `json:"version" xml:"version"` // of hypersdk
}

// ListDomains returns all domains, running or not.
func (c *Client) ListDomains(ctx context.Context) ([]Domain, error) { panic("contract") }

// GetDomain finds one by UUID or name. ErrNotFound only when libvirt says so.
func (c *Client) GetDomain(ctx context.Context, ref string) (*Domain, error) { panic("contract") }

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
	Firmware     string // bios or uefi
	SecureBoot   bool
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

// DomainXML renders the domain; pure, so that golden files can hold it.
func DomainXML(spec DomainSpec) (string, error) { panic("contract") }

// Define defines (or redefines, same UUID) the domain and sets autostart. A domain of the same name with another UUID is
// ErrConflict.
func (c *Client) Define(ctx context.Context, spec DomainSpec) (*Domain, error) { panic("contract") }

// Start starts a defined domain; one that runs is fine.
func (c *Client) Start(ctx context.Context, uuid string) error { panic("contract") }

// Stop shuts the domain down gracefully within timeout and then, when force says so, destroys it. One that is off is fine.
func (c *Client) Stop(ctx context.Context, uuid string, timeout time.Duration, force bool) error {
	panic("contract")
}

// Undefine removes the definition with NVRAM, managed save, snapshot and checkpoint metadata. Disks stay. A missing domain
// is fine.
func (c *Client) Undefine(ctx context.Context, uuid string) error { panic("contract") }

// SetAutostart switches autostart.
func (c *Client) SetAutostart(ctx context.Context, uuid string, on bool) error { panic("contract") }

// Rename renames a domain that is shut off.
func (c *Client) Rename(ctx context.Context, uuid, name string) error { panic("contract") }

// BootSpec asks for a boot check of throw-away overlays.
type BootSpec struct {
	Domain  DomainSpec    // Disks name the overlays to boot from; they are written to
	Check   string        // none, power, console, agent, address, or tcp:PORT
	Marker  string        // console: a regular expression that proves the boot; empty: login prompts and systemd's targets
	Timeout time.Duration // 0: 5 minutes with kvm, 15 without
	Dir     string        // scratch: console log, sockets
}

// BootResult is what a boot check saw.
type BootResult struct {
	OK         bool     `json:"ok"`
	Check      string   `json:"check"`
	Hardware   Hardware `json:"hardware"`
	Evidence   string   `json:"evidence"` // the console line, the agent's answer or the address that decided
	Seconds    float64  `json:"seconds"`
	Addresses  []string `json:"addresses,omitempty"`
	ConsoleLog string   `json:"console_log,omitempty"` // file
	Tail       string   `json:"tail,omitempty"`        // last lines of the console when it failed
}

// BootCheck boots a transient domain, with its adapters on an isolated network of its own, watches it until the check is
// met, fails or times out, and destroys it and the network whatever happens. A guest that does not boot is OK == false, not an
// error; an error means that the check itself could not be made.
func (c *Client) BootCheck(ctx context.Context, spec BootSpec, report sdk.ProgressFunc) (*BootResult, error) {
	panic("contract")
}
