package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

func tinyGuest(disks ...string) demo.Guest {
	g := demo.Guest{Path: vmPath, Hostname: "web-01", NICs: []demo.GuestNIC{{MAC: freshMAC(), Network: "VM Network"}}}
	for _, d := range disks {
		g.Disks = append(g.Disks, demo.GuestDisk{Image: d, Format: "raw"})
	}
	return g
}

// freshMAC is in VMware's range and unlike that of a domain that a killed test left behind.
func freshMAC() string {
	return fmt.Sprintf("00:50:56:%02x:%02x:%02x", rand.N(0x40), rand.N(0x100), rand.N(0x100))
}

// bootVerify waits for the tiny guest's marker, which comes in a second or two.
func bootVerify() migrate.VerifySpec {
	return migrate.VerifySpec{Checksum: true, Boot: "console", BootMarker: marker, BootTimeout: time.Minute}
}

func TestRun_MovesAGuestThatThenBoots(t *testing.T) {
	boot := need.BootDisk(t, 8<<20, 1, marker+"\r\n")
	data := need.BootDisk(t, 3<<20, 2, "")
	guest := tinyGuest(boot, data)
	deps := connect(t, startVCenter(t, guest))
	spec := targetSpec(t, deps)
	spec.Verify = bootVerify()
	spec.Target.Power = migrate.PowerOn

	got, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != sdk.Succeeded || len(got.Disks) != 2 {
		t.Fatalf("Run() = status %s with %d disks, want succeeded with 2", got.Status, len(got.Disks))
	}
	if got.Boot == nil || !got.Boot.OK || !strings.Contains(got.Boot.Evidence, marker) {
		t.Errorf("boot = %+v, want the marker as evidence", got.Boot)
	}
	domain, err := deps.Libvirt.GetDomain(t.Context(), got.DomainUUID)
	if err != nil {
		t.Fatal(err)
	}
	if domain.State != "running" || domain.UUID != migrate.DomainUUID(got.JobKey) {
		t.Errorf("domain = %s %s, want it running under the derived UUID", domain.UUID, domain.State)
	}
	if want := guest.NICs[0].MAC; len(domain.MACs) != 1 || domain.MACs[0] != want {
		t.Errorf("MACs = %v, want the source's %v", domain.MACs, want)
	}
	if err := deps.Libvirt.Stop(t.Context(), domain.UUID, 0, true); err != nil {
		t.Fatal(err)
	}
	wantImage(t, got.Disks[0].Path, boot)
	wantImage(t, got.Disks[1].Path, data)
	again, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil || again.FinishedAt != got.FinishedAt {
		t.Errorf("Run() again = %v, finished %v; want the same result, finished %v", err, again.FinishedAt, got.FinishedAt)
	}
}

func TestRun_ReportsAndManifestNameTheFiles(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 3, "")
	deps := connect(t, startVCenter(t, tinyGuest(raw)))
	spec := targetSpec(t, deps)
	spec.Target = nil
	got, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{got.ManifestPath, got.ReportPath} {
		data, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(data), got.Disks[0].Path) {
			t.Errorf("%s does not name %s (%v)", path, got.Disks[0].Path, err)
		}
	}
	if len(got.Disks[0].SHA256) != 64 {
		t.Errorf("sha256 = %q, want 64 digits", got.Disks[0].SHA256)
	}
}

func TestRun_BootFailureKeepsDisksAndTakesTheDomain(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 4, "Kernel panic - not syncing: no root\r\n")
	vc := startVCenter(t, tinyGuest(raw))
	deps := connect(t, vc)
	spec := targetSpec(t, deps)
	spec.Verify = bootVerify()

	got, err := migrate.Run(t.Context(), deps, spec, nil)
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || partial.Failed["boot"] == nil {
		t.Fatalf("Run() = %v, want the boot stage failed and the export whole", err)
	}
	if got.Pipeline.Status != sdk.Failed || got.Pipeline.Stage != "boot" {
		t.Errorf("pipeline = %+v, want failed at boot", got.Pipeline)
	}
	if _, err := deps.Libvirt.GetDomain(t.Context(), spec.Name); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("the domain is still there: %v", err)
	}
	wantImage(t, got.Disks[0].Path, raw)
	before := vc.Calls()["ExportVm"]
	if _, err := migrate.Run(t.Context(), deps, spec, nil); err == nil {
		t.Error("a second Run() succeeded, want the boot to fail again")
	}
	if after := vc.Calls()["ExportVm"]; after != before {
		t.Errorf("the retry opened %d more leases, want none", after-before)
	}
}

