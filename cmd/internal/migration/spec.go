package migration

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

var formats = []string{"ova", "ovf", "vmdk", "qcow2", "raw"}

// Spec turns the options into the SDK's spec. defaultURI is where domains go unless a flag says otherwise. It asks nobody;
// what does not fit together is sdk.ErrInvalid and names the flags.
func (o *Options) Spec(defaultURI string) (migrate.Spec, error) {
	if err := o.check(); err != nil {
		return migrate.Spec{}, err
	}
	compression, err := o.compression()
	if err != nil {
		return migrate.Spec{}, err
	}
	s := migrate.Spec{
		VM:          o.VM,
		Name:        o.Name,
		Convert:     o.converts(),
		Compression: compression,
		Manifest:    o.Manifest,
		Until:       o.Until,
		Verify:      migrate.VerifySpec{Checksum: !o.NoVerify, Boot: o.Boot, BootMarker: o.BootMarker, BootTimeout: o.BootTimeout},
		ShutdownIn:  o.ShutdownTimeout,
		Preflight:   migrate.PreflightSpec{FailOn: o.FailOn, Ignore: o.Ignore},
		Parallel:    o.Parallel,
	}
	s.Keep, s.Format = o.keepAndFormat()
	if o.Dir != "" {
		if s.Dir, err = filepath.Abs(o.Dir); err != nil {
			return migrate.Spec{}, fmt.Errorf(o.words("--output: ")+"%w", err)
		}
	}
	if o.Pipeline {
		s.Pipeline = &migrate.PipelineSpec{Inspect: o.Inspect, Fix: o.Fix, Validate: o.Validate, Engine: o.Engine, Fstab: o.Fstab}
	}
	if o.Libvirt {
		if s.Target, err = o.target(defaultURI); err != nil {
			return migrate.Spec{}, err
		}
	}
	for _, address := range o.SkipDisks {
		if s.Disks == nil {
			s.Disks = map[string]migrate.DiskSpec{}
		}
		s.Disks[address] = migrate.DiskSpec{Skip: true}
	}
	switch {
	case o.DisconnectSource:
		s.SourceAfter = migrate.AfterDisconnected
	case o.PowerOffSource:
		s.SourceAfter = migrate.AfterPoweredOff
	}
	return s, s.Validate()
}

// check refuses what cannot be meant, in the words of the command line.
func (o *Options) check() error {
	switch {
	case o.given("hyper2kvm-path"):
		return sdk.WithHint(o.refuse("--hyper2kvm-path: hyper2kvm as the engine comes with a later release"),
			"leave --hyper2kvm-path out: the built-in engine inspects, fixes and converts; --engine virt-v2v is the other one")
	case o.VM == "":
		return sdk.WithHint(o.refuse("--vm is missing"), "give the VM's inventory path, for example --vm /DC0/vm/web-01")
	case o.Dir == "" && o.Pool == "":
		return sdk.WithHint(o.refuse("--output is missing"), "%s", o.words("give a directory, or --libvirt --libvirt-pool POOL"))
	case o.Format != "" && !slices.Contains(formats, o.Format):
		return fmt.Errorf(o.words("--format: ")+"%w", cli.Unknown("format", o.Format, formats))
	case o.Pipeline && !o.Convert && (o.Inspect || o.Fix || o.Validate || o.Libvirt):
		return sdk.WithHint(o.refuse("--pipeline-convert=false: the other stages and libvirt work on converted disks"),
			"leave --pipeline out to export only")
	case o.PowerOffSource && o.DisconnectSource:
		return o.refuse("--power-off-source and --disconnect-source: choose one; the second one does both")
	case o.Parallel < 0:
		return o.refuse("--parallel: %d is negative", o.Parallel)
	}
	return o.checkNeeds()
}

