package provider

import (
	"errors"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

func text(s string) types.String { return types.StringValue(s) }

func TestSpec_FromConfiguration(t *testing.T) {
	small := func() *migrationModel {
		return &migrationModel{
			Source: text("/DC0/vm/web"), Until: text("cutover"),
			Target: &targetModel{URI: text("qemu:///system"), Pool: text("default"), Name: types.StringUnknown()},
		}
	}
	base := migrate.Spec{
		VM: "/DC0/vm/web", Convert: true, Manifest: true, Until: "cutover",
		Pipeline: &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true},
		Target:   &migrate.TargetSpec{URI: "qemu:///system", Pool: "default", Networks: map[string]migrate.NetworkSpec{}},
		Disks:    map[string]migrate.DiskSpec{},
		Verify:   migrate.VerifySpec{Checksum: true},
	}
	tests := []struct {
		name   string
		change func(*migrationModel)
		want   func(*migrate.Spec)
	}{
		{"smallest", func(*migrationModel) {}, func(*migrate.Spec) {}},
		{"name", func(m *migrationModel) { m.Target.Name = text("n") }, func(s *migrate.Spec) { s.Name = "n" }},
		{"no engine", func(m *migrationModel) { m.Convert = &convertModel{Engine: text("none")} }, func(s *migrate.Spec) { s.Pipeline = nil }},
		{"convert", func(m *migrationModel) {
			m.Convert = &convertModel{Engine: text("virt-v2v"), Fstab: text("noop"), CompressLevel: types.Int64Value(9)}
		}, func(s *migrate.Spec) {
			s.Pipeline.Engine, s.Pipeline.Fstab = "virt-v2v", "noop"
			s.Compression = export.Compression{Mode: export.Deflate, Level: 9}
		}},
		{"verify", func(m *migrationModel) {
			m.Verify = &verifyModel{Checksum: types.BoolValue(false), Boot: text("console"), BootMarker: text("ok"), BootTimeout: text("90s")}
		}, func(s *migrate.Spec) {
			s.Verify = migrate.VerifySpec{Boot: "console", BootMarker: "ok", BootTimeout: 90 * time.Second}
		}},
		{"verify without checksum", func(m *migrationModel) { m.Verify = &verifyModel{Boot: text("power")} },
			func(s *migrate.Spec) { s.Verify.Boot = "power" }},
		{"target", func(m *migrationModel) {
			m.Target.Autostart, m.Target.Power, m.Target.Hardware = types.BoolValue(true), text("off"), []string{"virtio", "sata"}
			m.Target.Networks = map[string]networkModel{"VM Network": {Bridge: text("br0")}, "*": {Network: text("default")}}
			m.Target.Disks = map[string]diskRequestModel{"scsi0:1": {Skip: types.BoolValue(true)}, "*": {Format: text("raw")}}
		}, func(s *migrate.Spec) {
			s.Target.Autostart, s.Target.Power = true, "off"
			s.Target.Hardware = []libvirt.Hardware{libvirt.HardwareVirtio, libvirt.HardwareSATA}
			s.Target.Networks = map[string]migrate.NetworkSpec{"VM Network": {Bridge: "br0"}, "*": {Network: "default"}}
			s.Disks = map[string]migrate.DiskSpec{"scsi0:1": {Skip: true}, "*": {Format: "raw"}}
		}},
		{"policy", func(m *migrationModel) {
			m.SourceAfter, m.Preflight = text("powered_off"), &preflightModel{FailOn: text("warning"), Ignore: []string{"a.b"}}
		}, func(s *migrate.Spec) {
			s.SourceAfter, s.Preflight = "powered_off", migrate.PreflightSpec{FailOn: "warning", Ignore: []string{"a.b"}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			model, want := small(), base
			pipeline, target := *base.Pipeline, *base.Target
			want.Pipeline, want.Target = &pipeline, &target
			tt.change(model)
			tt.want(&want)
			got := model.spec()
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("spec() differs (-want +got):\n%s", diff)
			}
			if err := got.Validate(); err != nil {
				t.Errorf("the SDK refuses the spec: %v", err)
			}
		})
	}
}

