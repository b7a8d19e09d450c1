package export

import (
	"context"
	"io"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
)

// Source opens leases on one VM's disks. It is implemented by a vSphere client, as a driver implements database/sql/driver.
type Source interface {
	// Lease opens a fresh lease. The server allows one at a time for a VM; the caller ends it before asking for the next.
	Lease(ctx context.Context) (Lease, error)
}

// Lease is one open export. It renews itself until it is ended; a failed renewal is retried and only a lease that is really
// lost ends it.
type Lease interface {
	// Disks lists what can be read, in the lease's own order.
	Disks() []SourceDisk
	// Open starts the transfer of one disk: a streamOptimized VMDK, not seekable. A stream ends with io.ErrUnexpectedEOF or
	// a network error when it was cut.
	Open(ctx context.Context, address string) (io.ReadCloser, error)
	// Progress tells the server how far the whole export is, in percent.
	Progress(percent int)
	// Lost is closed when the lease ended without us: timed out, aborted by the server, session gone. Err then says why.
	Lost() <-chan struct{}
	Err() error
	// Descriptor asks the server for the VM's OVF descriptor that names the given files.
	Descriptor(ctx context.Context, name string, files []DescriptorFile) (string, error)
	// End completes the lease when cause is nil and aborts it otherwise. It works after ctx was canceled by its own timeout.
	End(ctx context.Context, cause error) error
}

// SourceDisk is one disk of a lease.
type SourceDisk struct {
	Address       string // scsi0:1, as vsphere.Disk.Address
	DeviceID      string // the lease's own key for the device, needed in the descriptor: /vm-42/ParaVirtualSCSIController0:0
	Name          string // the server's name for the file
	CapacityBytes int64
	FileBytes     int64 // the server's guess of the transfer's size; 0 or wrong on real servers
}

// DescriptorFile names a file for the OVF descriptor.
type DescriptorFile struct {
	DeviceID string
	Path     string // file name relative to the descriptor
	Bytes    int64  // size of that file
	Capacity int64  // of the disk
}

// Keep says what is kept as the server served it.
type Keep string

// What can be kept beside, or instead of, the converted disks.
const (
	KeepNothing Keep = ""
	KeepVMDK    Keep = "vmdk" // one streamOptimized VMDK a disk
	KeepOVF     Keep = "ovf"  // the VMDKs, the OVF descriptor and its .mf
	KeepOVA     Keep = "ova"  // one tar of those, OVF first
)

// Compression of the converted qcow2 disks.
type Compression struct {
	Mode  CompressionMode `json:"mode"`
	Level int             `json:"level,omitempty"` // deflate 1–9, zstd 1–19; 0: the mode's default (6, 3)
}

// CompressionMode selects how clusters are stored.
type CompressionMode string

// The modes. PassThrough keeps the deflate streams the server made.
const (
	PassThrough  CompressionMode = "pass-through"
	Uncompressed CompressionMode = "none"
	Deflate      CompressionMode = "deflate"
	Zstd         CompressionMode = "zstd"
)

// DiskSpec asks for one disk.
type DiskSpec struct {
	ID      string `json:"id"`      // disk-0, disk-1, … in boot order
	Address string `json:"address"` // on the source
	Path    string `json:"path"`    // where the converted image goes; empty: not converted, only kept
	Format  string `json:"format"`  // of Path: qcow2 or raw
}

// Spec asks for an export.
type Spec struct {
	Name        string      `json:"name"` // base name of kept files
	Dir         string      `json:"dir"`  // where kept files go
	Disks       []DiskSpec  `json:"disks"`
	Keep        Keep        `json:"keep,omitempty"`
	Compression Compression `json:"compression"`
	Verify      bool        `json:"verify"`             // inflate every grain and check its Adler-32
	Checksum    bool        `json:"checksum"`           // SHA-256 of every file made
	Parallel    int         `json:"parallel,omitempty"` // disks at once; 0: 4
	Attempts    int         `json:"attempts,omitempty"` // tries a disk before giving up; 0: 5
}

// Disk is one exported disk.
type Disk struct {
	ID           string `json:"id"`
	Address      string `json:"address"`
	VirtualBytes int64  `json:"virtual_bytes"`          // capacity
	Path         string `json:"path,omitempty"`         // the converted image
	Format       string `json:"format,omitempty"`       // of Path
	Bytes        int64  `json:"bytes,omitempty"`        // file size of Path
	SHA256       string `json:"sha256,omitempty"`       // of the file at Path, hex
	SourcePath   string `json:"source_path,omitempty"`  // the kept VMDK; for an OVA the OVA itself
	SourceBytes  int64  `json:"source_bytes,omitempty"` // of the VMDK as served
	SourceSHA256 string `json:"source_sha256,omitempty"`
	WireBytes    int64  `json:"wire_bytes"` // received for it in this run; 0 when a resume skipped it
	Transport    string `json:"transport"`  // nfc
}

// Result is what an export made.
type Result struct {
	Disks []Disk   `json:"disks"` // in the spec's order
	Files []string `json:"files"` // every file made: images, VMDKs, OVF, .mf, OVA
}

// Run exports the disks in one pass each, in parallel, and records what is done in the journal: a second Run with the same
// spec skips the disks whose files still match. An image appears under its final name only when it is whole and synced. On
// cancellation the lease is aborted, partial files are removed and finished disks stay. Progress is bytes of disk covered.
func Run(ctx context.Context, src Source, spec Spec, j *journal.Journal, report sdk.ProgressFunc) (*Result, error) {
	panic("contract")
}
