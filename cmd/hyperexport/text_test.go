package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/guest"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

func samplePlan() *migrate.Plan {
	stops := sdk.Finding{
		ID: "source.power.running", Severity: sdk.Critical, Text: `"web-01" is running; its disks cannot be exported while they change`,
		Action: "shut it down, or let hyperexport do it with --power-off-source, and run the same command again",
	}
	return &migrate.Plan{
		VM: &vsphere.VM{
			Path: "/DC1/vm/web-01", GuestFullName: "Debian GNU/Linux 12 (64-bit)", PowerState: "poweredOn", CPUs: 1, MemoryMB: 2048,
			Firmware: "uefi", Disks: make([]vsphere.Disk, 3), NICs: make([]vsphere.NIC, 1),
		},
		Name: "web-01", Dir: "/srv/kvm/web-01", DomainUUID: "7bf03a6f-8e08-5441-855d-d8379a016b48", Resume: "inspect",
		Stages: []migrate.PlanStage{
			{Name: "export", Does: "copy 2 disks (30 GiB) over NFC, convert to qcow2 in the same pass, compressed as served", Done: sdk.Succeeded},
			{Name: "inspect", Does: "find out what the guest is"},
		},
		Disks: []migrate.PlanDisk{
			{ID: "disk-0", Address: "scsi0:0", CapacityBytes: 20 << 30, Transport: "nfc", Path: "/srv/kvm/web-01/web-01-disk-0.qcow2"},
			{ID: "disk-1", Address: "scsi0:1", CapacityBytes: 10 << 30, Transport: "nfc"},
			{ID: "disk-2", Address: "scsi0:2", CapacityBytes: 512 << 20, Transport: "nfc", Skip: true},
		},
		NeedBytes: 31 << 30, FreeBytes: -1,
		Findings: []sdk.Finding{stops, {ID: "source.snapshot.present", Severity: sdk.Warning, Text: "2 snapshots\x1b[2J stay behind"}},
		Blocking: []sdk.Finding{stops},
	}
}

func TestWritePlan(t *testing.T) {
	var got bytes.Buffer
	if err := migration.WritePlan(&got, samplePlan()); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan.txt", got.String())
}

func TestWritePlan_OfAnExportWithoutFindings(t *testing.T) {
	p := samplePlan()
	p.DomainUUID, p.Resume, p.Findings, p.Blocking, p.FreeBytes = "", "", nil, nil, 40<<30
	var got bytes.Buffer
	if err := migration.WritePlan(&got, p); err != nil {
		t.Fatal(err)
	}
	golden(t, "plan-plain.txt", got.String())
}

func sampleResult(dir string) *migrate.Result {
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	image, ova := filepath.Join(dir, "web-01-disk-0.qcow2"), filepath.Join(dir, "web-01.ova")
	return &migrate.Result{
		Name: "web-01", VMPath: "/DC1/vm/web-01", Status: sdk.Succeeded, Files: []string{image, ova, filepath.Join(dir, "gone")},
		Disks: []export.Disk{{
			ID: "disk-0", Path: image, SHA256: strings.Repeat("0123456789abcdef", 4), SourcePath: ova, SourceSHA256: strings.Repeat("f", 64),
		}},
		Inspection: &guest.Inspection{Product: "Debian GNU/Linux 12", Arch: "x86_64"},
		Edits:      make([]guest.Edit, 7),
		Pipeline:   migrate.PipelineResult{Status: sdk.Succeeded},
		DomainUUID: "7bf03a6f-8e08-5441-855d-d8379a016b48",
		Boot: &libvirt.BootResult{
			OK: true, Check: "console", Hardware: libvirt.HardwareVirtio, Evidence: "web-01 login:", Seconds: 41.3,
		},
		BytesCopied: 700 << 20, ManifestPath: filepath.Join(dir, "manifest.json"), ReportPath: filepath.Join(dir, "report.json"),
		StartedAt: started, FinishedAt: started.Add(192 * time.Second),
	}
}

func summaryOf(t *testing.T, change func(*migrate.Result)) string {
	t.Helper()
	dir := t.TempDir()
	r := sampleResult(dir)
	for _, file := range r.Files[:2] {
		if err := os.WriteFile(file, make([]byte, 2048), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	change(r)
	var got bytes.Buffer
	if err := migration.WriteSummary(&got, r); err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(got.String(), dir, "DIR")
}

func TestWriteSummary(t *testing.T) {
	golden(t, "summary.txt", summaryOf(t, func(*migrate.Result) {}))
}

func TestWriteSummary_OfAFailedPipeline(t *testing.T) {
	golden(t, "summary-failed.txt", summaryOf(t, func(r *migrate.Result) {
		r.Status, r.Pipeline = sdk.Failed, migrate.PipelineResult{Status: sdk.Failed, Stage: "boot"}
		r.DomainUUID, r.Boot.OK, r.FinishedAt, r.ManifestPath = "", false, time.Time{}, ""
	}))
}

// golden compares with a file in testdata; -update rewrites it.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
