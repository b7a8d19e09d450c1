package export

import (
	"context"
	"io"
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
