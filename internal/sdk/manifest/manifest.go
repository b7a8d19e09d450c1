package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Version is the only manifest_version that there is.
const Version = "1.0"

// Manifest describes the disks of one exported VM and what a pipeline is to do with them.
type Manifest struct {
	ManifestVersion string    `json:"manifest_version"` // Version
	Source          *Source   `json:"source,omitempty"`
	VM              *VM       `json:"vm,omitempty"`
	Disks           []Disk    `json:"disks"` // at least one, in the VM's order
	NICs            []NIC     `json:"nics,omitempty"`
	Pipeline        Pipeline  `json:"pipeline"`
	Output          *Output   `json:"output,omitempty"`
	Options         *Options  `json:"options,omitempty"`
	Metadata        *Metadata `json:"metadata,omitempty"`
	Notes           []string  `json:"notes,omitempty"`
	Warnings        []Warning `json:"warnings,omitempty"`
}

// Source says where the VM came from.
type Source struct {
	Provider        string `json:"provider"` // "vsphere"
	VMID            string `json:"vm_id,omitempty"`
	VMName          string `json:"vm_name,omitempty"`
	Datacenter      string `json:"datacenter,omitempty"`
	ExportTimestamp string `json:"export_timestamp,omitempty"` // RFC 3339
	ExportMethod    string `json:"export_method,omitempty"`    // the transport: nfc, folder, nbdkit
}

// The firmwares of a VM.
const (
	FirmwareBIOS    = "bios"
	FirmwareUEFI    = "uefi" // vSphere says efi
	FirmwareUnknown = "unknown"
)

// VM is the hardware that the guest had.
type VM struct {
	CPU        int    `json:"cpu,omitempty"`      // 0: not known
	MemGB      int    `json:"mem_gb,omitempty"`   // whole GiB, at least 1; 0: not known
	Firmware   string `json:"firmware,omitempty"` // empty: bios
	SecureBoot bool   `json:"secureboot,omitempty"`
	OSHint     string `json:"os_hint,omitempty"` // "linux", "windows"; empty: unknown
	OSVersion  string `json:"os_version,omitempty"`
}

// The types of a disk. They inform; BootOrderHint decides.
const (
	DiskBoot    = "boot"
	DiskData    = "data"
	DiskUnknown = "unknown"
)

// Disk is one disk image on the file system.
type Disk struct {
	ID            string `json:"id"`                        // letters, digits, - and _; unique; the converted image is named after it
	SourceFormat  string `json:"source_format"`             // vmdk qcow2 raw vhd vhdx vdi
	Bytes         int64  `json:"bytes"`                     // size of the file, not of the disk
	LocalPath     string `json:"local_path"`                // the pipeline's FIX changes this file in place
	Checksum      string `json:"checksum,omitempty"`        // "sha256:" and 64 lower-case hex digits; empty: none
	BootOrderHint *int   `json:"boot_order_hint,omitempty"` // the lowest is the boot disk; nil: 999
	Label         string `json:"label,omitempty"`
	DiskType      string `json:"disk_type,omitempty"`
}

// NIC is one network adapter of the source.
type NIC struct {
	ID      string `json:"id"`
	MAC     string `json:"mac,omitempty"`
	Network string `json:"network,omitempty"`
}

// Output says where the converted images go.
type Output struct {
	Directory string `json:"directory,omitempty"` // empty: "output" beside the manifest
	Format    string `json:"format,omitempty"`    // qcow2 raw vdi; empty: qcow2
}

// Options are about the run as a whole.
type Options struct {
	DryRun  bool    `json:"dry_run,omitempty"` // honoured by FIX only
	Verbose *int    `json:"verbose,omitempty"` // nil: 1
	Report  *Report `json:"report,omitempty"`
}

// Report is the pipeline's own report.
type Report struct {
	Enabled *bool  `json:"enabled,omitempty"` // nil: true
	Path    string `json:"path,omitempty"`    // relative to the output directory; empty: report.json
}

// Metadata is about the manifest itself.
type Metadata struct {
	HypersdkVersion string            `json:"hypersdk_version,omitempty"`
	JobID           string            `json:"job_id,omitempty"`
	CreatedAt       string            `json:"created_at,omitempty"` // RFC 3339
	Tags            map[string]string `json:"tags,omitempty"`
}

// Warning is something that went less than well before the hand-over.
type Warning struct {
	Stage     string `json:"stage"`
	Message   string `json:"message"`
	Timestamp string `json:"timestamp,omitempty"` // RFC 3339
}

// defaultBootOrder is the consumer's, for a disk without a hint.
const defaultBootOrder = 999

// BootDisk returns the disk with the lowest hint, the first of several; nil when there are no disks.
func (m *Manifest) BootDisk() *Disk {
	var boot *Disk
	for i := range m.Disks {
		if boot == nil || m.Disks[i].bootOrder() < boot.bootOrder() {
			boot = &m.Disks[i]
		}
	}
	return boot
}

func (d *Disk) bootOrder() int {
	if d.BootOrderHint == nil {
		return defaultBootOrder
	}
	return *d.BootOrderHint
}

// Encode returns the manifest as indented JSON, to be written as a file. A manifest that Validate refuses is not encoded.
func (m *Manifest) Encode() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // names may have & in them
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	return buf.Bytes(), nil
}
