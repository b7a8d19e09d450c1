package export

import (
	"archive/tar"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

// grains gives prepared grains.
type grains struct{ all []vmdk.Grain }

func (g *grains) Next() (vmdk.Grain, error) {
	if len(g.all) == 0 {
		return vmdk.Grain{}, io.EOF
	}
	next := g.all[0]
	g.all = g.all[1:]
	return next, nil
}

// memory is an image in memory.
type memory struct{ data []byte }

func (m *memory) compressed(int64, []byte) error { return errors.New("not asked for") }
func (m *memory) close() error                   { return nil }
func (m *memory) plain(offset int64, data []byte) error {
	copy(m.data[offset:], data)
	return nil
}

func disassemble(t *testing.T, disk []byte, size int64) []vmdk.Grain {
	t.Helper()
	var all []vmdk.Grain
	for off := int64(0); off < int64(len(disk)); off += size {
		var stream bytes.Buffer
		w := zlib.NewWriter(&stream)
		_, _ = w.Write(disk[off:min(off+size, int64(len(disk)))])
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		all = append(all, vmdk.Grain{Offset: off, Data: stream.Bytes()})
	}
	return all
}

func reshaped(t *testing.T, disk []byte, size int64, all []vmdk.Grain) ([]byte, error) {
	t.Helper()
	image := &memory{data: make([]byte, len(disk))}
	r := &runner{encode: encoding{mode: Uncompressed}}
	a := &attempt{r: r, d: newDisk(), capacity: int64(len(disk)), image: image, progress: func() {}}
	err := newPass(a, vmdk.Header{GrainBytes: size}).run(t.Context(), &grains{all})
	return image.data, err
}

func TestPass_GrainsOfOtherSizes(t *testing.T) {
	disk := bytes.Repeat(probeCluster(), 5)[:5*64<<10-512]
	for _, size := range []int64{4 << 10, 32 << 10, 64 << 10, 128 << 10, 1 << 20} {
		got, err := reshaped(t, disk, size, disassemble(t, disk, size))
		if err != nil || !bytes.Equal(got, disk) {
			t.Errorf("grains of %d: the disk comes out changed: %v", size, err)
		}
	}
}

func TestPass_SmallGrainsOutOfOrderAreRefused(t *testing.T) {
	disk := bytes.Repeat(probeCluster(), 3)
	all := disassemble(t, disk, 32<<10)
	slices.Reverse(all)
	if _, err := reshaped(t, disk, 32<<10, all); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestPass_GrainOfWrongLengthIsRefused(t *testing.T) {
	disk := bytes.Repeat(probeCluster(), 2)
	for _, size := range []int64{32 << 10, 64 << 10} {
		all := disassemble(t, disk, size)
		all[0].Data = disassemble(t, disk[:1000], size)[0].Data
		if _, err := reshaped(t, disk, size, all); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("grains of %d: got %v, want ErrInvalid", size, err)
		}
	}
}

func TestOVA_HeaderOfEverySize(t *testing.T) {
	for _, size := range []int64{0, 1, ustarMost - 1, ustarMost, 3 << 40} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			f, err := os.Create(filepath.Join(t.TempDir(), "x.ova"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close() //nolint:errcheck // end of the test
			o := &ova{f: f, when: time.Unix(1_700_000_000, 0)}
			if err := o.header(0, "web-disk-0.vmdk", size); err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil || info.Size() != tarBlock {
				t.Fatalf("got a header of %d bytes, want one block", info.Size())
			}
			h, err := tar.NewReader(f).Next()
			if err != nil || h.Size != size || h.Name != "web-disk-0.vmdk" {
				t.Errorf("got %+v %v, want size %d", h, err, size)
			}
		})
	}
}

// newDisk keeps the type's name free for variables.
func newDisk() *disk { return &disk{} }