func TestRun_ShutsDownOnlyWhenAsked(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 5, "")
	guest := tinyGuest(raw)
	guest.PoweredOn = true
	deps := connect(t, startVCenter(t, guest))
	spec := targetSpec(t, deps)

	_, err := migrate.Run(t.Context(), deps, spec, nil)
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "source.power.running") {
		t.Fatalf("Run() of a running VM = %v, want source.power.running", err)
	}
	wantPower(t, deps, "poweredOn")
	if left := leftovers(t, spec.Dir); len(left) != 0 {
		t.Errorf("a refused run left %v", left)
	}
	spec.SourceAfter = migrate.AfterDisconnected
	if _, err := migrate.Run(t.Context(), deps, spec, nil); err != nil {
		t.Fatal(err)
	}
	wantPower(t, deps, "poweredOff")
	vm, err := deps.VSphere.GetVM(t.Context(), vmPath)
	if err != nil || vm.NICs[0].StartConnected {
		t.Errorf("the adapter starts connected (%v), want it disconnected", err)
	}
}

func TestRun_FailureGivesTheSourceBack(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 6, "Kernel panic\r\n")
	guest := tinyGuest(raw)
	guest.PoweredOn = true
	deps := connect(t, startVCenter(t, guest))
	spec := targetSpec(t, deps)
	spec.SourceAfter = migrate.AfterPoweredOff
	spec.Verify = bootVerify()
	if _, err := migrate.Run(t.Context(), deps, spec, nil); err == nil {
		t.Fatal("Run() succeeded, want the boot to fail")
	}
	wantPower(t, deps, "poweredOn")
}

func wantPower(t *testing.T, deps migrate.Deps, want string) {
	t.Helper()
	vm, err := deps.VSphere.GetVM(t.Context(), vmPath)
	if err != nil {
		t.Fatal(err)
	}
	if vm.PowerState != want {
		t.Errorf("the source is %s, want %s", vm.PowerState, want)
	}
}

func TestRun_CancelInTheMiddleResumes(t *testing.T) {
	raw := need.BootDisk(t, 16<<20, 7, "")
	vc := startVCenter(t, tinyGuest(raw))
	vc.SetFaults(demo.Faults{BytesPerSec: 2 << 20})
	deps := connect(t, vc)
	spec := targetSpec(t, deps)
	ctx, cancel := context.WithCancel(t.Context())
	got, err := migrate.Run(ctx, deps, spec, func(p sdk.Progress) {
		if p.Stage == "export" && p.Done > 1<<20 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || got.Status != sdk.Interrupted {
		t.Fatalf("Run() = %v, %v; want interrupted", got, err)
	}
	vc.SetFaults(demo.Faults{})
	loaded, err := migrate.Load(spec.Dir, got.JobKey)
	if err != nil || loaded.Status != sdk.Interrupted {
		t.Errorf("Load() = %v, %v; want interrupted", loaded, err)
	}
	plan, err := migrate.Preview(t.Context(), deps, spec)
	if err != nil || plan.Resume != "export" {
		t.Errorf("Preview() resumes at %q (%v), want export", plan.Resume, err)
	}
	got, err = migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantImage(t, got.Disks[0].Path, raw)
}

func TestPreview_WritesNothing(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 8, "")
	deps := connect(t, startVCenter(t, tinyGuest(raw)))
	spec := targetSpec(t, deps)
	spec.Target.Networks = nil
	plan, err := migrate.Preview(t.Context(), deps, spec)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Blocking) != 1 || plan.Blocking[0].ID != "target.network.unmapped" {
		t.Errorf("blocking = %+v, want target.network.unmapped alone", plan.Blocking)
	}
	if left := leftovers(t, spec.Dir); len(left) != 0 {
		t.Errorf("Preview left %v", left)
	}
}