func TestSetResult_LeavesNothingUnknown(t *testing.T) {
	results := map[string]*migrate.Result{
		"interrupted": {JobKey: "k", Name: "web", Status: sdk.Interrupted, Stage: "export"},
		"succeeded": {
			JobKey: "k", Name: "web", Status: sdk.Succeeded, Stage: "start", FinishedAt: time.Now(), InstanceUUID: "u", ChangeVersion: "c",
			Disks: []export.Disk{{Address: "scsi0:0", Path: "/d", Format: "qcow2", Bytes: 5}}, Boot: &libvirt.BootResult{OK: true, Evidence: "login:"},
			Findings: []sdk.Finding{{ID: "a.b", Severity: sdk.Info, Text: "t"}},
		},
	}
	for name, result := range results {
		t.Run(name, func(t *testing.T) {
			m := &migrationModel{Target: &targetModel{URI: text("qemu:///system"), Name: types.StringUnknown()}, Until: text("cutover")}
			m.setUnknown()
			m.ID, m.DomainUUID, m.SourceUUID = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
			if d := m.setResult(t.Context(), result, 40); d.HasError() {
				t.Fatal(d)
			}
			v := reflect.ValueOf(*m)
			for i := range v.NumField() {
				if u, ok := v.Field(i).Interface().(interface{ IsUnknown() bool }); ok && u.IsUnknown() {
					t.Errorf("%s is unknown", v.Type().Field(i).Name)
				}
			}
			if m.Target.Name.ValueString() != "web" {
				t.Errorf("target.name = %s, want web", m.Target.Name)
			}
			if got, want := m.JobID.IsNull(), result.Status == sdk.Succeeded; got != want {
				t.Errorf("job_id is null: %v, want %v", got, want)
			}
		})
	}
}

func TestSetResult_KeepsPlannedFindings(t *testing.T) {
	planned, _ := findingList(t.Context(), []sdk.Finding{{ID: "planned", Severity: sdk.Warning}})
	m := &migrationModel{Target: &targetModel{}, Findings: planned}
	m.setResult(t.Context(), &migrate.Result{JobKey: "k", Findings: []sdk.Finding{{ID: "later"}}}, 0)
	if !m.Findings.Equal(planned) {
		t.Errorf("findings = %s, want the planned ones", m.Findings)
	}
}

func TestResumes(t *testing.T) {
	tests := []struct {
		status, was, is string
		want            bool
	}{
		{"succeeded", "cutover", "cutover", false},
		{"succeeded", "validated", "validated", false},
		{"succeeded", "validated", "cutover", true},
		{"interrupted", "cutover", "cutover", true},
		{"failed", "cutover", "cutover", true},
	}
	for _, tt := range tests {
		state := &migrationModel{Status: text(tt.status), Until: text(tt.was)}
		if got := resumes(state, &migrationModel{Until: text(tt.is)}); got != tt.want {
			t.Errorf("resumes(%s, %s to %s) = %v, want %v", tt.status, tt.was, tt.is, got, tt.want)
		}
	}
}

func TestWarnFrozen_NamesWhatComesTooLate(t *testing.T) {
	state := migrationModel{Source: text("s"), Status: text("succeeded"), Until: text("cutover"), Target: &targetModel{Power: text("on")}}
	plan := state
	plan.Target = &targetModel{Power: text("off")}
	plan.Verify = &verifyModel{Boot: text("power")}
	var diags diag.Diagnostics
	warnFrozen(&state, &plan, &diags)
	got := map[string]bool{}
	for _, d := range diags.Warnings() {
		if p, ok := d.(diag.DiagnosticWithPath); ok {
			got[p.Path().String()] = true
		}
	}
	if want := map[string]bool{"verify": true, "target.power": true}; !cmp.Equal(got, want) || diags.HasError() {
		t.Errorf("warnings for %v, want %v", got, want)
	}
	diags = nil
	state.Source = types.StringNull()
	warnFrozen(&state, &plan, &diags)
	if len(diags) != 0 {
		t.Errorf("an imported migration warns: %v", diags)
	}
}

