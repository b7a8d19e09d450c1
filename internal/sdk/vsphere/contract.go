package vsphere

import (
	"context"
	"log/slog"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

// Config says how to reach and trust one vCenter. URL and Username are required.
type Config struct {
	URL        string // https://host[:port][/sdk]; user info in it is refused
	Username   string
	Password   Secret
	CAFile     string // PEM file with the certificates to trust; empty: the system's
	Thumbprint string // SHA-1 or SHA-256 of the server's certificate, colons optional; trusts exactly that one
	Insecure   bool   // true: any certificate
	MaxCalls   int    // calls in flight; 0: 16
	KeepAlive  time.Duration
	Logger     *slog.Logger // nil: silent
}

// Secret is a string that never shows itself in logs or formatted text.
type Secret string

func (Secret) String() string       { return "[redacted]" }
func (Secret) GoString() string     { return "[redacted]" }
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Client is one session at one vCenter.
type Client struct{}

// Dial connects, checks the certificate and logs in.
func Dial(ctx context.Context, cfg Config) (*Client, error) { panic("contract") }

// Close logs out. It is safe to call twice.
func (c *Client) Close(ctx context.Context) error { panic("contract") }

// VCenter describes the server.
type VCenter struct {
	Name         string `json:"name"`
	FullName     string `json:"full_name"`
	Version      string `json:"version"`
	Build        string `json:"build"`
	APIVersion   string `json:"api_version"`
	APIType      string `json:"api_type"`
	OSType       string `json:"os_type"`
	InstanceUUID string `json:"instance_uuid"`
	URL          string `json:"url"`
}

// GetVCenter answers from the session's own service content, without a call.
func (c *Client) GetVCenter(ctx context.Context) (*VCenter, error) { panic("contract") }

// Host is an ESXi host.
type Host struct {
	Ref           string `json:"ref"`
	Name          string `json:"name"`
	Path          string `json:"path"`
	Datacenter    string `json:"datacenter"`
	Cluster       string `json:"cluster"` // empty: standalone
	State         string `json:"state"`   // connected, disconnected, notResponding
	PowerState    string `json:"power_state"`
	Maintenance   bool   `json:"maintenance"`
	Vendor        string `json:"vendor"`
	Model         string `json:"model"`
	CPUModel      string `json:"cpu_model"`
	CPUSockets    int    `json:"cpu_sockets"`
	CPUCores      int    `json:"cpu_cores"`
	CPUThreads    int    `json:"cpu_threads"`
	CPUMHz        int    `json:"cpu_mhz"`       // per core
	CPUTotalMHz   int    `json:"cpu_total_mhz"` // cores × MHz
	CPUUsageMHz   int    `json:"cpu_usage_mhz"`
	MemoryMB      int64  `json:"memory_mb"`
	MemoryUsageMB int64  `json:"memory_usage_mb"`
	Version       string `json:"version"`
	Build         string `json:"build"`
	UptimeSeconds int64  `json:"uptime_seconds"`
	VMs           int    `json:"vms"`
	Datastores    int    `json:"datastores"`
}

// ListHosts returns the hosts whose name or inventory path matches the glob pattern (empty: all), sorted by path. One
// container view and one paged retrieve, whatever their number.
func (c *Client) ListHosts(ctx context.Context, pattern string) ([]Host, error) { panic("contract") }

// GetHost finds one host by name, inventory path or moref.
func (c *Client) GetHost(ctx context.Context, name string) (*Host, error) { panic("contract") }

// VM is a virtual machine as a migration needs to know it.
type VM struct {
	Ref                 string     `json:"ref"`  // moref value: vm-42
	Path                string     `json:"path"` // inventory path: /DC1/vm/web-01, names URL-escaped as vSphere stores them
	Name                string     `json:"name"`
	Datacenter          string     `json:"datacenter"`
	InstanceUUID        string     `json:"instance_uuid"`
	BIOSUUID            string     `json:"bios_uuid"`
	ChangeVersion       string     `json:"change_version"`
	Template            bool       `json:"template"`
	PowerState          string     `json:"power_state"` // poweredOn, poweredOff, suspended
	ConnectionState     string     `json:"connection_state"`
	Host                string     `json:"host"`
	GuestID             string     `json:"guest_id"` // debian12_64Guest
	GuestFullName       string     `json:"guest_full_name"`
	Hostname            string     `json:"hostname"`
	ToolsStatus         string     `json:"tools_status"` // guestToolsRunning, guestToolsNotRunning, …
	GuestNICs           []GuestNIC `json:"guest_nics"`
	Firmware            string     `json:"firmware"` // bios or uefi
	SecureBoot          bool       `json:"secure_boot"`
	TPM                 bool       `json:"tpm"`
	CPUs                int        `json:"cpus"`
	CoresPerSocket      int        `json:"cores_per_socket"`
	MemoryMB            int64      `json:"memory_mb"`
	Annotation          string     `json:"annotation"`
	Disks               []Disk     `json:"disks"` // in boot order: configured boot order first, then controller type, bus, unit
	NICs                []NIC      `json:"nics"`
	Passthrough         []string   `json:"passthrough"` // labels of PCI passthrough, SR-IOV and vGPU devices
	USB                 []string   `json:"usb"`         // labels of USB devices passed through
	Snapshots           []Snapshot `json:"snapshots"`   // flat, parents first
	ConsolidationNeeded bool       `json:"consolidation_needed"`
	CBT                 bool       `json:"cbt"`
	FaultTolerance      bool       `json:"fault_tolerance"`
}

// Disk is a virtual disk of a VM.
type Disk struct {
	Key                 int32  `json:"key"`
	Address             string `json:"address"` // controller kind, bus and unit: scsi0:1, sata0:0, ide1:0, nvme0:2
	Label               string `json:"label"`
	Controller          string `json:"controller"` // pvscsi, lsilogic, lsisas, buslogic, ahci, ide, nvme
	CapacityBytes       int64  `json:"capacity_bytes"`
	File                string `json:"file"` // [datastore] dir/name.vmdk
	Datastore           string `json:"datastore"`
	DatastoreAccessible bool   `json:"datastore_accessible"`
	DatastoreType       string `json:"datastore_type"` // VMFS, NFS, vsan, …
	Mode                string `json:"mode"`           // persistent, independent_persistent, independent_nonpersistent
	RDM                 bool   `json:"rdm"`
	Shared              bool   `json:"shared"` // multi-writer, or a controller that shares its bus
	Thin                bool   `json:"thin"`
	HasParent           bool   `json:"has_parent"`
}

// NIC is a network adapter of a VM.
type NIC struct {
	Key            int32  `json:"key"`
	Label          string `json:"label"`
	MAC            string `json:"mac"`     // lower case, colons
	Network        string `json:"network"` // its name; a distributed port group's name, not its key
	Type           string `json:"type"`    // vmxnet3, e1000, e1000e, sriov, …
	Connected      bool   `json:"connected"`
	StartConnected bool   `json:"start_connected"`
}

// GuestNIC is what VMware Tools last said about an adapter.
type GuestNIC struct {
	MAC     string   `json:"mac"`
	Network string   `json:"network"`
	IPs     []string `json:"ips"`
}

// Snapshot of a VM.
type Snapshot struct {
	Ref     string    `json:"ref"`
	Name    string    `json:"name"`
	Path    string    `json:"path"` // names of its ancestors and its own, joined by /
	Created time.Time `json:"created"`
	Current bool      `json:"current"`
}

// GetVM finds one VM by inventory path, moref, instance UUID or name. A name that several VMs carry is ErrInvalid and lists
// their paths.
func (c *Client) GetVM(ctx context.Context, ref string) (*VM, error) { panic("contract") }

// ShutdownVM asks the guest to shut down through VMware Tools and waits, at most timeout, until the VM is powered off. A VM
// that is off already is fine. It never powers a VM off hard.
func (c *Client) ShutdownVM(ctx context.Context, vm *VM, timeout time.Duration) error {
	panic("contract")
}

// PowerOnVM powers the VM on and waits for the task. A VM that is on already is fine.
func (c *Client) PowerOnVM(ctx context.Context, vm *VM) error { panic("contract") }

// DisconnectNICs makes every adapter start disconnected, so that a power-on by mistake meets no network.
func (c *Client) DisconnectNICs(ctx context.Context, vm *VM) error { panic("contract") }

// ReconnectNICs undoes DisconnectNICs for the adapters given by device key.
func (c *Client) ReconnectNICs(ctx context.Context, vm *VM, keys []int32) error { panic("contract") }

// Source serves the VM's disks for export over HttpNfcLease.
func (c *Client) Source(vm *VM) export.Source { panic("contract") }
