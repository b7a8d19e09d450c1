package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

var formats = []string{"ova", "ovf", "vmdk", "qcow2", "raw"}

// spec turns the options into the SDK's spec. defaultURI is where domains go unless a flag says otherwise. It asks nobody;
// what does not fit together is sdk.ErrInvalid and names the flags.
func (o *options) spec(defaultURI string) (migrate.Spec, error) {
	if err := o.check(); err != nil {
		return migrate.Spec{}, err
	}
	compression, err := o.compression()
	if err != nil {
		return migrate.Spec{}, err
	}
	s := migrate.Spec{
		VM:          o.vm,
		Name:        o.name,
		Convert:     o.converts(),
		Compression: compression,
		Manifest:    o.manifest,
		Until:       o.until,
		Verify:      migrate.VerifySpec{Checksum: !o.noVerify, Boot: o.boot, BootMarker: o.bootMarker, BootTimeout: o.bootTimeout},
		ShutdownIn:  o.shutdownTimeout,
		Preflight:   migrate.PreflightSpec{FailOn: o.failOn, Ignore: o.ignore},
		Parallel:    o.parallel,
	}
	s.Keep, s.Format = o.keepAndFormat()
	if o.output != "" {
		if s.Dir, err = filepath.Abs(o.output); err != nil {
			return migrate.Spec{}, fmt.Errorf("--output: %w", err)
		}
	}
	if o.pipeline {
		s.Pipeline = &migrate.PipelineSpec{Inspect: o.inspect, Fix: o.fix, Validate: o.validate, Engine: o.engine, Fstab: o.fstab}
	}
	if o.libvirt {
		if s.Target, err = o.target(defaultURI); err != nil {
			return migrate.Spec{}, err
		}
	}
	for _, address := range o.skipDisks {
		if s.Disks == nil {
			s.Disks = map[string]migrate.DiskSpec{}
		}
		s.Disks[address] = migrate.DiskSpec{Skip: true}
	}
	switch {
	case o.disconnectSource:
		s.SourceAfter = migrate.AfterDisconnected
	case o.powerOffSource:
		s.SourceAfter = migrate.AfterPoweredOff
	}
	return s, s.Validate()
}

// check refuses what cannot be meant, in the words of the command line.
func (o *options) check() error {
	switch {
	case o.given("hyper2kvm-path"):
		return sdk.WithHint(sdk.Invalidf("--hyper2kvm-path: hyper2kvm as the engine comes with a later release"),
			"leave --hyper2kvm-path out: the built-in engine inspects, fixes and converts; --engine virt-v2v is the other one")
	case o.vm == "":
		return sdk.WithHint(sdk.Invalidf("--vm is missing"), "give the VM's inventory path, for example --vm /DC0/vm/web-01")
	case o.output == "" && o.pool == "":
		return sdk.WithHint(sdk.Invalidf("--output is missing"), "give a directory, or --libvirt --libvirt-pool POOL")
	case o.format != "" && !slices.Contains(formats, o.format):
		return fmt.Errorf("--format: %w", cli.Unknown("format", o.format, formats))
	case o.pipeline && !o.convert && (o.inspect || o.fix || o.validate || o.libvirt):
		return sdk.WithHint(sdk.Invalidf("--pipeline-convert=false: the other stages and libvirt work on converted disks"),
			"leave --pipeline out to export only")
	case o.powerOffSource && o.disconnectSource:
		return sdk.Invalidf("--power-off-source and --disconnect-source: choose one; the second one does both")
	case o.parallel < 0:
		return sdk.Invalidf("--parallel: %d is negative", o.parallel)
	}
	return o.checkNeeds()
}

// checkNeeds refuses a flag that would say nothing without another one.
func (o *options) checkNeeds() error {
	needs := []struct {
		flag string
		met  bool
		also string
	}{
		{"pipeline-inspect", o.pipeline, "--pipeline"},
		{"pipeline-fix", o.pipeline, "--pipeline"},
		{"pipeline-convert", o.pipeline, "--pipeline"},
		{"pipeline-validate", o.pipeline, "--pipeline"},
		{"engine", o.pipeline, "--pipeline"},
		{"fstab-mode", o.pipeline, "--pipeline"},
		{"pipeline-compress", o.converts(), "--pipeline, --libvirt or --format qcow2"},
		{"compress-level", o.converts(), "--pipeline, --libvirt or --format qcow2"},
		{"zstd", o.converts(), "--pipeline, --libvirt or --format qcow2"},
		{"libvirt-uri", o.libvirt, "--libvirt"},
		{"libvirt-pool", o.libvirt, "--libvirt"},
		{"libvirt-bridge", o.libvirt, "--libvirt"},
		{"libvirt-autostart", o.libvirt, "--libvirt"},
		{"network", o.libvirt, "--libvirt"},
		{"start", o.libvirt, "--libvirt"},
		{"hardware", o.libvirt, "--libvirt"},
		{"boot", o.libvirt, "--libvirt"},
		{"boot-marker", o.boot == "console", "--boot console"},
		{"boot-timeout", o.boot != "" && o.boot != "none", "--boot"},
		{"shutdown-timeout", o.powerOffSource || o.disconnectSource, "--power-off-source or --disconnect-source"},
	}
	for _, n := range needs {
		if o.given(n.flag) && !n.met {
			return sdk.Invalidf("--%s says nothing without %s", n.flag, n.also)
		}
	}
	return nil
}

// converts says whether images are made.
func (o *options) converts() bool {
	return o.pipeline && o.convert || o.libvirt || o.format == "qcow2" || o.format == "raw"
}

// keepAndFormat splits --format: what stays as the server gave it, and what images are made.
func (o *options) keepAndFormat() (export.Keep, string) {
	switch o.format {
	case "ova", "ovf", "vmdk":
		return export.Keep(o.format), ""
	case "qcow2", "raw":
		return export.KeepNothing, o.format
	}
	if o.converts() {
		return export.KeepNothing, ""
	}
	return export.KeepOVA, ""
}

func (o *options) compression() (export.Compression, error) {
	top := 9
	if o.zstd {
		top = 19
	}
	anew := o.zstd || o.given("compress-level")
	switch {
	case o.given("compress-level") && (o.level < 1 || o.level > top):
		return export.Compression{}, sdk.Invalidf("--compress-level: want 1 to %d, got %d", top, o.level)
	case !o.compress && anew:
		return export.Compression{}, sdk.Invalidf("--pipeline-compress=false contradicts --compress-level and --zstd")
	case anew && o.format == "raw":
		return export.Compression{}, sdk.Invalidf("--format raw: a raw image cannot be compressed; leave --compress-level and --zstd out")
	case !o.compress:
		return export.Compression{Mode: export.Uncompressed}, nil
	case o.zstd:
		return export.Compression{Mode: export.Zstd, Level: o.level}, nil
	case anew:
		return export.Compression{Mode: export.Deflate, Level: o.level}, nil
	}
	return export.Compression{}, nil
}

func (o *options) target(defaultURI string) (*migrate.TargetSpec, error) {
	t := &migrate.TargetSpec{URI: defaultURI, Pool: o.pool, Autostart: o.autostart, Power: migrate.PowerOff}
	if o.given("libvirt-uri") {
		t.URI = o.uri
	}
	if o.start {
		t.Power = migrate.PowerOn
	}
	for _, h := range o.hardware {
		t.Hardware = append(t.Hardware, libvirt.Hardware(h))
	}
	var err error
	t.Networks, err = migration.Networks(o.networks, "libvirt-bridge", o.bridge)
	return t, err
}
