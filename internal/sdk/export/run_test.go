package export_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

func TestRun_EveryModeGivesTheSameDisk(t *testing.T) {
	need.Tools(t, "qemu-img")
	const size = 5<<20 + 512*7
	disk, raw := testDisk(t, "scsi0:0", size, 1)
	for _, c := range []struct {
		format      string
		compression export.Compression
		verify      bool
	}{
		{"qcow2", export.Compression{}, false},
		{"qcow2", export.Compression{Mode: export.PassThrough}, true},
		{"qcow2", export.Compression{Mode: export.Uncompressed}, false},
		{"qcow2", export.Compression{Mode: export.Deflate}, true},
		{"qcow2", export.Compression{Mode: export.Deflate, Level: 1}, false},
		{"qcow2", export.Compression{Mode: export.Deflate, Level: 9}, false},
		{"qcow2", export.Compression{Mode: export.Zstd}, false},
		{"qcow2", export.Compression{Mode: export.Zstd, Level: 19}, true},
		{"raw", export.Compression{}, false},
		{"raw", export.Compression{Mode: export.Uncompressed}, true},
	} {
		t.Run(fmt.Sprintf("%s %s %d verify=%v", c.format, c.compression.Mode, c.compression.Level, c.verify), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "disk."+c.format)
			res, err := export.Run(t.Context(), &localSource{disks: []localDisk{disk}}, export.Spec{
				Disks:       []export.DiskSpec{{ID: "disk-0", Address: "scsi0:0", Path: path, Format: c.format}},
				Compression: c.compression, Verify: c.verify, Checksum: true,
			}, openJournal(t, filepath.Join(dir, "journal")), nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.format == "qcow2" {
				if err := qemuimg.Check(t.Context(), path, c.format); err != nil {
					t.Error(err)
				}
			}
			if err := qemuimg.Compare(t.Context(), raw, "raw", path, c.format); err != nil {
				t.Error(err)
			}
			got := res.Disks[0]
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			if got.Bytes != info.Size() || got.VirtualBytes != size || got.SHA256 != sum(t, path) || got.WireBytes != int64(len(disk.stream)) {
				t.Errorf("got %+v, want %d bytes of file, %d of disk, %d on the wire, sha256 %s",
					got, info.Size(), size, len(disk.stream), sum(t, path))
			}
			if len(res.Notes) != 0 {
				t.Errorf("got notes %q, want none", res.Notes)
			}
		})
	}
}

// spec asks for all the source's disks as qcow2 in dir.
func spec(dir string, disks ...localDisk) export.Spec {
	s := export.Spec{Name: "web", Dir: dir}
	for i, d := range disks {
		id := fmt.Sprintf("disk-%d", i)
		s.Disks = append(s.Disks, export.DiskSpec{ID: id, Address: d.address, Path: filepath.Join(dir, id+".qcow2"), Format: "qcow2"})
	}
	return s
}

func TestRun_DisksAreMatchedByAddress(t *testing.T) {
	need.Tools(t, "qemu-img")
	a, rawA := testDisk(t, "scsi1:0", 2<<20, 2)
	b, rawB := testDisk(t, "scsi0:0", 1<<20, 3)
	dir := t.TempDir()
	if _, err := export.Run(t.Context(), &localSource{disks: []localDisk{a, b}}, spec(dir, b, a),
		openJournal(t, filepath.Join(dir, "j")), nil); err != nil {
		t.Fatal(err)
	}
	for i, raw := range []string{rawB, rawA} {
		if err := qemuimg.Compare(t.Context(), raw, "raw", filepath.Join(dir, fmt.Sprintf("disk-%d.qcow2", i)), "qcow2"); err != nil {
			t.Error(err)
		}
	}
}