func TestRemove_ByPolicy(t *testing.T) {
	tests := []struct {
		policy               migrate.Removal
		wantDomain, wantFile bool
	}{
		{migrate.RemoveNothing, true, true},
		{migrate.RemoveDomain, false, true},
		{migrate.RemoveAllOfIt, false, false},
	}
	raw := need.BootDisk(t, 2<<20, 9, "")
	deps := connect(t, startVCenter(t, tinyGuest(raw)))
	for _, tt := range tests {
		t.Run(string(tt.policy), func(t *testing.T) {
			spec := targetSpec(t, deps)
			got, err := migrate.Run(t.Context(), deps, spec, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := migrate.Remove(t.Context(), deps, spec.Dir, got.JobKey, tt.policy, 0); err != nil {
				t.Fatal(err)
			}
			_, err = deps.Libvirt.GetDomain(t.Context(), got.DomainUUID)
			if (err == nil) != tt.wantDomain {
				t.Errorf("domain there: %v, want %v (%v)", err == nil, tt.wantDomain, err)
			}
			_, err = os.Stat(got.Disks[0].Path)
			if (err == nil) != tt.wantFile {
				t.Errorf("disk there: %v, want %v", err == nil, tt.wantFile)
			}
			wantPower(t, deps, "poweredOff")
		})
	}
}

// migrated is a tiny VM after its migration; raw is its disk.
func migrated(t *testing.T, seed uint64) (deps migrate.Deps, spec migrate.Spec, got *migrate.Result, raw string) {
	t.Helper()
	raw = need.BootDisk(t, 2<<20, seed, "")
	deps = connect(t, startVCenter(t, tinyGuest(raw)))
	spec = targetSpec(t, deps)
	got, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	return deps, spec, got, raw
}

func TestRemove_SparesAFileThatIsNotOurs(t *testing.T) {
	deps, spec, got, _ := migrated(t, 10)
	path := got.Disks[0].Path
	other := filepath.Join(spec.Dir, "other")
	if err := errors.Join(os.WriteFile(other, []byte("precious"), 0o600), os.Rename(other, path)); err != nil {
		t.Fatal(err)
	}
	removed, err := migrate.Remove(t.Context(), deps, spec.Dir, got.JobKey, migrate.RemoveAllOfIt, 0)
	if err != nil || len(removed.Spared) != 1 || len(removed.Deleted) != 0 {
		t.Errorf("Remove() = %+v, %v; want the file spared", removed, err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "precious" {
		t.Errorf("the foreign file is gone: %v", err)
	}
}

func TestRedefine_BringsTheDomainBack(t *testing.T) {
	deps, spec, got, _ := migrated(t, 11)
	undefine(t, deps, spec.Name)
	domain, err := migrate.Redefine(t.Context(), deps, spec.Dir, got.JobKey)
	if err != nil || domain.UUID != got.DomainUUID {
		t.Fatalf("Redefine() = %v, %v; want %s", domain, err, got.DomainUUID)
	}
	undefine(t, deps, spec.Name)
	if err := os.Remove(got.Disks[0].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Redefine(t.Context(), deps, spec.Dir, got.JobKey); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("Redefine() without its disk = %v, want a conflict", err)
	}
}

// Somebody powers the source on between a cancelled run and the next: the copy that is there is stale.
func TestRun_CopiesAnewWhenTheSourceRan(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 12, "Kernel panic\r\n")
	guest := tinyGuest(raw)
	vc := startVCenter(t, guest)
	deps := connect(t, vc)
	spec := targetSpec(t, deps)
	spec.SourceAfter = migrate.AfterPoweredOff
	spec.Verify = bootVerify()
	if _, err := migrate.Run(t.Context(), deps, spec, nil); err == nil {
		t.Fatal("Run() succeeded, want the boot to fail")
	}
	vm, err := deps.VSphere.GetVM(t.Context(), vmPath)
	if err != nil {
		t.Fatal(err)
	}
	before := vc.Calls()["ExportVm"]
	if err := errors.Join(deps.VSphere.PowerOnVM(t.Context(), vm), deps.VSphere.ShutdownVM(t.Context(), vm, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Run(t.Context(), deps, spec, nil); err == nil {
		t.Fatal("Run() succeeded, want the boot to fail")
	}
	if more := vc.Calls()["ExportVm"] - before; more != 1 {
		t.Errorf("the second run opened %d leases, want 1: the source ran in between", more)
	}
}

func TestRun_ValidatedThenCutover(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 13, marker+"\r\n")
	vc := startVCenter(t, tinyGuest(raw))
	deps := connect(t, vc)
	spec := targetSpec(t, deps)
	spec.Until = migrate.UntilValidated
	first, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if first.DomainUUID != "" {
		t.Errorf("validated defined domain %s, want none yet", first.DomainUUID)
	}
	spec.Until = migrate.UntilCutover
	second, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil || second.DomainUUID == "" {
		t.Fatalf("cutover = %+v, %v; want a domain", second, err)
	}
	if n := vc.Calls()["ExportVm"]; n != 1 {
		t.Errorf("%d leases were opened, want 1", n)
	}
}

// The UUID is derived from VM, target and name: a second copy into another directory must not take the first one's domain.
func TestRun_LeavesTheDomainOfAnotherDirectoryAlone(t *testing.T) {
	deps, spec, first, _ := migrated(t, 14)
	second := spec
	second.Dir = t.TempDir()
	if _, err := migrate.Run(t.Context(), deps, second, nil); err == nil {
		t.Fatal("Run() into another directory succeeded, want it refused")
	}
	domain, err := deps.Libvirt.GetDomain(t.Context(), first.DomainUUID)
	if err != nil || domain.Disks[0] != first.Disks[0].Path {
		t.Errorf("the first domain is %+v (%v), want it on %s", domain, err, first.Disks[0].Path)
	}
}

func TestRun_AllGoneStartsAnew(t *testing.T) {
	deps, spec, got, raw := migrated(t, 15)
	undefine(t, deps, spec.Name)
	if err := os.Remove(got.Disks[0].Path); err != nil {
		t.Fatal(err)
	}
	again, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantImage(t, again.Disks[0].Path, raw)
}

func TestRun_RefusesToAnswerWithAnExportThatIsNotItself(t *testing.T) {
	raw := need.BootDisk(t, 2<<20, 16, "")
	other := need.BootDisk(t, 1<<20, 17, "")
	deps := connect(t, startVCenter(t, tinyGuest(raw, other)))
	spec := targetSpec(t, deps)
	spec.Target = nil
	got, err := migrate.Run(t.Context(), deps, spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(got.Disks[1].Path); err != nil {
		t.Fatal(err)
	}
	if _, err := migrate.Run(t.Context(), deps, spec, nil); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("Run() with a file gone = %v, want a conflict", err)
	}
}