// checkNeeds refuses a flag that would say nothing without another one.
func (o *Options) checkNeeds() error {
	needs := []struct {
		flag string
		met  bool
		also string
	}{
		{"pipeline-inspect", o.Pipeline, "--pipeline"},
		{"pipeline-fix", o.Pipeline, "--pipeline"},
		{"pipeline-convert", o.Pipeline, "--pipeline"},
		{"pipeline-validate", o.Pipeline, "--pipeline"},
		{"engine", o.Pipeline, "--pipeline"},
		{"fstab-mode", o.Pipeline, "--pipeline"},
		{"pipeline-compress", o.converts(), "--pipeline, --libvirt or --format qcow2"},
		{"compress-level", o.converts(), "--pipeline, --libvirt or --format qcow2"},
		{"zstd", o.converts(), "--pipeline, --libvirt or --format qcow2"},
		{"libvirt-uri", o.Libvirt, "--libvirt"},
		{"libvirt-pool", o.Libvirt, "--libvirt"},
		{"libvirt-bridge", o.Libvirt, "--libvirt"},
		{"libvirt-autostart", o.Libvirt, "--libvirt"},
		{"network", o.Libvirt, "--libvirt"},
		{"start", o.Libvirt, "--libvirt"},
		{"hardware", o.Libvirt, "--libvirt"},
		{"boot", o.Libvirt, "--libvirt"},
		{"boot-marker", o.Boot == "console", "--boot console"},
		{"boot-timeout", o.Boot != "" && o.Boot != "none", "--boot"},
		{"shutdown-timeout", o.PowerOffSource || o.DisconnectSource, "--power-off-source or --disconnect-source"},
	}
	for _, n := range needs {
		if o.given(n.flag) && !n.met {
			return o.refuse("--%s says nothing without %s", o.flag(n.flag), o.words(n.also))
		}
	}
	return nil
}

// converts says whether images are made.
func (o *Options) converts() bool {
	return o.Pipeline && o.Convert || o.Libvirt || o.Format == "qcow2" || o.Format == "raw"
}

// keepAndFormat splits --format: what stays as the server gave it, and what images are made.
func (o *Options) keepAndFormat() (export.Keep, string) {
	switch o.Format {
	case "ova", "ovf", "vmdk":
		return export.Keep(o.Format), ""
	case "qcow2", "raw":
		return export.KeepNothing, o.Format
	}
	if o.converts() {
		return export.KeepNothing, ""
	}
	return export.KeepOVA, ""
}

func (o *Options) compression() (export.Compression, error) {
	top := 9
	if o.Zstd {
		top = 19
	}
	anew := o.Zstd || o.given("compress-level")
	switch {
	case o.given("compress-level") && (o.Level < 1 || o.Level > top):
		return export.Compression{}, o.refuse("--compress-level: want 1 to %d, got %d", top, o.Level)
	case !o.Compress && anew:
		return export.Compression{}, o.refuse("--pipeline-compress=false contradicts --compress-level and --zstd")
	case anew && o.Format == "raw":
		return export.Compression{}, o.refuse("--format raw: a raw image cannot be compressed; leave --compress-level and --zstd out")
	case !o.Compress:
		return export.Compression{Mode: export.Uncompressed}, nil
	case o.Zstd:
		return export.Compression{Mode: export.Zstd, Level: o.Level}, nil
	case anew:
		return export.Compression{Mode: export.Deflate, Level: o.Level}, nil
	}
	return export.Compression{}, nil
}

func (o *Options) target(defaultURI string) (*migrate.TargetSpec, error) {
	t := &migrate.TargetSpec{URI: defaultURI, Pool: o.Pool, Autostart: o.Autostart, Power: migrate.PowerOff}
	if o.given("libvirt-uri") {
		t.URI = o.URI
	}
	if o.Start {
		t.Power = migrate.PowerOn
	}
	for _, h := range o.Hardware {
		t.Hardware = append(t.Hardware, libvirt.Hardware(h))
	}
	var err error
	t.Networks, err = Networks(o.Networks, o.flag("libvirt-bridge"), o.Bridge)
	return t, err
}