func TestRun_DiskThatIsNotServed(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 2)
	dir := t.TempDir()
	s := spec(dir, a)
	s.Disks[0].Address = "scsi0:5"
	src := &localSource{disks: []localDisk{a}}
	_, err := export.Run(t.Context(), src, s, openJournal(t, filepath.Join(dir, "j")), nil)
	if !errors.Is(err, sdk.ErrNotFound) || src.leases != 1 {
		t.Errorf("got %v after %d leases, want ErrNotFound after one", err, src.leases)
	}
}

func TestRun_CutDiskIsReadAgainOverANewLease(t *testing.T) {
	need.Tools(t, "qemu-img")
	a, rawA := testDisk(t, "scsi0:0", 3<<20, 4)
	b, _ := testDisk(t, "scsi0:1", 1<<20, 5)
	for _, at := range []int64{0, 100, 64 << 10, int64(len(a.stream)) / 2, int64(len(a.stream)) - 1} {
		dir := t.TempDir()
		src := &localSource{disks: []localDisk{a, b}, fail: func(address string, open int) func(io.Reader) io.Reader {
			if address == a.address && open == 1 {
				return cutAfter(at)
			}
			return nil
		}}
		if _, err := export.Run(t.Context(), src, spec(dir, a, b), openJournal(t, filepath.Join(dir, "j")), nil); err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		if err := qemuimg.Compare(t.Context(), rawA, "raw", filepath.Join(dir, "disk-0.qcow2"), "qcow2"); err != nil {
			t.Errorf("cut at %d: %v", at, err)
		}
		if src.leases != 2 || src.opens[a.address] != 2 || src.opens[b.address] != 1 {
			t.Errorf("cut at %d: got %d leases, opens %v, want 2 leases and only the cut disk twice", at, src.leases, src.opens)
		}
		if src.ends[0] == nil || src.ends[1] != nil {
			t.Errorf("cut at %d: got ends %v, want an abort, then a completion", at, src.ends)
		}
	}
}

func TestRun_GivesUpAfterAttempts(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	src := &localSource{disks: []localDisk{a}, fail: func(string, int) func(io.Reader) io.Reader { return cutAfter(1000) }}
	s := spec(dir, a)
	s.Attempts = 2
	_, err := export.Run(t.Context(), src, s, openJournal(t, filepath.Join(dir, "j")), nil)
	if !errors.Is(err, io.ErrUnexpectedEOF) || src.leases != 2 || !strings.Contains(err.Error(), "disk-0 (scsi0:0)") {
		t.Errorf("got %v after %d leases, want the cut of disk-0 after 2", err, src.leases)
	}
	if got := partials(t, dir); len(got) != 0 {
		t.Errorf("got left behind %v", got)
	}
}

func TestRun_GarbageIsTriedOnceMore(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	src := &localSource{disks: []localDisk{a}, fail: func(string, int) func(io.Reader) io.Reader {
		return func(io.Reader) io.Reader { return strings.NewReader(strings.Repeat("noise ", 100_000)) }
	}}
	_, err := export.Run(t.Context(), src, spec(dir, a), openJournal(t, filepath.Join(dir, "j")), nil)
	if !errors.Is(err, sdk.ErrInvalid) || src.leases != 2 || !strings.Contains(err.Error(), "disk-0 (scsi0:0)") {
		t.Errorf("got %v after %d leases, want ErrInvalid naming disk-0 after 2", err, src.leases)
	}
	if _, err := os.Stat(filepath.Join(dir, "disk-0.qcow2")); !os.IsNotExist(err) {
		t.Errorf("got an image of garbage: %v", err)
	}
}

