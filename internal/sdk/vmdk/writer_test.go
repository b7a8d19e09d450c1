package vmdk

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// image is a raw disk for tests: size bytes with data at the given offsets, the rest a hole.
func image(t testing.TB, size int64, data map[int64][]byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "disk.raw"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for at, b := range data {
		if _, err := f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	return f
}

// noise is n bytes that do not compress; text is n bytes that do.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func text(n int) []byte { return bytes.Repeat([]byte("grains and clusters "), n/20+1)[:n] }

// expand reads a whole stream back into a map of grains.
func expand(r io.Reader) (Header, map[int64][]byte, error) {
	vr, err := NewReader(r)
	if err != nil {
		return Header{}, nil, err
	}
	grains := map[int64][]byte{}
	for {
		g, err := vr.Next()
		if errors.Is(err, io.EOF) {
			return vr.Header(), grains, nil
		}
		if err != nil {
			return vr.Header(), grains, err
		}
		plain := make([]byte, vr.Header().GrainBytes)
		n, err := Inflate(plain, g.Data)
		if err != nil {
			return vr.Header(), grains, err
		}
		grains[g.Offset] = plain[:n]
	}
}

var disks = []struct {
	name string
	size int64
	data map[int64][]byte
}{
	{"empty", 1 << 20, nil},
	{"one sector", 512, map[int64][]byte{0: text(512)}},
	{"full of noise", 4 << 20, map[int64][]byte{0: noise(4 << 20)}},
	{"sparse", 16 << 20, map[int64][]byte{3 << 20: text(100_000), 9<<20 + 4096: noise(70_000)}},
	{"zeros that are written", 4 << 20, map[int64][]byte{0: make([]byte, 1<<20), 2 << 20: text(65536)}},
	{"capacity not a multiple of a grain", 5<<20 + 3*512, map[int64][]byte{5 << 20: text(3 * 512), 0: noise(512)}},
	{"several grain tables", 3 << 30, map[int64][]byte{0: text(512), 1 << 30: text(300_000), 3<<30 - 512: noise(512)}},
	{"more tables than a directory sector holds", 8 << 30, map[int64][]byte{5 << 30: text(512)}},
}

func TestWrite_QemuReadsTheSameDisk(t *testing.T) {
	need.Tools(t, "qemu-img")
	for _, disk := range disks {
		t.Run(disk.name, func(t *testing.T) {
			src := image(t, disk.size, disk.data)
			path := filepath.Join(t.TempDir(), "disk.vmdk")
			writeFile(t, path, src, WriterSpec{CapacityBytes: disk.size})
			compare(t, src.Name(), path)
		})
	}
}

func TestWrite_ReaderReadsTheSameDisk(t *testing.T) {
	for _, disk := range disks {
		t.Run(disk.name, func(t *testing.T) {
			src := image(t, disk.size, disk.data)
			var stream bytes.Buffer
			if err := Write(&stream, src, WriterSpec{CapacityBytes: disk.size, Level: 6}); err != nil {
				t.Fatal(err)
			}
			sameGrains(t, &stream, src, disk.size)
		})
	}
}

func TestReader_ReadsWhatQemuWrites(t *testing.T) {
	need.Tools(t, "qemu-img")
	for _, disk := range disks {
		t.Run(disk.name, func(t *testing.T) {
			src := image(t, disk.size, disk.data)
			path := filepath.Join(t.TempDir(), "disk.vmdk")
			run(t, "qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized", src.Name(), path)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			sameGrains(t, f, src, disk.size)
		})
	}
}

func TestWrite_IsDeterministic(t *testing.T) {
	src := image(t, 8<<20, map[int64][]byte{0: text(3 << 20), 5 << 20: noise(1 << 20)})
	var one, many bytes.Buffer
	if err := Write(&one, src, WriterSpec{CapacityBytes: 8 << 20, Parallel: 1}); err != nil {
		t.Fatal(err)
	}
	// A bytes.Reader has no holes to skip: the stream must not depend on that either.
	raw, err := os.ReadFile(src.Name())
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&many, bytes.NewReader(raw), WriterSpec{CapacityBytes: 8 << 20, Parallel: 5}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(one.Bytes(), many.Bytes()) {
		t.Errorf("streams of %d and %d bytes differ", one.Len(), many.Len())
	}
}

func TestWrite_RefusesSpec(t *testing.T) {
	for name, spec := range map[string]WriterSpec{
		"no capacity":       {},
		"half a sector":     {CapacityBytes: 1000},
		"too large":         {CapacityBytes: 65 << 40},
		"level":             {CapacityBytes: 512, Level: 10},
		"parallel":          {CapacityBytes: 512, Parallel: -1},
		"adapter too long":  {CapacityBytes: 512, Adapter: string(text(20_000))},
		"negative capacity": {CapacityBytes: -512},
	} {
		t.Run(name, func(t *testing.T) {
			err := Write(io.Discard, bytes.NewReader(nil), spec)
			if !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want sdk.ErrInvalid", err)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error)         { return 0, f.err }
func (f failing) ReadAt([]byte, int64) (int, error) { return 0, f.err }

func TestWrite_ReturnsErrorsOfBothEnds(t *testing.T) {
	want := errors.New("no space left")
	src := bytes.NewReader(noise(32 << 20))
	if err := Write(failing{want}, src, WriterSpec{CapacityBytes: src.Size()}); !errors.Is(err, want) {
		t.Errorf("writing: got %v, want %v", err, want)
	}
	if err := Write(io.Discard, failing{want}, WriterSpec{CapacityBytes: 1 << 20}); !errors.Is(err, want) {
		t.Errorf("reading: got %v, want %v", err, want)
	}
}

func writeFile(t *testing.T, path string, src io.ReaderAt, spec WriterSpec) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := Write(f, src, spec); err != nil {
		t.Fatal(err)
	}
}

// sameGrains holds every grain of the stream against the image, and the ranges without a grain against zeros.
func sameGrains(t *testing.T, stream io.Reader, src io.ReaderAt, size int64) {
	t.Helper()
	header, grains, err := expand(stream)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Header{CapacityBytes: size, GrainBytes: 65536}, Header{header.CapacityBytes, header.GrainBytes, ""}); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	want := make([]byte, 65536)
	for at := int64(0); at < size; at += 65536 {
		n := min(65536, size-at)
		if grains[at] == nil && at%(1<<20) != 0 && size > 1<<30 {
			continue // a sample is enough of what is nearly all hole
		}
		if _, err := src.ReadAt(want[:n], at); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		got := grains[at]
		if got == nil {
			got = make([]byte, n)
		}
		if !bytes.Equal(got[:n], want[:n]) {
			t.Fatalf("grain at %d differs", at)
		}
		delete(grains, at)
	}
	if len(grains) > 0 {
		t.Errorf("%d grains outside the disk", len(grains))
	}
}

func compare(t *testing.T, raw, vmdk string) {
	t.Helper()
	run(t, "qemu-img", "compare", "-f", "raw", "-F", "vmdk", raw, vmdk)
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}
