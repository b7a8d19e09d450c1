//go:build linux

package exportbench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// usage is what one transfer took.
type usage struct {
	Seconds    float64 `json:"seconds"` // from opening the URL until the file has its name
	WireBytes  int64   `json:"wire_bytes"`
	CPUSeconds float64 `json:"cpu_seconds"`
	RSSBytes   int64   `json:"rss_bytes"` // 0: not measured
}

// rate is in megabytes a second.
func (u usage) rate() float64 { return float64(u.WireBytes) / 1e6 / u.Seconds }

// request asks the other process for one export. It goes through stdin, because of the password.
type request struct {
	URL, Username, Password, CAFile string
	VM, Image                       string
	Verify                          bool
}

func (b *bench) image() string { return filepath.Join(b.out, "image.qcow2") }

// export has another process export a VM's disk into a new image.
func (b *bench) export(ctx context.Context, vm string, verify bool) (usage, error) {
	self, err := os.Executable()
	if err != nil {
		return usage{}, err
	}
	if err := os.RemoveAll(b.image()); err != nil {
		return usage{}, err
	}
	asked, err := json.Marshal(request{
		URL: b.server.URL(), Username: b.server.Username(), Password: b.server.Password(), CAFile: b.server.CAFile(),
		VM: vm, Image: b.image(), Verify: verify,
	})
	if err != nil {
		return usage{}, err
	}
	res, err := proc.Run(ctx, proc.Cmd{Name: self, Args: []string{"export"}, Stdin: bytes.NewReader(asked)})
	if err != nil {
		return usage{}, err
	}
	var u usage
	return u, json.Unmarshal(res.Stdout, &u)
}

// exportOnce is the other process.
func exportOnce(ctx context.Context, _ []string) error {
	var asked request
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	client, err := vsphere.Dial(ctx, vsphere.Config{
		URL: asked.URL, Username: asked.Username, Password: vsphere.Secret(asked.Password), CAFile: asked.CAFile,
	})
	if err != nil {
		return err
	}
	defer client.Close(context.WithoutCancel(ctx)) //nolint:errcheck // the server ends with the benchmark
	vm, err := client.GetVM(ctx, asked.VM)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "exportbench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	j, err := journal.Open(dir, "bench")
	if err != nil {
		return err
	}
	defer j.Close() //nolint:errcheck // temporary
	watch := &stopwatch{Source: client.Source(vm)}
	before := cpuSeconds()
	result, err := export.Run(ctx, watch, export.Spec{
		Name: "bench", Dir: dir, Verify: asked.Verify,
		Disks: []export.DiskSpec{{ID: "disk-0", Address: vm.Disks[0].Address, Path: asked.Image, Format: "qcow2"}},
	}, j, nil)
	if err != nil {
		return err
	}
	rss, err := peakRSS()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(usage{
		Seconds:   watch.seconds(),
		WireBytes: result.Disks[0].WireBytes, CPUSeconds: cpuSeconds() - before, RSSBytes: rss,
	})
}

// stopwatch is a source that knows when the transfer began, and when it and all that was made of it was done: the lease is
// ended after the image is whole, synced and has its name.
type stopwatch struct {
	export.Source
	opened, ended atomic.Pointer[time.Time]
}

func (s *stopwatch) seconds() float64 { return s.ended.Load().Sub(*s.opened.Load()).Seconds() }

// Lease implements export.Source.
func (s *stopwatch) Lease(ctx context.Context) (export.Lease, error) {
	lease, err := s.Source.Lease(ctx)
	if err != nil {
		return nil, err
	}
	return timed{lease, s}, nil
}

type timed struct {
	export.Lease
	watch *stopwatch
}

// Open implements export.Lease.
func (t timed) Open(ctx context.Context, address string) (io.ReadCloser, error) {
	stamp(&t.watch.opened)
	return t.Lease.Open(ctx, address)
}

// End implements export.Lease.
func (t timed) End(ctx context.Context, cause error) error {
	stamp(&t.watch.ended)
	return t.Lease.End(ctx, cause)
}

func stamp(at *atomic.Pointer[time.Time]) {
	now := time.Now()
	at.Store(&now)
}

// cpuSeconds of this process and the tools that it has waited for.
func cpuSeconds() float64 {
	var sum float64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var ru syscall.Rusage
		if err := syscall.Getrusage(who, &ru); err == nil {
			sum += seconds(ru.Utime) + seconds(ru.Stime)
		}
	}
	return sum
}

func seconds(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// peakRSS is of this process alone. What getrusage says may be that of the process which started it.
func peakRSS() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("the kernel does not say VmHWM")
}