func TestRun_DamagedGrainIsFoundByVerify(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	damaged := a
	damaged.stream = append([]byte(nil), a.stream...)
	damaged.stream[64<<10+12+3000] ^= 0xff // inside the first grain's data
	dir := t.TempDir()
	s := spec(dir, a)
	s.Verify = true
	_, err := export.Run(t.Context(), &localSource{disks: []localDisk{damaged}}, s, openJournal(t, filepath.Join(dir, "j")), nil)
	if !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestRun_LostLeaseEndsTheTransferAndIsRetried(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 2<<20, 4)
	dir := t.TempDir()
	never := make(chan struct{})
	defer close(never)
	src := &localSource{disks: []localDisk{a}}
	src.fail = func(_ string, open int) func(io.Reader) io.Reader {
		if open > 1 {
			return nil
		}
		return func(r io.Reader) io.Reader {
			return &stuckUntilLost{r: io.LimitReader(r, 100_000), l: src.lease}
		}
	}
	if _, err := export.Run(t.Context(), src, spec(dir, a), openJournal(t, filepath.Join(dir, "j")), nil); err != nil {
		t.Fatal(err)
	}
	if src.leases != 2 {
		t.Errorf("got %d leases, want 2", src.leases)
	}
}

// stuckUntilLost loses the lease after its bytes, and fails as a connection then does.
type stuckUntilLost struct {
	r io.Reader
	l *localLease
}

func (s *stuckUntilLost) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if errors.Is(err, io.EOF) {
		s.l.lose()
		<-s.l.lost
		return n, errors.New("use of closed connection")
	}
	return n, err
}

func TestRun_CancelLeavesNoPartialFile(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 2<<20, 4)
	b, _ := testDisk(t, "scsi0:1", 2<<20, 5)
	for _, keep := range []export.Keep{export.KeepNothing, export.KeepOVF, export.KeepOVA} {
		dir := t.TempDir()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		src := &localSource{disks: []localDisk{a, b}, fail: func(address string, _ int) func(io.Reader) io.Reader {
			if address == b.address {
				return blocking(300_000, ctx.Done(), cancel)
			}
			return nil
		}}
		s := spec(dir, a, b)
		s.Keep, s.Parallel = keep, 1
		_, err := export.Run(ctx, src, s, openJournal(t, filepath.Join(dir, "j")), nil)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("keep %q: got %v, want context.Canceled", keep, err)
		}
		if got := partials(t, dir); len(got) != 0 {
			t.Errorf("keep %q: left behind %v", keep, got)
		}
		if _, err := os.Stat(filepath.Join(dir, "disk-0.qcow2")); err != nil {
			t.Errorf("keep %q: the finished disk is gone: %v", keep, err)
		}
		if len(src.ends) != 1 || src.ends[0] == nil {
			t.Errorf("keep %q: got ends %v, want one abort", keep, src.ends)
		}
	}
}

func TestRun_ResumeReadsOnlyWhatIsMissing(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	b, _ := testDisk(t, "scsi0:1", 1<<20, 5)
	dir := t.TempDir()
	j := openJournal(t, filepath.Join(dir, "j"))
	s := spec(dir, a, b)
	s.Keep, s.Checksum = export.KeepOVF, true
	first, err := export.Run(t.Context(), &localSource{disks: []localDisk{a, b}}, s, j, nil)
	if err != nil {
		t.Fatal(err)
	}
	src := &localSource{disks: []localDisk{a, b}}
	second, err := export.Run(t.Context(), src, s, j, nil)
	if err != nil || src.leases != 0 {
		t.Fatalf("whole: got %v and %d leases, want none", err, src.leases)
	}
	for i := range second.Disks {
		if second.Disks[i].WireBytes != 0 || second.Disks[i].SHA256 != first.Disks[i].SHA256 ||
			second.Disks[i].SourceSHA256 != first.Disks[i].SourceSHA256 || second.Disks[i].VirtualBytes != 1<<20 {
			t.Errorf("got %+v, want what the first run made: %+v", second.Disks[i], first.Disks[i])
		}
	}
	if err := os.Remove(filepath.Join(dir, "disk-1.qcow2")); err != nil {
		t.Fatal(err)
	}
	if _, err := export.Run(t.Context(), src, s, j, nil); err != nil {
		t.Fatal(err)
	}
	if src.opens[a.address] != 0 || src.opens[b.address] != 1 {
		t.Errorf("got opens %v, want only %s", src.opens, b.address)
	}
}

