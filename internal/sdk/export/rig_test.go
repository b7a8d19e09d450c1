package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vmdk"
)

const grain = 64 << 10

// localSource serves streams from memory, with faults. It stands for a vCenter where only Run is tested; the vSphere
// source itself is tested against the simulated vCenter.
type localSource struct {
	disks []localDisk

	mu     sync.Mutex
	leases int
	opens  map[string]int
	ends   []error
	fail   func(address string, open int) func(io.Reader) io.Reader // nil: serve it whole
	refuse func(lease int) error
	lease  *localLease // the last one
}

type localDisk struct {
	address  string
	capacity int64
	stream   []byte
}

func (s *localSource) Lease(context.Context) (export.Lease, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases++
	if s.refuse != nil {
		if err := s.refuse(s.leases); err != nil {
			return nil, err
		}
	}
	s.lease = &localLease{s: s, lost: make(chan struct{})}
	return s.lease, nil
}

type localLease struct {
	s       *localSource
	lost    chan struct{}
	once    sync.Once
	percent int
}

func (l *localLease) Disks() []export.SourceDisk {
	var all []export.SourceDisk
	for _, d := range l.s.disks {
		all = append(all, export.SourceDisk{Address: d.address, DeviceID: "/vm-1/" + d.address, CapacityBytes: d.capacity})
	}
	return all
}

func (l *localLease) Open(_ context.Context, address string) (io.ReadCloser, error) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.s.opens == nil {
		l.s.opens = map[string]int{}
	}
	l.s.opens[address]++
	for _, d := range l.s.disks {
		if d.address == address {
			var r io.Reader = bytes.NewReader(d.stream)
			if l.s.fail != nil {
				if spoil := l.s.fail(address, l.s.opens[address]); spoil != nil {
					r = spoil(r)
				}
			}
			return io.NopCloser(r), nil
		}
	}
	return nil, sdk.NotFoundf("no disk %s", address)
}

func (l *localLease) Progress(percent int) {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.percent = percent
}

func (l *localLease) Lost() <-chan struct{} { return l.lost }

func (l *localLease) lose() { l.once.Do(func() { close(l.lost) }) }

func (l *localLease) Err() error {
	select {
	case <-l.lost:
		return sdk.Unavailablef("the lease was lost")
	default:
		return nil
	}
}

func (l *localLease) Descriptor(_ context.Context, name string, files []export.DescriptorFile) (string, error) {
	var refs strings.Builder
	for _, f := range files {
		fmt.Fprintf(&refs, "<File href=%q size=\"%d\" capacity=\"%d\" id=%q/>", f.Path, f.Bytes, f.Capacity, f.DeviceID)
	}
	return fmt.Sprintf("<?xml version=\"1.0\"?>\n<Envelope name=%q>%s</Envelope>\n", name, refs.String()), nil
}

func (l *localLease) End(_ context.Context, cause error) error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	l.s.ends = append(l.s.ends, cause)
	return nil
}

// testDisk makes a raw image with text, noise, zeros that are written, holes and a short last grain, and its stream.
func testDisk(t testing.TB, address string, size int64, seed uint64) (localDisk, string) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, size)
	for off := int64(0); off < size; off += grain {
		part := data[off:min(off+grain, size)]
		switch random.IntN(4) {
		case 0: // a hole
		case 1:
			for i := range part {
				part[i] = byte(random.Uint32())
			}
		default:
			words := []string{"the ", "disk ", "of ", "a ", "guest ", "boots\n", "0123 ", "grain "}
			for i := 0; i < len(part); {
				i += copy(part[i:], words[random.IntN(len(words))])
			}
		}
	}
	data[size-1] = 1 // the last, short grain is there
	raw := filepath.Join(t.TempDir(), address+".raw")
	if err := os.WriteFile(raw, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var stream bytes.Buffer
	if err := vmdk.Write(&stream, bytes.NewReader(data), vmdk.WriterSpec{CapacityBytes: size}); err != nil {
		t.Fatal(err)
	}
	return localDisk{address: address, capacity: size, stream: stream.Bytes()}, raw
}

func openJournal(t testing.TB, dir string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(dir, "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// cutAfter ends a stream early as a dead connection does.
func cutAfter(n int64) func(io.Reader) io.Reader {
	return func(r io.Reader) io.Reader {
		return io.MultiReader(io.LimitReader(r, n), failing{io.ErrUnexpectedEOF})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// blocking gives n bytes and then nothing until the channel is closed.
func blocking(n int64, until <-chan struct{}, reached func()) func(io.Reader) io.Reader {
	return func(r io.Reader) io.Reader {
		return io.MultiReader(io.LimitReader(r, n), &gate{until: until, reached: reached}, failing{errors.New("closed")})
	}
}

type gate struct {
	until   <-chan struct{}
	reached func()
}

func (g *gate) Read([]byte) (int, error) {
	g.reached()
	<-g.until
	return 0, io.EOF
}

// partials lists what must not be there.
func partials(t *testing.T, dir string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*.partial"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
