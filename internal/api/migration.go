package api

import (
	"context"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// What a request means when it does not say.
const (
	defaultBridge = "virbr0"
	defaultPool   = "default"
	defaultLevel  = 6
)

// migrationOf turns the feature document's request into the SDK's spec, and says what is done otherwise than asked. uri is the libvirt
// of a request that names none.
func migrationOf(r job.Request, uri string) (migrate.Spec, []string, error) {
	o, s := r.Options, migrate.Spec{VM: r.VMPath, Dir: r.OutputDir, Manifest: r.Options.EnablePipeline, Verify: migrate.VerifySpec{Checksum: true}}
	if r.VMPath == "" {
		return s, nil, sdk.WithHint(sdk.Invalidf("vm_path: which VM?"), "give its inventory path, for example /DC1/vm/ubuntu-server")
	}
	if r.OutputDir != "" && !filepath.IsAbs(r.OutputDir) {
		return s, nil, sdk.Invalidf("output_dir: %q is not an absolute path", r.OutputDir)
	}
	switch r.Format {
	case "ova", "ovf", "vmdk":
		s.Keep = export.Keep(r.Format)
	case "qcow2", "raw":
		s.Convert, s.Format = true, r.Format
	case "":
		if !o.EnablePipeline && !o.LibvirtIntegration {
			s.Keep = export.KeepOVA
		}
	default:
		return s, nil, sdk.WithHint(sdk.Invalidf("format: there is no %q", r.Format), "there is ova, ovf, vmdk, qcow2 and raw")
	}
	if err := pipelineOf(o, &s); err != nil {
		return s, nil, err
	}
	if o.LibvirtIntegration {
		s.Convert, s.Target = true, targetOf(o, uri)
	}
	var warnings []string
	if o.Hyper2KVMPath != "" {
		warnings = append(warnings, "hyper2kvm_path is not used: the stages are done by the built-in engine")
	}
	return s, warnings, s.Validate()
}

// pipelineOf reads the options of the pipeline. A stage that is not mentioned is on.
func pipelineOf(o job.Options, s *migrate.Spec) error {
	on := func(stage *bool) bool { return stage == nil || *stage }
	if o.EnablePipeline {
		s.Convert = s.Convert || on(o.PipelineConvert)
		s.Pipeline = &migrate.PipelineSpec{Inspect: on(o.PipelineInspect), Fix: on(o.PipelineFix), Validate: on(o.PipelineValidate)}
		if !s.Convert && (s.Pipeline.Inspect || s.Pipeline.Fix || s.Pipeline.Validate) {
			return sdk.WithHint(sdk.Invalidf("options.pipeline_convert: the other stages work on converted disks"), "turn enable_pipeline off to export only")
		}
	}
	switch {
	case o.CompressLevel < 0 || o.CompressLevel > 9:
		return sdk.Invalidf("options.compress_level: %d is not between 1 and 9", o.CompressLevel)
	case o.PipelineCompress != nil && !*o.PipelineCompress && o.CompressLevel > 0:
		return sdk.Invalidf("options.pipeline_compress: false and a compress_level contradict each other")
	case o.PipelineCompress != nil && !*o.PipelineCompress:
		s.Compression.Mode = export.Uncompressed
	case s.Format == migrate.FormatRaw: // a raw image cannot be compressed
	case o.CompressLevel > 0 || o.PipelineCompress != nil:
		s.Compression = export.Compression{Mode: export.Deflate, Level: positive(o.CompressLevel, defaultLevel)}
	}
	return nil
}

func targetOf(o job.Options, uri string) *migrate.TargetSpec {
	return &migrate.TargetSpec{
		URI: orElse(o.LibvirtURI, orElse(uri, "qemu:///system")), Pool: orElse(o.LibvirtPool, defaultPool), Autostart: o.LibvirtAutostart, Power: migrate.PowerOff,
		Networks: map[string]migrate.NetworkSpec{"*": {Bridge: orElse(o.LibvirtBridge, defaultBridge)}},
	}
}

type preflightInput struct {
	Body job.Request
}

// preflight answers what a migration would do and what would stop it. It changes nothing.
func (s *Server) preflight(ctx context.Context, in *preflightInput) (*body[*migrate.Plan], error) {
	spec, _, err := migrationOf(in.Body, s.libvirtURI)
	if err != nil {
		return nil, err
	}
	if s.preview == nil {
		return nil, sdk.Unavailablef("this daemon plans no migrations")
	}
	plan, err := s.preview(ctx, spec)
	if plan != nil {
		plan.VM = shown(plan.VM)
	}
	return &body[*migrate.Plan]{plan}, err
}
