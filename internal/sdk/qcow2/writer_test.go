package qcow2

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zstd"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// cluster is one cluster of a test disk and how it is stored.
type cluster struct {
	off  int64
	data []byte
	pack func(t testing.TB, data []byte) []byte // nil: stored as it is
}

func raw(level int) func(testing.TB, []byte) []byte {
	return func(t testing.TB, data []byte) []byte {
		t.Helper()
		var b bytes.Buffer
		z, err := flate.NewWriter(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

func zstdFrame(t testing.TB, data []byte) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(data, nil)
}

// half is a cluster of which about share 256ths are noise and the rest compresses.
func half(seed uint64, share int) []byte {
	b := bytes.Repeat([]byte("clusters"), ClusterBytes/8)
	r := rand.New(rand.NewPCG(seed, 7))
	for i := range b[:ClusterBytes*share/256] {
		b[i] = byte(r.Uint32())
	}
	return b
}

// spread is n clusters with data, a step apart, each of its own compressibility.
func spread(n int, step int64, pack func(testing.TB, []byte) []byte) []cluster {
	var cs []cluster
	for i := range n {
		cs = append(cs, cluster{int64(i) * step, half(uint64(i), i*37%200), pack})
	}
	return cs
}

func mixed(n int, step int64) []cluster {
	cs := spread(n, step, raw(6))
	for i := range cs {
		if i%3 == 1 || i%7 == 0 {
			cs[i].pack = nil
		}
	}
	return cs
}

func shuffled(cs []cluster) []cluster {
	rand.New(rand.NewPCG(3, 3)).Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	return cs
}

var images = []struct {
	name     string
	virtual  int64
	kind     uint8
	clusters []cluster
}{
	{"empty", 1 << 20, Zlib, nil},
	{"one sector", 512, Zlib, []cluster{{0, bytes.Repeat([]byte{7}, 512), nil}}},
	{"deflate level 1", 32 << 20, Zlib, spread(512, ClusterBytes, raw(1))},
	{"deflate level 9", 32 << 20, Zlib, spread(100, 3*ClusterBytes, raw(9))},
	{"zstd", 32 << 20, Zstd, spread(512, ClusterBytes, zstdFrame)},
	{"uncompressed", 32 << 20, Zlib, spread(512, ClusterBytes, nil)},
	{"mixed", 64 << 20, Zlib, mixed(1000, ClusterBytes)},
	{"tiny payloads", 256 << 20, Zlib, spreadOf(4000, bytes.Repeat([]byte{1}, ClusterBytes))},
	{"out of order", 64 << 20, Zlib, shuffled(mixed(1000, ClusterBytes))},
	{"odd size", 5<<20 + 3*512, Zlib, append(spread(80, ClusterBytes, raw(6)), cluster{5 << 20, bytes.Repeat([]byte{9}, 3*512), nil})},
	{"3 TiB", 3 << 40, Zlib, mixed(200, 15<<30)},
	{"3 TiB, out of order over more tables than stay in memory", 3 << 40, Zlib, shuffled(twice(mixed(200, 15<<30)))},
}

// spreadOf is n clusters of the same data, one behind the other.
func spreadOf(n int, data []byte) []cluster {
	var packed []byte
	pack := func(t testing.TB, d []byte) []byte {
		if packed == nil {
			packed = raw(6)(t, d)
		}
		return packed
	}
	var cs []cluster
	for i := range n {
		cs = append(cs, cluster{int64(i) * ClusterBytes, data, pack})
	}
	return cs
}

// twice puts a second cluster behind every cluster, so that each table is needed two times.
func twice(cs []cluster) []cluster {
	for _, c := range cs {
		cs = append(cs, cluster{c.off + ClusterBytes, half(uint64(c.off), 10), c.pack})
	}
	return cs
}

func write(t testing.TB, path string, virtual int64, kind uint8, cs []cluster) *Writer {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, Spec{VirtualBytes: virtual, Compression: kind})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs {
		if c.pack == nil {
			err = w.WriteCluster(c.off, c.data)
		} else {
			err = w.WriteCompressed(c.off, c.pack(t, c.data))
		}
		if err != nil {
			t.Fatalf("cluster at %d: %v", c.off, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != w.Bytes() {
		t.Errorf("file has %d bytes, Bytes says %d", info.Size(), w.Bytes())
	}
	return w
}

func rawDisk(t testing.TB, virtual int64, cs []cluster) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "want.raw"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, c := range cs {
		if _, err := f.WriteAt(c.data, c.off); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(virtual); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func TestWriter_QemuFindsTheImageSoundAndTheSame(t *testing.T) {
	need.Tools(t, "qemu-img")
	for _, image := range images {
		t.Run(image.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "got.qcow2")
			write(t, path, image.virtual, image.kind, image.clusters)
			run(t, "qemu-img", "check", "-f", "qcow2", path)
			run(t, "qemu-img", "compare", "-f", "raw", "-F", "qcow2", rawDisk(t, image.virtual, image.clusters), path)
		})
	}
}

func TestWriter_QemuCanWriteToTheImage(t *testing.T) {
	need.Tools(t, "qemu-img", "qemu-io")
	cs := mixed(1000, ClusterBytes)
	path := filepath.Join(t.TempDir(), "got.qcow2")
	write(t, path, 64<<20, Zlib, cs)
	// Into packed payloads, into plain clusters, over a boundary, into a hole; then a discard.
	run(t, "qemu-io", "-f", "qcow2", "-c", "write -P 0xaa 64k 300k", "-c", "write -P 0xbb 1000k 2M",
		"-c", "write -P 0xcc 63M 1000k", "-c", "write -c -P 0xdd 64064k 64k", "-c", "discard 4M 1M", path)
	run(t, "qemu-img", "check", "-f", "qcow2", path)
	run(t, "qemu-io", "-f", "qcow2", "-c", "read -P 0xaa 64k 300k", "-c", "read -P 0xbb 1000k 2M", "-c", "read -P 0 4M 1M", "-c", "read -P 0xdd 64064k 64k", path)
}

func TestWriter_FileLargerThanARefcountBlockCovers(t *testing.T) {
	need.Tools(t, "qemu-img")
	// 2 GiB of file and more, without 2 GiB of disk: the test's file drops what it is given but for the tables.
	const virtual = 5 << 30
	path := filepath.Join(t.TempDir(), "got.qcow2")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(&holey{File: f}, Spec{VirtualBytes: virtual})
	if err != nil {
		t.Fatal(err)
	}
	plain, payload := half(1, 100), bytes.Repeat([]byte{0xfb}, 50_001)
	for off := int64(0); off < virtual; off += ClusterBytes {
		if off/ClusterBytes%5 == 0 {
			err = w.WriteCluster(off, plain)
		} else {
			err = w.WriteCompressed(off, payload)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if len(w.space.flushed) < 2 {
		t.Fatalf("%d refcount blocks, want several", len(w.space.flushed))
	}
	run(t, "qemu-img", "check", "-f", "qcow2", path)
}

// holey keeps a file sparse: it drops the clusters of a write that hold this test's data.
type holey struct{ *os.File }

func (h *holey) WriteAt(b []byte, at int64) (int, error) {
	for i := 0; i < len(b); i += ClusterBytes {
		part := b[i:min(i+ClusterBytes, len(b))]
		if bytes.Contains(part, bytes.Repeat([]byte{0xfb}, 512)) || bytes.Contains(part, []byte("clustersclusters")) {
			continue
		}
		if _, err := h.File.WriteAt(part, at+int64(i)); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func TestWriter_AFullTableGoesToTheFileAndIsFound(t *testing.T) {
	need.Tools(t, "qemu-img", "qemu-io")
	path := filepath.Join(t.TempDir(), "got.qcow2")
	write(t, path, l2Covers+ClusterBytes, Zlib, spreadOf(l2Entries+1, bytes.Repeat([]byte{1}, ClusterBytes)))
	run(t, "qemu-img", "check", "-f", "qcow2", path)
	run(t, "qemu-io", "-r", "-f", "qcow2", "-c", "read -P 1 0 1M", "-c", "read -P 1 511M 1088k", path)
}

func TestWriter_PacksPayloadsBackToBack(t *testing.T) {
	cs := spread(512, ClusterBytes, raw(6))
	payload := int64(0)
	for _, c := range cs {
		payload += int64(len(c.pack(t, c.data)))
	}
	w := write(t, filepath.Join(t.TempDir(), "got.qcow2"), 32<<20, Zlib, cs)
	// Header, L2, L1, refcount block and table, and the rest of the last cluster.
	if limit := payload + 6*ClusterBytes; w.Bytes() > limit {
		t.Errorf("%d bytes of payload make an image of %d, want at most %d", payload, w.Bytes(), limit)
	}
}

func TestWriter_ZeroClustersStayHoles(t *testing.T) {
	need.Tools(t, "qemu-img")
	path := filepath.Join(t.TempDir(), "got.qcow2")
	cs := []cluster{{0, make([]byte, ClusterBytes), nil}, {ClusterBytes, half(1, 9), nil}, {4 * ClusterBytes, make([]byte, 512), nil}}
	write(t, path, 4*ClusterBytes+512, Zlib, cs)
	out, err := exec.Command("qemu-img", "map", "--output=json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var extents []struct {
		Start, Length int64
		Data          bool
	}
	if err := json.Unmarshal(out, &extents); err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, e := range extents {
		if e.Data {
			got = append(got, e.Start, e.Length)
		}
	}
	if len(got) != 2 || got[0] != ClusterBytes || got[1] != ClusterBytes {
		t.Errorf("data at %v, want one cluster at %d", got, ClusterBytes)
	}
}

func TestWriter_WithoutCloseItIsNoImage(t *testing.T) {
	need.Tools(t, "qemu-img")
	path := filepath.Join(t.TempDir(), "got.qcow2")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, Spec{VirtualBytes: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range spread(200, ClusterBytes, nil) {
		if err := w.WriteCluster(c.off, c.data); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("qemu-img", "check", "-f", "qcow2", path).CombinedOutput(); err == nil {
		t.Errorf("qemu-img accepts it: %s", out)
	}
}

func TestWriter_MemoryStaysFlat(t *testing.T) {
	w, err := NewWriter(nowhere{}, Spec{VirtualBytes: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	payload := bytes.Repeat([]byte{1}, 60_001)
	for off := int64(0); off < 5<<30; off += ClusterBytes {
		if err := w.WriteCompressed(off, payload); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(w.mapping.resident); n > 1 {
		t.Errorf("%d tables in memory, want at most the current one", n)
	}
	if n := len(w.space.counts); n > 2*refcountEntries {
		t.Errorf("%d refcounts in memory, want at most %d", n, 2*refcountEntries)
	}
	if n := cap(w.space.buf); n > 2*bufferBytes {
		t.Errorf("buffer of %d bytes, want at most %d", n, 2*bufferBytes)
	}
}

// nowhere is a file that cannot be read back.
type nowhere struct{}

func (nowhere) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (nowhere) Truncate(int64) error                   { return nil }
func (nowhere) Sync() error                            { return nil }

func TestWriter_Refuses(t *testing.T) {
	const virtual = 10*ClusterBytes + 512
	tests := map[string]func(w *Writer) error{
		"payload of a cluster":  func(w *Writer) error { return w.WriteCompressed(0, make([]byte, ClusterBytes)) },
		"empty payload":         func(w *Writer) error { return w.WriteCompressed(0, nil) },
		"offset in a cluster":   func(w *Writer) error { return w.WriteCompressed(512, []byte{3, 0}) },
		"negative offset":       func(w *Writer) error { return w.WriteCompressed(-ClusterBytes, []byte{3, 0}) },
		"behind the disk":       func(w *Writer) error { return w.WriteCompressed(11*ClusterBytes, []byte{3, 0}) },
		"zeros behind the disk": func(w *Writer) error { return w.WriteCluster(11*ClusterBytes, make([]byte, ClusterBytes)) },
		"short cluster":         func(w *Writer) error { return w.WriteCluster(0, make([]byte, 512)) },
		"long last cluster":     func(w *Writer) error { return w.WriteCluster(10*ClusterBytes, make([]byte, 1024)) },
		"written twice": func(w *Writer) error {
			return errors.Join(w.WriteCompressed(0, []byte{3, 0}), w.WriteCluster(0, half(0, 9)))
		},
	}
	for name, write := range tests {
		t.Run(name, func(t *testing.T) {
			w, err := NewWriter(nowhere{}, Spec{VirtualBytes: virtual})
			if err != nil {
				t.Fatal(err)
			}
			if err := write(w); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want sdk.ErrInvalid", err)
			}
			if err := w.WriteCompressed(ClusterBytes, []byte{3, 0}); err != nil {
				t.Errorf("a refused cluster must not end the image: %v", err)
			}
		})
	}
}

func TestWriter_RefusesTwiceAcrossAFlushedTable(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "got.qcow2"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := NewWriter(f, Spec{VirtualBytes: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(maxResident + 5) {
		if err := w.WriteCompressed(i*l2Covers, half(1, 200)[:60_000]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteCompressed(0, []byte{3, 0}); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want sdk.ErrInvalid", err)
	}
}

func TestNewWriter_RefusesSpec(t *testing.T) {
	for name, spec := range map[string]Spec{
		"no size":       {},
		"negative":      {VirtualBytes: -512},
		"half a sector": {VirtualBytes: 1000},
		"too large":     {VirtualBytes: 1<<50 + 512},
		"compression":   {VirtualBytes: 512, Compression: 2},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := NewWriter(nowhere{}, spec); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want sdk.ErrInvalid", err)
			}
		})
	}
}

// full fails once it holds so many bytes.
type full struct {
	nowhere
	left int
}

var errFull = errors.New("no space left on device")

func (f *full) WriteAt(b []byte, _ int64) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriter_AFullDiskStaysAnError(t *testing.T) {
	for _, room := range []int{0, 100, 3 << 20, 16 << 20} {
		w, err := NewWriter(&full{left: room}, Spec{VirtualBytes: 64 << 20})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range spread(512, ClusterBytes, nil) {
			if err = w.WriteCluster(c.off, c.data); err != nil {
				break
			}
		}
		if err == nil {
			err = w.Close()
		}
		if !errors.Is(err, errFull) {
			t.Errorf("room for %d: got %v, want %v", room, err, errFull)
		}
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("room for %d: Close answers %v afterwards, want %v", room, err, errFull)
		}
	}
}

func TestWriter_ClosedTwice(t *testing.T) {
	w, err := NewWriter(nowhere{}, Spec{VirtualBytes: 512})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
}

var _ io.ReaderAt = (*os.File)(nil) // what out-of-order writes rely on

func run(t testing.TB, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}
