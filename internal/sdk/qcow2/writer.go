package qcow2

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Spec of an image.
type Spec struct {
	VirtualBytes int64 // a positive multiple of 512, at most 1 PiB
	Compression  uint8 // Zlib or Zstd; what WriteCompressed is given
}

// File is what a Writer writes to: an *os.File, opened empty. When clusters do not come in ascending order it must also be
// an io.ReaderAt, as a file opened for reading and writing is.
type File interface {
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// Writer writes a qcow2 version 3 image strictly sequentially but for the header, which comes last: a file without a valid
// header is never a finished image. Clusters may come in any order; ascending order is quick and needs about 8 MiB of
// memory at any size of disk, while jumping between more than 32 GiB of disk makes it write tables more than once. Not safe
// for concurrent use. After an error every later call returns it.
type Writer struct {
	f       File
	spec    Spec
	space   *space
	mapping *mapping
	err     error
}

var (
	errClosed   = errors.New("image is closed")
	zeroCluster [ClusterBytes]byte
)

// NewWriter starts an image.
func NewWriter(f File, spec Spec) (*Writer, error) {
	switch {
	case spec.VirtualBytes <= 0 || spec.VirtualBytes%sector != 0 || spec.VirtualBytes > maxVirtual:
		return nil, sdk.Invalidf("disk of %d bytes, want a positive multiple of %d up to 1 PiB", spec.VirtualBytes, sector)
	case spec.Compression != Zlib && spec.Compression != Zstd:
		return nil, sdk.Invalidf("compression type %d, want %d (zlib) or %d (zstd)", spec.Compression, Zlib, Zstd)
	}
	s := newSpace(f)
	return &Writer{f: f, spec: spec, space: s, mapping: newMapping(s, spec.VirtualBytes)}, nil
}

// WriteCompressed stores one cluster as an already compressed payload (raw deflate or zstd frame). off is the guest offset,
// a multiple of ClusterBytes that was not written before. A payload of ClusterBytes or more is sdk.ErrInvalid: store it
// with WriteCluster.
//
// The payload must inflate to exactly ClusterBytes, which is not checked here: QEMU inflates a whole cluster in one call and
// fails the read on anything shorter. So a short grain at the end of a disk cannot be passed through; pad it with zeros and
// compress it again, or use WriteCluster.
func (w *Writer) WriteCompressed(off int64, payload []byte) error {
	if len(payload) == 0 || len(payload) >= ClusterBytes {
		return sdk.Invalidf("payload of %d bytes for the cluster at %d, want 1 to %d", len(payload), off, ClusterBytes-1)
	}
	return w.store(off, func() (uint64, error) {
		at, err := w.space.pack(payload)
		return compressedEntry(at, len(payload)), err
	})
}

// WriteCluster stores one cluster as it is; data is ClusterBytes long (shorter at the end of the disk). All-zero data
// stays a hole.
func (w *Writer) WriteCluster(off int64, data []byte) error {
	if want := min(ClusterBytes, w.spec.VirtualBytes-off); int64(len(data)) != want && len(data) != ClusterBytes {
		return sdk.Invalidf("%d bytes for the cluster at %d, want %d", len(data), off, want)
	}
	if bytes.Equal(data, zeroCluster[:len(data)]) {
		return w.check(off)
	}
	return w.store(off, func() (uint64, error) {
		at, err := w.space.place(data)
		return uint64(at) | flagCopied, err
	})
}

// store puts a cluster's bytes somewhere and maps it there.
func (w *Writer) store(off int64, put func() (uint64, error)) error {
	if err := w.check(off); err != nil {
		return err
	}
	if err := w.mapping.free(off); err != nil {
		return err
	}
	entry, err := put()
	if err == nil {
		err = w.mapping.set(off, entry)
	}
	if err != nil {
		w.err = fmt.Errorf("write image: %w", err)
	}
	return w.err
}

func (w *Writer) check(off int64) error {
	switch {
	case w.err != nil:
		return w.err
	case off < 0 || off >= w.spec.VirtualBytes || off%ClusterBytes != 0:
		return sdk.Invalidf("cluster at %d, want a multiple of %d below %d", off, ClusterBytes, w.spec.VirtualBytes)
	}
	return nil
}

// Close writes tables and refcounts, syncs, writes the header and syncs again. Without Close the file is not an image. It
// does not close the file.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.err = w.finish(); w.err != nil {
		w.err = fmt.Errorf("finish image: %w", w.err)
		return w.err
	}
	w.err = errClosed
	return nil
}

func (w *Writer) finish() error {
	var l layout
	var err error
	if l.l1, err = w.mapping.finish(); err != nil {
		return err
	}
	if l.refcounts, l.refcountClusters, err = w.space.finish(); err != nil {
		return err
	}
	if err := w.f.Truncate(w.space.end); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return err
	}
	if _, err := w.f.WriteAt(header(w.spec, l), 0); err != nil {
		return err
	}
	return w.f.Sync()
}

// Bytes is the size of the file so far, what is still buffered included.
func (w *Writer) Bytes() int64 { return w.space.end }
