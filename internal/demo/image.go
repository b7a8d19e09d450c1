package demo

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// cacheVersion changes when the VMDK made from equal content changes.
const cacheVersion = 1

// image is the bytes of one disk: the file it was given as, the streamOptimized VMDK that a lease serves, and the raw view
// that /folder serves. The two are made when they are first needed.
type image struct {
	path     string
	format   string
	capacity int64
	adapter  string // ddb.adapterType of the VMDK
	cache    string // directory

	mu   sync.Mutex
	hash string
	vmdk string
	raw  string
}

// openImage looks at the file and makes its VMDK, so that whatever is wrong with it is known before anyone exports it.
func openImage(ctx context.Context, d GuestDisk, cache string) (*image, error) {
	a, err := parseAddress(d.Address)
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(d.Image)
	if err != nil {
		return nil, err
	}
	img := &image{path: path, format: d.Format, adapter: adapterType(a.bus, d.Controller), cache: cache}
	if err := img.open(ctx); err != nil {
		return nil, fmt.Errorf("disk image %s: %w", path, err)
	}
	return img, nil
}

func (img *image) open(ctx context.Context) error {
	st, err := os.Stat(img.path)
	if os.IsNotExist(err) {
		return sdk.Kind(sdk.ErrNotFound, err)
	}
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return sdk.Invalidf("not a regular file")
	}
	served, err := img.served(ctx)
	if err != nil {
		return err
	}
	img.capacity, err = vmdkCapacity(served)
	return err
}

// adapterType is what ESXi writes into the descriptor of an exported disk.
func adapterType(bus, controller string) string {
	switch {
	case bus == "ide" || bus == "sata":
		return "ide"
	case controller == "buslogic":
		return "buslogic"
	}
	return "lsilogic"
}

// served is the path of the VMDK.
func (img *image) served(ctx context.Context) (string, error) {
	if img.format == "vmdk" {
		return img.path, nil
	}
	img.mu.Lock()
	defer img.mu.Unlock()
	if img.vmdk != "" {
		return img.vmdk, nil
	}
	hash, err := img.contentHash(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(img.cache, fmt.Sprintf("%s-%s-v%d.vmdk", hash, img.adapter, cacheVersion))
	if _, err := os.Stat(path); err == nil {
		img.vmdk = path
		return path, nil
	}
	raw, err := img.rawFile(ctx)
	if err != nil {
		return "", err
	}
	if err := writeVMDK(ctx, path, raw, img.adapter); err != nil {
		return "", err
	}
	img.vmdk = path
	return path, nil
}

// flat is the path of the raw view.
func (img *image) flat(ctx context.Context) (string, error) {
	img.mu.Lock()
	defer img.mu.Unlock()
	return img.rawFile(ctx)
}

// rawFile converts the image into the cache unless it is raw already. The caller holds the lock.
func (img *image) rawFile(ctx context.Context) (string, error) {
	if img.format == "raw" {
		return img.path, nil
	}
	if img.raw != "" {
		return img.raw, nil
	}
	hash, err := img.contentHash(ctx)
	if err != nil {
		return "", err
	}
	path := filepath.Join(img.cache, hash+".raw")
	if _, err := os.Stat(path); err != nil {
		err := cached(path, func(tmp string) error {
			_, err := proc.Run(ctx, proc.Cmd{
				Name: "qemu-img",
				Args: []string{"convert", "-f", img.format, "-O", "raw", "--", img.path, tmp},
			})
			return err
		})
		if err != nil {
			return "", err
		}
	}
	img.raw = path
	return path, nil
}

// contentHash names what is made of the image. The caller holds the lock.
func (img *image) contentHash(ctx context.Context) (string, error) {
	if img.hash != "" {
		return img.hash, nil
	}
	f, err := os.Open(img.path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	img.hash, err = hashFile(ctx, f)
	return img.hash, err
}

// hashFile hashes the data of a file with its offsets. Holes are not read: a sparse copy may hash differently from a dense
// one, which costs a second conversion and nothing else.
func hashFile(ctx context.Context, f *os.File) (string, error) {
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for off := int64(0); off < st.Size(); {
		start, end, err := dataRange(f, off, st.Size())
		if err != nil {
			return "", err
		}
		_ = binary.Write(h, binary.BigEndian, [2]int64{start, end}) // a hash never fails
		r := &contextReader{ctx: ctx, r: io.NewSectionReader(f, start, end-start)}
		if _, err := io.CopyBuffer(h, r, buf); err != nil {
			return "", err
		}
		off = end
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// contextReader stops reading when ctx ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// writeVMDK makes the VMDK of a raw file, atomically: two processes may do it at once and the later one wins, with the same
// bytes.
func writeVMDK(ctx context.Context, path, raw, adapter string) error {
	src, err := os.Open(raw)
	if err != nil {
		return err
	}
	defer src.Close() //nolint:errcheck // read only
	st, err := src.Stat()
	if err != nil {
		return err
	}
	if st.Size() == 0 || st.Size()%512 != 0 {
		return sdk.Invalidf("%d bytes are not a whole number of 512-byte sectors", st.Size())
	}
	return cached(path, func(tmp string) error {
		out, err := os.OpenFile(tmp, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		spec := vmdk.WriterSpec{CapacityBytes: st.Size(), Adapter: adapter}
		if err := vmdk.Write(&contextWriter{ctx: ctx, w: out}, src, spec); err != nil {
			_ = out.Close()
			return err
		}
		return out.Close()
	})
}

type contextWriter struct {
	ctx context.Context
	w   io.Writer
}

func (c *contextWriter) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.w.Write(p)
}

// cached makes a file under a temporary name beside its place, syncs it and renames it there.
func cached(path string, write func(tmp string) error) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // gone after the rename
	defer tmp.Close()           //nolint:errcheck // only synced through
	if err := write(tmp.Name()); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func vmdkCapacity(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close() //nolint:errcheck // read only
	r, err := vmdk.NewReader(f)
	if err != nil {
		return 0, err
	}
	return r.Header().CapacityBytes, nil
}

// emptyImage is a disk of zeros, as the VMs without a guest have.
func emptyImage(ctx context.Context, dir string, capacity int64) (*image, error) {
	raw := filepath.Join(dir, fmt.Sprintf("empty-%d.raw", capacity))
	f, err := os.OpenFile(raw, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(capacity); err != nil {
		_ = f.Close()
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	return openImage(ctx, GuestDisk{Image: raw, Format: "raw", Address: "scsi0:0"}, dir)
}
