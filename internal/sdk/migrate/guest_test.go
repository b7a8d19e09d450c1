package migrate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

const guestMarker = "HYPERSDK-GUEST boot-ok"

func debianGuest(t *testing.T, firmware string) demo.Guest {
	t.Helper()
	need.Appliance(t)
	return demo.Guest{
		Path: vmPath, Firmware: firmware, Hostname: "vmw-web01", GuestID: "debian12_64Guest",
		Disks: []demo.GuestDisk{{Image: need.Guest(t, firmware), Format: "raw"}},
		NICs:  []demo.GuestNIC{{MAC: "00:50:56:00:00:0a", Network: "VM Network"}},
	}
}

func fullPipeline() *migrate.PipelineSpec {
	return &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true}
}

// The BIOS guest does not boot on virtio as it left vSphere; the retry with FIX starts from the disks that are there, and boots.
func TestGuest_BootsOnlyAfterFix(t *testing.T) {
	vc := startVCenter(t, debianGuest(t, "bios"))
	deps := connect(t, vc)
	spec := targetSpec(t, deps)
	spec.Verify.Boot, spec.Verify.BootMarker = "console", guestMarker

	got, err := migrate.Run(t.Context(), deps, spec, logProgress(t))
	var partial *sdk.PartialError
	if !errors.As(err, &partial) || partial.Failed["boot"] == nil {
		t.Fatalf("Run() without FIX = %v, want the boot to fail", err)
	}
	if got.Boot.OK {
		t.Fatalf("the guest boots on virtio before FIX: %s", got.Boot.Evidence)
	}
	leases := vc.Calls()["ExportVm"]

	spec.Pipeline = fullPipeline()
	got, err = migrate.Run(t.Context(), deps, spec, logProgress(t))
	if err != nil {
		t.Fatal(err)
	}
	wantBooted(t, got)
	if more := vc.Calls()["ExportVm"] - leases; more != 0 {
		t.Errorf("the retry opened %d leases, want none", more)
	}
	if got.Inspection == nil || got.Inspection.Distro != "debian" || len(got.Edits) == 0 {
		t.Errorf("inspection = %+v with %d edits, want debian with some", got.Inspection, len(got.Edits))
	}
}

// The UEFI guest's migration is killed at the boundaries of the guest stages and again when the merge begins; the same command
// then ends with a guest that boots.
func TestGuest_UEFIBootsAfterFixAndKill9(t *testing.T) {
	vc := startVCenter(t, debianGuest(t, "uefi"))
	deps := connect(t, vc)
	spec := targetSpec(t, deps)
	spec.Verify = migrate.VerifySpec{Checksum: true, Boot: "console", BootMarker: guestMarker}
	spec.Pipeline = fullPipeline()
	for _, point := range []crashTask{
		{Stage: "inspect", Status: sdk.Succeeded},
		{Stage: "fix", Status: sdk.Succeeded},
		{Stage: "commit", Status: sdk.Running},
	} {
		point.Spec = spec
		killed(t, vc, point)
		t.Logf("killed at %s %s", point.Stage, point.Status)
	}
	got, err := migrate.Run(t.Context(), deps, spec, logProgress(t))
	if err != nil {
		t.Fatal(err)
	}
	wantBooted(t, got)
	if n := vc.Calls()["ExportVm"]; n != 1 {
		t.Errorf("%d leases were opened, want 1: the export was whole before the first kill", n)
	}
	for _, name := range leftovers(t, spec.Dir) {
		if strings.HasSuffix(name, ".overlay.qcow2") || strings.HasSuffix(name, ".boot.qcow2") {
			t.Errorf("%s was left behind", name)
		}
	}
	if err := qemuimg.Check(t.Context(), got.Disks[0].Path, "qcow2"); err != nil {
		t.Error(err)
	}
}

// wantBooted checks the guest's own words: virtio, its old interface name, an address, nothing failed.
func wantBooted(t *testing.T, got *migrate.Result) {
	t.Helper()
	if got.Boot == nil || !got.Boot.OK {
		t.Fatalf("boot = %+v, want it to have booted", got.Boot)
	}
	// The boot check's network lies in 198.18.0.0/15.
	for _, want := range []string{guestMarker, "virtio", "net=ens192", "drv=virtio_net", "ip=198.1"} {
		if !strings.Contains(got.Boot.Evidence, want) {
			t.Errorf("the guest said %q, want %q in it", got.Boot.Evidence, want)
		}
	}
	if !strings.Contains(got.Boot.Evidence+" ", "failed= ") {
		t.Errorf("the guest said %q, want no failed unit", got.Boot.Evidence)
	}
}

func logProgress(t *testing.T) sdk.ProgressFunc {
	return func(p sdk.Progress) {
		if p.Status != "" {
			t.Logf("%s %s %s", p.Stage, p.Status, p.Message)
		}
	}
}
