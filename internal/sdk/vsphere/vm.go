package vsphere

import (
	"github.com/vmware/govmomi/vim25/types"
)

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

	HostRef          string            `json:"host_ref"`
	HostPath         string            `json:"host_path"`
	Folder           string            `json:"folder"` // inventory path; of a VM in a vApp the vApp's
	FolderRef        string            `json:"folder_ref"`
	ResourcePool     string            `json:"resource_pool"` // inventory path; empty: a template
	ResourcePoolRef  string            `json:"resource_pool_ref"`
	VMXPath          string            `json:"vmx_path"`  // [datastore] dir/name.vmx
	Datastore        string            `json:"datastore"` // name of the one with the VMX file
	DatastoreRef     string            `json:"datastore_ref"`
	DatastoreCluster string            `json:"datastore_cluster"` // inventory path of the cluster that the datastore is in; empty: none
	CPUAllocation    AllocationInfo    `json:"cpu_allocation"`    // MHz
	MemoryAllocation AllocationInfo    `json:"memory_allocation"` // MB
	CPUHotAdd        bool              `json:"cpu_hot_add"`
	CPUHotRemove     bool              `json:"cpu_hot_remove"`
	MemoryHotAdd     bool              `json:"memory_hot_add"`
	MemoryHotAddMax  int64             `json:"memory_hot_add_max_mb"` // 0: not known or not running
	ExtraConfig      map[string]string `json:"extra_config"`
	VAppProperties   map[string]string `json:"vapp_properties"` // by id: the value, else the default
	CDROMs           []CDROM           `json:"cdroms"`
	IPAddress        string            `json:"ip_address"`    // the one that VMware Tools call the guest's; empty while not running
	Customization    string            `json:"customization"` // none, pending, running, succeeded or failed
	CustomizeError   string            `json:"customize_error"`
	CloneMark        string            `json:"clone_mark"` // of the clone that made it; empty: not ours

	owner types.ManagedObjectReference // the compute resource of its pool
	pod   string                       // moref of DatastoreCluster
}

// AllocationInfo is a VM's claim on its pool.
type AllocationInfo struct {
	Reservation int64  `json:"reservation"`
	Limit       int64  `json:"limit"`  // -1: none
	Shares      string `json:"shares"` // low, normal, high or custom
	ShareCount  int32  `json:"share_count"`
}

// CDROM is a CD-ROM drive of a VM.
type CDROM struct {
	Key       int32  `json:"key"`
	Label     string `json:"label"`
	ISO       string `json:"iso"`    // [datastore] path/file.iso; empty: no file
	Client    bool   `json:"client"` // the device of whoever opens the console
	Connected bool   `json:"connected"`
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
	ParentFile          string `json:"parent_file"`  // what it holds the differences to
	Provisioning        string `json:"provisioning"` // thin, lazy or eager; empty: not a file's
	UUID                string `json:"uuid"`
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
