package export

import (
	"fmt"
	"os"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qcow2"
)

// image is a disk image being written. Offsets are the disk's.
type image interface {
	// compressed stores a cluster as an encoder made it.
	compressed(offset int64, payload []byte) error
	// plain stores a cluster, shorter at the end of the disk.
	plain(offset int64, data []byte) error
	// close makes the image whole and durable.
	close() error
}

func newImage(f *os.File, format string, e encoding, capacity int64) (image, error) {
	if format == "raw" {
		return &rawImage{f: f}, f.Truncate(capacity)
	}
	spec := qcow2.Spec{VirtualBytes: capacity, Compression: qcow2.Zlib}
	if e.mode == Zstd {
		spec.Compression = qcow2.Zstd
	}
	w, err := qcow2.NewWriter(f, spec)
	if err != nil {
		return nil, err
	}
	return &qcow2Image{w: w}, nil
}

type qcow2Image struct{ w *qcow2.Writer }

func (i *qcow2Image) compressed(offset int64, payload []byte) error {
	return i.w.WriteCompressed(offset, payload)
}
func (i *qcow2Image) plain(offset int64, data []byte) error { return i.w.WriteCluster(offset, data) }
func (i *qcow2Image) close() error                          { return i.w.Close() }

// rawImage is a sparse file: what is not written stays a hole.
type rawImage struct{ f *os.File }

func (i *rawImage) compressed(int64, []byte) error {
	return sdk.Invalidf("a raw image cannot be compressed")
}

func (i *rawImage) plain(offset int64, data []byte) error {
	_, err := i.f.WriteAt(data, offset)
	return err
}

func (i *rawImage) close() error {
	if err := i.f.Sync(); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}
