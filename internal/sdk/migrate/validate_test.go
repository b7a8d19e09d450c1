package migrate

import (
	"errors"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

func good() Spec {
	return Spec{
		VM: "/DC0/vm/web", Dir: "/srv", Convert: true,
		Pipeline: &PipelineSpec{Inspect: true, Fix: true, Validate: true},
		Target:   &TargetSpec{URI: "qemu:///system", Networks: map[string]NetworkSpec{"*": {Network: "default"}}},
	}
}

func TestSpecValidate_NamesTheField(t *testing.T) {
	tests := []struct {
		field string
		spoil func(*Spec)
	}{
		{"vm:", func(s *Spec) { s.VM = "" }},
		{"dir:", func(s *Spec) { s.Dir = "" }},
		{"dir:", func(s *Spec) { s.Dir = "relative" }},
		{"name:", func(s *Spec) { s.Name = "a/b" }},
		{"keep:", func(s *Spec) { s.Keep = "tar" }},
		{"format:", func(s *Spec) { s.Format = "vdi" }},
		{"nothing to do:", func(s *Spec) { s.Convert = false }},
		{"convert:", func(s *Spec) { s.Convert, s.Keep = false, export.KeepOVA }},
		{"until:", func(s *Spec) { s.Until = "replicated" }},
		{"source_after:", func(s *Spec) { s.SourceAfter = "deleted" }},
		{"preflight.fail_on:", func(s *Spec) { s.Preflight.FailOn = "info" }},
		{"verify.boot:", func(s *Spec) { s.Verify.Boot = "tcp:0" }},
		{"verify.boot:", func(s *Spec) { s.Verify.Boot = "tcp:70000" }},
		{"verify.boot:", func(s *Spec) { s.Verify.Boot, s.Target = "console", nil }},
		{"verify.boot_marker:", func(s *Spec) { s.Verify.BootMarker = "(" }},
		{"compression.mode:", func(s *Spec) { s.Compression.Mode = "lz4" }},
		{"compression.level:", func(s *Spec) { s.Compression = export.Compression{Mode: export.Deflate, Level: 10} }},
		{"compression.level:", func(s *Spec) { s.Compression = export.Compression{Mode: export.Uncompressed, Level: 1} }},
		{`disks["scsi0:0"].format:`, func(s *Spec) { s.Disks = map[string]DiskSpec{"scsi0:0": {Format: "vhd"}} }},
		{"pipeline.fstab:", func(s *Spec) { s.Pipeline.Fstab = "all" }},
		{"pipeline.engine:", func(s *Spec) { s.Pipeline.Engine = "magic" }},
		{"target.uri:", func(s *Spec) { s.Target.URI = "" }},
		{"target.power:", func(s *Spec) { s.Target.Power = "reset" }},
		{`target.networks["*"]:`, func(s *Spec) { s.Target.Networks = map[string]NetworkSpec{"*": {}} }},
		{`target.networks["*"]:`, func(s *Spec) { s.Target.Networks = map[string]NetworkSpec{"*": {Bridge: "a", Network: "b"}} }},
		{"target.hardware:", func(s *Spec) { s.Target.Hardware = []libvirt.Hardware{"scsi"} }},
	}
	for _, tt := range tests {
		s := good()
		tt.spoil(&s)
		err := s.Validate()
		if !errors.Is(err, sdk.ErrInvalid) || !strings.HasPrefix(err.Error(), tt.field) {
			t.Errorf("Validate() = %v, want an invalid %s", err, tt.field)
		}
	}
	if err := good().Validate(); err != nil {
		t.Errorf("Validate() of a good spec = %v", err)
	}
}

func TestStages_FollowWhatIsAsked(t *testing.T) {
	tests := []struct {
		name string
		edit func(*Spec)
		want string
	}{
		{"whole way", func(s *Spec) { s.Verify.Boot = "console"; s.Manifest = true },
			"export manifest inspect fix validate define boot commit start"},
		{"source shut down and cut off", func(s *Spec) { s.SourceAfter = AfterDisconnected },
			"shutdown export inspect fix validate define commit source start"},
		{"validated only", func(s *Spec) { s.Until = UntilValidated; s.Verify.Boot = "console" }, "export inspect fix validate"},
		{"no pipeline", func(s *Spec) { s.Pipeline = nil }, "export define start"},
		{"stays off", func(s *Spec) { s.Pipeline = nil; s.Target.Power = PowerOff }, "export define"},
		{"pipeline without libvirt", func(s *Spec) { s.Target = nil }, "export inspect fix validate commit"},
		{"dry pipeline", func(s *Spec) { s.Target = nil; s.Pipeline.DryRun = true }, "export inspect fix validate"},
		{"inspect alone", func(s *Spec) { s.Target = nil; s.Pipeline = &PipelineSpec{Inspect: true} }, "export inspect"},
		{"fix needs inspect", func(s *Spec) { s.Target = nil; s.Pipeline = &PipelineSpec{Fix: true} }, "export inspect fix commit"},
		{"virt-v2v inspects itself", func(s *Spec) { s.Target = nil; s.Pipeline = &PipelineSpec{Fix: true, Engine: EngineVirtV2V} }, "export fix commit"},
		{"files only", func(s *Spec) { *s = Spec{VM: "x", Dir: "/srv", Keep: export.KeepOVA} }, "export"},
	}
	for _, tt := range tests {
		spec := good()
		tt.edit(&spec)
		var names []string
		for _, s := range stages(&job{spec: spec.withDefaults()}) {
			names = append(names, s.Name())
		}
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%s: stages = %s, want %s", tt.name, got, tt.want)
		}
	}
}