func TestObserveDisks(t *testing.T) {
	files := map[string]bool{"/a/0.qcow2": true, "/b/1.qcow2": true, "/a/snap": true}
	exists := func(p string) (bool, error) {
		if p == "/denied" {
			return false, fs.ErrPermission
		}
		return files[p], nil
	}
	tests := []struct {
		name                            string
		recorded, attached, paths, gone []string
		wantErr                         error
	}{
		{"all there", []string{"/a/0.qcow2"}, []string{"/a/0.qcow2"}, []string{"/a/0.qcow2"}, nil, nil},
		{"moved", []string{"/a/1.qcow2"}, []string{"/b/1.qcow2"}, []string{"/b/1.qcow2"}, nil, nil},
		{"snapshot above it", []string{"/a/0.qcow2"}, []string{"/a/snap"}, []string{"/a/0.qcow2"}, nil, nil},
		{"gone", []string{"/a/9.qcow2"}, []string{"/a/9.qcow2"}, []string{"/a/9.qcow2"}, []string{"/a/9.qcow2"}, nil},
		{"domain gone, disk there", []string{"/a/0.qcow2"}, nil, []string{"/a/0.qcow2"}, nil, nil},
		{"not allowed to look", []string{"/denied"}, nil, []string{"/denied"}, nil, fs.ErrPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var disks []diskModel
			for _, p := range tt.recorded {
				disks = append(disks, diskModel{Path: text(p)})
			}
			gone, err := observeDisks(disks, tt.attached, exists)
			if !errors.Is(err, tt.wantErr) {
				t.Fatalf("error %v, want %v", err, tt.wantErr)
			}
			if !cmp.Equal(gone, tt.gone) {
				t.Errorf("gone = %v, want %v", gone, tt.gone)
			}
			for i, d := range disks {
				if got := d.Path.ValueString(); got != tt.paths[i] {
					t.Errorf("path = %s, want %s", got, tt.paths[i])
				}
			}
		})
	}
}

func TestParseMigrationID(t *testing.T) {
	const domain = "2f1c8a4e-0d5b-4a8e-9d57-3a1d8f3d1f7e"
	tests := []struct{ id, uri string }{
		{"qemu:///system#" + domain, "qemu:///system"},
		{"qemu:///system?x=#1#" + strings.ToUpper(domain), "qemu:///system?x=#1"},
		{"qemu:///system", ""},
		{"#" + domain, ""},
		{"qemu:///system#web-01", ""},
	}
	for _, tt := range tests {
		got, err := parseMigrationID(tt.id)
		if (err == nil) != (tt.uri != "") || got.URI.ValueString() != tt.uri {
			t.Errorf("parseMigrationID(%q) = %v, %v; want %q", tt.id, got.URI, err, tt.uri)
		}
		if err == nil && got.DomainUUID.ValueString() != domain {
			t.Errorf("parseMigrationID(%q) gives UUID %s, want %s", tt.id, got.DomainUUID, domain)
		}
	}
}

func TestAddFindings(t *testing.T) {
	running := sdk.Finding{ID: "source.power.running", Severity: sdk.Critical, Text: "the VM runs", Action: "set source_after"}
	bridge := sdk.Finding{ID: "target.bridge.missing", Severity: sdk.Critical, Text: "no br0", Action: "make it"}
	snap := sdk.Finding{ID: "source.snapshot.present", Severity: sdk.Warning, Text: "two snapshots"}
	note := sdk.Finding{ID: "source.cbt.off", Severity: sdk.Info, Text: "no CBT"}
	var diags diag.Diagnostics
	addFindings(&diags, []sdk.Finding{running, bridge, snap, note}, []sdk.Finding{running, bridge})
	if got := diags.ErrorsCount(); got != 2 {
		t.Errorf("%d errors, want 2", got)
	}
	if got := diags.WarningsCount(); got != 1 {
		t.Errorf("%d warnings, want 1: information is in findings only", got)
	}
	for i, want := range []path.Path{path.Root("source"), path.Root("target").AtName("networks")} {
		d, ok := diags[i].(diag.DiagnosticWithPath)
		if !ok || !d.Path().Equal(want) {
			t.Errorf("finding %d is at %v, want %s", i, diags[i], want)
		}
	}
	if text := diags[0].Detail(); !strings.Contains(text, "The VM runs.") || !strings.Contains(text, "Set source_after.") || !strings.Contains(text, `"source.power.running"`) {
		t.Errorf("detail %q lacks text, action or id", text)
	}
}
