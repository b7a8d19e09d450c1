package qcow2

import "io"

// ClusterBytes is the cluster size that this package writes: equal to a VMDK grain.
const ClusterBytes = 64 << 10

// Compression types of the header (docs/interop/qcow2.txt of QEMU).
const (
	Zlib = 0 // raw deflate
	Zstd = 1
)

// Spec of an image.
type Spec struct {
	VirtualBytes int64
	Compression  uint8 // Zlib or Zstd
}

// Writer writes a qcow2 version 3 image strictly sequentially but for the header, which comes last: a file without a valid
// header is never a finished image. Not safe for concurrent use.
type Writer struct{}

// File is what a Writer writes to: an *os.File, opened empty.
type File interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// NewWriter starts an image.
func NewWriter(f File, spec Spec) (*Writer, error) { panic("contract") }

// WriteCompressed stores one cluster as an already compressed payload (raw deflate or zstd frame). off is the guest offset,
// a multiple of ClusterBytes that was not written before. A payload of ClusterBytes or more is sdk.ErrInvalid: store it
// with WriteCluster.
func (w *Writer) WriteCompressed(off int64, payload []byte) error { panic("contract") }

// WriteCluster stores one cluster as it is; data is ClusterBytes long (shorter at the end of the disk). All-zero data
// stays a hole.
func (w *Writer) WriteCluster(off int64, data []byte) error { panic("contract") }

// Close writes tables and refcounts, syncs, writes the header and syncs again. Without Close the file is not an image.
func (w *Writer) Close() error { panic("contract") }

// Bytes written to the file so far.
func (w *Writer) Bytes() int64 { panic("contract") }