func TestRun_ResumeAfterCrashBetweenRecordAndRename(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	j := openJournal(t, filepath.Join(dir, "j"))
	s := spec(dir, a)
	if _, err := export.Run(t.Context(), &localSource{disks: []localDisk{a}}, s, j, nil); err != nil {
		t.Fatal(err)
	}
	path := s.Disks[0].Path
	if err := os.Rename(path, path+".partial"); err != nil {
		t.Fatal(err)
	}
	src := &localSource{disks: []localDisk{a}}
	if _, err := export.Run(t.Context(), src, s, j, nil); err != nil || src.leases != 0 {
		t.Errorf("got %v and %d leases, want the whole file adopted", err, src.leases)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestRun_RefusesFilesThatAreNotItsOwn(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	j := openJournal(t, filepath.Join(dir, "j"))
	s := spec(dir, a)
	s.Keep = export.KeepOVF
	for _, name := range []string{"disk-0.qcow2", "web-disk-0.vmdk", "web.ovf", "web.mf"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		src := &localSource{disks: []localDisk{a}}
		_, err := export.Run(t.Context(), src, s, j, nil)
		if !errors.Is(err, sdk.ErrConflict) || src.leases != 0 {
			t.Errorf("%s: got %v and %d leases, want ErrConflict before any", name, err, src.leases)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "mine" {
			t.Errorf("%s: got %q %v, want it untouched", name, data, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRun_RefusesItsOwnFileWhenChanged(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	j := openJournal(t, filepath.Join(dir, "j"))
	s := spec(dir, a)
	if _, err := export.Run(t.Context(), &localSource{disks: []localDisk{a}}, s, j, nil); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(s.Disks[0].Path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("a guest wrote here")
	_ = f.Close()
	_, err = export.Run(t.Context(), &localSource{disks: []localDisk{a}}, s, j, nil)
	if !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v, want ErrConflict", err)
	}
}

func TestRun_WaitsForABusyVM(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	src := &localSource{disks: []localDisk{a}, refuse: func(lease int) error {
		if lease == 1 {
			return fmt.Errorf("%w: %w", export.ErrBusy, sdk.Conflictf("task in progress"))
		}
		return nil
	}}
	if _, err := export.Run(t.Context(), src, spec(dir, a), openJournal(t, filepath.Join(dir, "j")), nil); err != nil {
		t.Error(err)
	}
}

func TestRun_ConflictThatIsNotBusyIsFinal(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 1<<20, 4)
	dir := t.TempDir()
	src := &localSource{disks: []localDisk{a}, refuse: func(int) error { return sdk.Conflictf("the VM is on") }}
	_, err := export.Run(t.Context(), src, spec(dir, a), openJournal(t, filepath.Join(dir, "j")), nil)
	if !errors.Is(err, sdk.ErrConflict) || src.leases != 1 {
		t.Errorf("got %v after %d leases, want ErrConflict after one", err, src.leases)
	}
}

func TestRun_ProgressEndsAtTheWholeDisk(t *testing.T) {
	a, _ := testDisk(t, "scsi0:0", 4<<20, 4)
	dir := t.TempDir()
	var mu sync.Mutex
	var last sdk.Progress
	var done int64
	_, err := export.Run(t.Context(), &localSource{disks: []localDisk{a}}, spec(dir, a), openJournal(t, filepath.Join(dir, "j")), func(p sdk.Progress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Done < done {
			t.Errorf("got %d after %d", p.Done, done)
		}
		done, last = p.Done, p
	})
	if err != nil {
		t.Fatal(err)
	}
	want := sdk.Progress{Stage: "export", Item: "disk-0", Status: sdk.Succeeded, Done: 4 << 20, Total: 4 << 20, Unit: "bytes", Wire: int64(len(a.stream))}
	if last != want {
		t.Errorf("got %+v, want %+v", last, want)
	}
}
