package vsphere_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const webPath = "/DC0/vm/web-01"

// scene is a vCenter with the VM web, a client and the VM as it sees it.
type scene struct {
	v     *demo.VCenter
	guest demo.Guest
	c     *vsphere.Client
	vm    *vsphere.VM
}

func newScene(t testing.TB, guest demo.Guest) scene {
	t.Helper()
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{guest}})
	c := dial(t, v)
	vm, err := c.GetVM(t.Context(), guest.Path)
	if err != nil {
		t.Fatal(err)
	}
	return scene{v, guest, c, vm}
}

// spec asks for all disks as qcow2 in dir, in the VM's boot order.
func (s scene) spec(dir string) export.Spec {
	spec := export.Spec{Name: "web", Dir: dir, Checksum: true, Verify: true}
	for i, d := range s.vm.Disks {
		id := "disk-" + string(rune('0'+i))
		spec.Disks = append(spec.Disks, export.DiskSpec{ID: id, Address: d.Address, Path: filepath.Join(dir, id+".qcow2"), Format: "qcow2"})
	}
	return spec
}

func (s scene) run(t testing.TB, ctx context.Context, spec export.Spec, report sdk.ProgressFunc) (*export.Result, error) {
	t.Helper()
	j, err := journal.Open(filepath.Join(spec.Dir, "journal"), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close() //nolint:errcheck // end of the run
	return export.Run(ctx, s.c.Source(s.vm), spec, j, report)
}

// wantDisks compares every image with the disk that the guest was made from, by its address.
func (s scene) wantDisks(t *testing.T, spec export.Spec) {
	t.Helper()
	for _, d := range spec.Disks {
		for _, g := range s.guest.Disks {
			if g.Address != d.Address {
				continue
			}
			if err := qemuimg.Compare(t.Context(), g.Image, "raw", d.Path, d.Format); err != nil {
				t.Errorf("%s: %v", d.Address, err)
			}
		}
		if err := qemuimg.Check(t.Context(), d.Path, d.Format); err != nil {
			t.Errorf("%s: %v", d.Address, err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(spec.Dir, "*.partial")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestExport_TwoControllersMapByAddress(t *testing.T) {
	need.Tools(t, "qemu-img")
	s := newScene(t, web(t, webPath))
	spec := s.spec(t.TempDir())
	if _, err := s.run(t, t.Context(), spec, nil); err != nil {
		t.Fatal(err)
	}
	s.wantDisks(t, spec)
}

func TestExport_Faults(t *testing.T) {
	need.Tools(t, "qemu-img")
	s := newScene(t, web(t, webPath))
	for name, faults := range map[string]demo.Faults{
		"cut once":                        {CutAfter: 700_000, CutTimes: 1},
		"cut in the header":               {CutAfter: 100, CutTimes: 2},
		"lease lost":                      {LoseLeaseAt: 1 << 20},
		"slow lease":                      {LeaseDelay: 100 * time.Millisecond},
		"renewals refused, then accepted": {LeaseTimeout: 2 * time.Second, FailProgress: 2, BytesPerSec: 800_000},
	} {
		t.Run(name, func(t *testing.T) {
			s.v.SetFaults(faults)
			spec := s.spec(t.TempDir())
			if _, err := s.run(t, t.Context(), spec, nil); err != nil {
				t.Fatal(err)
			}
			s.wantDisks(t, spec)
		})
	}
}

func TestExport_RenewalOutlivesTheTimeout(t *testing.T) {
	s := newScene(t, web(t, webPath))
	s.v.SetFaults(demo.Faults{LeaseTimeout: time.Second, BytesPerSec: 500_000, FailProgress: 1})
	before := s.v.Calls()["ExportVm"]
	if _, err := s.run(t, t.Context(), s.spec(t.TempDir()), nil); err != nil {
		t.Fatal(err)
	}
	if got := s.v.Calls()["ExportVm"] - before; got != 1 {
		t.Errorf("got %d leases, want one that lived through", got)
	}
}

func TestExport_SessionEndsMidTransfer(t *testing.T) {
	need.Tools(t, "qemu-img")
	s := newScene(t, web(t, webPath))
	s.v.SetFaults(demo.Faults{BytesPerSec: 1 << 20, LeaseTimeout: 2 * time.Second})
	spec := s.spec(t.TempDir())
	var ended atomic.Bool
	done := make(chan struct{}, 100)
	go func() {
		<-done
		s.v.EndSessions()
	}()
	_, err := s.run(t, t.Context(), spec, func(p sdk.Progress) {
		if p.Wire > 0 {
			select {
			case done <- struct{}{}:
			default:
			}
			ended.Store(true)
		}
	})
	if err != nil || !ended.Load() {
		t.Fatalf("got %v, session ended %v", err, ended.Load())
	}
	s.wantDisks(t, spec)
}

func TestExport_BadStreams(t *testing.T) {
	s := newScene(t, web(t, webPath))
	for name, c := range map[string]struct {
		faults demo.Faults
		want   error
	}{
		"garbage":   {demo.Faults{Garbage: true}, sdk.ErrInvalid},
		"truncated": {demo.Faults{Truncate: 500_000}, io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			s.v.SetFaults(c.faults)
			spec := s.spec(t.TempDir())
			spec.Attempts = 2
			_, err := s.run(t, t.Context(), spec, nil)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), "disk-") {
				t.Errorf("got %v, want %v naming the disk", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(spec.Dir, "*.[pv]*")); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestExport_CancelAbortsTheLease(t *testing.T) {
	s := newScene(t, web(t, webPath))
	s.v.SetFaults(demo.Faults{BytesPerSec: 200_000})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	spec := s.spec(t.TempDir())
	_, err := s.run(t, ctx, spec, func(p sdk.Progress) {
		if p.Wire > 0 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if left, _ := filepath.Glob(filepath.Join(spec.Dir, "*.partial")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if got := s.v.Calls()["HttpNfcLeaseAbort"]; got != 1 {
		t.Errorf("got %d aborts, want 1", got)
	}
	s.v.SetFaults(demo.Faults{})
	lease, err := s.c.Source(s.vm).Lease(t.Context())
	if err != nil {
		t.Fatalf("the VM is still held: %v", err)
	}
	if err := lease.End(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestLease_BusyAndRunning(t *testing.T) {
	g := web(t, webPath)
	s := newScene(t, g)
	first, err := s.c.Source(s.vm).Lease(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.Source(s.vm).Lease(t.Context()); !errors.Is(err, export.ErrBusy) || !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("second lease: got %v, want ErrBusy and ErrConflict", err)
	}
	if err := first.End(t.Context(), errors.New("enough")); err != nil {
		t.Fatal(err)
	}
	if err := s.c.PowerOnVM(t.Context(), s.vm); err != nil {
		t.Fatal(err)
	}
	if _, err := s.c.Source(s.vm).Lease(t.Context()); !errors.Is(err, sdk.ErrConflict) || errors.Is(err, export.ErrBusy) {
		t.Errorf("running VM: got %v, want ErrConflict, not ErrBusy", err)
	}
}

func TestExport_OVAByTheServersDescriptor(t *testing.T) {
	s := newScene(t, web(t, webPath))
	spec := s.spec(t.TempDir())
	spec.Keep = export.KeepOVA
	res, err := s.run(t, t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	ova, err := os.ReadFile(filepath.Join(spec.Dir, "web.ova"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range res.Disks {
		if !bytes.Contains(ova[:64<<10], []byte("web-"+d.ID+".vmdk")) {
			t.Errorf("the descriptor does not name %s", d.ID)
		}
	}
}

// TestExport_SameBytesAsGovmomi reads every disk by govmomi's own lease client and by ours.
func TestExport_SameBytesAsGovmomi(t *testing.T) {
	s := newScene(t, web(t, webPath))
	want := govmomiExport(t, s.v, s.vm.InstanceUUID)
	spec := s.spec(t.TempDir())
	spec.Keep = export.KeepVMDK
	res, err := s.run(t, t.Context(), spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 3 {
		t.Fatalf("govmomi read %d disks, want 3", len(want))
	}
	for _, d := range res.Disks {
		if !want[d.SourceSHA256] {
			t.Errorf("%s: its stream %s is none that govmomi read: %v", d.ID, d.SourceSHA256, want)
		}
		delete(want, d.SourceSHA256)
	}
}

// govmomiExport returns the digests of the disks.
func govmomiExport(t *testing.T, v *demo.VCenter, uuid string) map[string]bool {
	t.Helper()
	u, err := soap.ParseURL(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(v.Username(), v.Password())
	c, err := govmomi.NewClient(t.Context(), u, true)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Logout(t.Context()) //nolint:errcheck // end of the test
	instance := true
	ref, err := object.NewSearchIndex(c.Client).FindByUuid(t.Context(), nil, uuid, true, &instance)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := object.NewVirtualMachine(c.Client, ref.Reference()).Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info, err := lease.Wait(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	updater := lease.StartUpdater(t.Context(), info)
	defer updater.Done()
	sums := map[string]bool{}
	for _, item := range info.Items {
		if !strings.HasSuffix(item.Path, ".vmdk") && !strings.HasSuffix(item.URL.Path, ".vmdk") {
			continue
		}
		path := filepath.Join(t.TempDir(), "disk.vmdk")
		if err := lease.DownloadFile(t.Context(), path, item, soap.Download{Method: "GET"}); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		sums[hex.EncodeToString(sum[:])] = true
	}
	if err := lease.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	return sums
}
