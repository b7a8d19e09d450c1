package main

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// parse reads a command line as the program does, up to the spec.
func parse(t *testing.T, args ...string) (migrate.Spec, error) {
	t.Helper()
	cmd := cli.Root("hyperexport", "", "")
	o := &options{}
	o.bind(cmd.Flags())
	if err := cmd.ParseFlags(cli.Normalize(cmd, args)); err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return o.Spec("qemu:///system")
}

func TestSpec(t *testing.T) {
	pipeline := &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true}
	networks := map[string]migrate.NetworkSpec{"*": {Network: "default"}}
	tests := []struct {
		args string
		want func(*migrate.Spec)
	}{
		{"", func(s *migrate.Spec) { s.Keep = export.KeepOVA }},
		{"--format ova", func(s *migrate.Spec) { s.Keep = export.KeepOVA }},
		{"-format ovf -manifest", func(s *migrate.Spec) { s.Keep, s.Manifest = export.KeepOVF, true }},
		{"--format=vmdk", func(s *migrate.Spec) { s.Keep = export.KeepVMDK }},
		{"--format qcow2", func(s *migrate.Spec) { s.Convert, s.Format = true, "qcow2" }},
		{"--format raw", func(s *migrate.Spec) { s.Convert, s.Format = true, "raw" }},
		{"--pipeline", func(s *migrate.Spec) { s.Convert, s.Pipeline = true, pipeline }},
		{"--pipeline --format ova", func(s *migrate.Spec) {
			s.Convert, s.Pipeline, s.Keep = true, pipeline, export.KeepOVA
		}},
		{"--pipeline --pipeline-inspect --pipeline-fix --pipeline-convert --pipeline-validate --pipeline-compress", func(s *migrate.Spec) {
			s.Convert, s.Pipeline = true, pipeline
		}},
		{"--pipeline --pipeline-fix=false --pipeline-validate=false", func(s *migrate.Spec) {
			s.Convert, s.Pipeline = true, &migrate.PipelineSpec{Inspect: true}
		}},
		{"--pipeline -pipeline-compress=false", func(s *migrate.Spec) {
			s.Convert, s.Pipeline, s.Compression = true, pipeline, export.Compression{Mode: export.Uncompressed}
		}},
		{"--pipeline --compress-level 6", func(s *migrate.Spec) {
			s.Convert, s.Pipeline, s.Compression = true, pipeline, export.Compression{Mode: export.Deflate, Level: 6}
		}},
		{"--format qcow2 --zstd", func(s *migrate.Spec) {
			s.Convert, s.Format, s.Compression = true, "qcow2", export.Compression{Mode: export.Zstd}
		}},
		{"--format qcow2 --zstd --compress-level 19", func(s *migrate.Spec) {
			s.Convert, s.Format, s.Compression = true, "qcow2", export.Compression{Mode: export.Zstd, Level: 19}
		}},
		{"--pipeline --engine virt-v2v --fstab-mode noop", func(s *migrate.Spec) {
			s.Convert = true
			s.Pipeline = &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true, Engine: "virt-v2v", Fstab: "noop"}
		}},
		{"--libvirt", func(s *migrate.Spec) {
			s.Convert = true
			s.Target = &migrate.TargetSpec{URI: "qemu:///system", Networks: networks, Power: "off"}
		}},
		{"--libvirt --libvirt-uri qemu:///session --libvirt-autostart --libvirt-pool p --start", func(s *migrate.Spec) {
			s.Convert = true
			s.Target = &migrate.TargetSpec{URI: "qemu:///session", Pool: "p", Networks: networks, Autostart: true, Power: "on"}
		}},
		{"--libvirt --libvirt-bridge virbr0", func(s *migrate.Spec) {
			s.Convert = true
			s.Target = &migrate.TargetSpec{URI: "qemu:///system", Networks: map[string]migrate.NetworkSpec{"*": {Bridge: "virbr0"}}, Power: "off"}
		}},
		{"--libvirt --libvirt-bridge br0 --network VM_Network=network:lan --network a=b=bridge:br1", func(s *migrate.Spec) {
			s.Convert = true
			s.Target = &migrate.TargetSpec{URI: "qemu:///system", Power: "off", Networks: map[string]migrate.NetworkSpec{
				"*": {Bridge: "br0"}, "VM_Network": {Network: "lan"}, "a=b": {Bridge: "br1"},
			}}
		}},
		{"--libvirt --network *=bridge:br0", func(s *migrate.Spec) {
			s.Convert = true
			s.Target = &migrate.TargetSpec{URI: "qemu:///system", Networks: map[string]migrate.NetworkSpec{"*": {Bridge: "br0"}}, Power: "off"}
		}},
		{"--libvirt --hardware virtio,sata --boot console --boot-marker ok --boot-timeout 9m --until validated", func(s *migrate.Spec) {
			s.Convert, s.Until = true, "validated"
			s.Target = &migrate.TargetSpec{
				URI: "qemu:///system", Networks: networks, Power: "off",
				Hardware: []libvirt.Hardware{libvirt.HardwareVirtio, libvirt.HardwareSATA},
			}
			s.Verify.Boot, s.Verify.BootMarker, s.Verify.BootTimeout = "console", "ok", 9*time.Minute
		}},
		{"--name n --parallel 2 --no-verify --skip-disk scsi0:1 --skip-disk scsi0:2", func(s *migrate.Spec) {
			s.Keep, s.Name, s.Parallel, s.Verify.Checksum = export.KeepOVA, "n", 2, false
			s.Disks = map[string]migrate.DiskSpec{"scsi0:1": {Skip: true}, "scsi0:2": {Skip: true}}
		}},
		{"--power-off-source --shutdown-timeout 1m --fail-on warning --ignore a --ignore b,c", func(s *migrate.Spec) {
			s.Keep, s.SourceAfter, s.ShutdownIn = export.KeepOVA, "powered_off", time.Minute
			s.Preflight = migrate.PreflightSpec{FailOn: "warning", Ignore: []string{"a", "b", "c"}}
		}},
		{"--disconnect-source", func(s *migrate.Spec) { s.Keep, s.SourceAfter = export.KeepOVA, "nics_disconnected" }},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			got, err := parse(t, append([]string{"-vm", "/DC1/vm/x", "--output", "/out"}, strings.Fields(tt.args)...)...)
			if err != nil {
				t.Fatal(err)
			}
			want := migrate.Spec{VM: "/DC1/vm/x", Dir: "/out", Verify: migrate.VerifySpec{Checksum: true}}
			tt.want(&want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSpec_TheSpecsOwnCommandLine(t *testing.T) {
	got, err := parse(t, "--vm", "/DC1/vm/Ubuntu-Server", "--output", "/var/lib/libvirt/images/ubuntu", "--format", "ova", "--manifest",
		"--pipeline", "--libvirt", "--libvirt-uri", "qemu:///system", "--libvirt-autostart")
	if err != nil {
		t.Fatal(err)
	}
	want := migrate.Spec{
		VM: "/DC1/vm/Ubuntu-Server", Dir: "/var/lib/libvirt/images/ubuntu", Keep: export.KeepOVA, Convert: true, Manifest: true,
		Pipeline: &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true},
		Target: &migrate.TargetSpec{
			URI: "qemu:///system", Autostart: true, Power: "off",
			Networks: map[string]migrate.NetworkSpec{"*": {Network: "default"}},
		},
		Verify: migrate.VerifySpec{Checksum: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestSpec_ARelativeDirectoryBecomesAbsolute(t *testing.T) {
	got, err := parse(t, "--vm", "x", "--output", "here")
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(got.Dir) || filepath.Base(got.Dir) != "here" {
		t.Errorf("Dir = %q", got.Dir)
	}
}

func TestSpec_APoolNeedsNoDirectory(t *testing.T) {
	got, err := parse(t, "--vm", "x", "--libvirt", "--libvirt-pool", "default")
	if err != nil || got.Dir != "" || got.Target.Pool != "default" {
		t.Errorf("spec = %+v, %v", got, err)
	}
}

func TestSpec_Refuses(t *testing.T) {
	const vm, out = "--vm x ", "--vm x --output /o "
	tests := []struct {
		args string
		want string
	}{
		{"", "--vm is missing"},
		{vm, "--output is missing"},
		{out + "--hyper2kvm-path /x", "later release"},
		{"--hyper2kvm-path=", "later release"},
		{out + "--format vdi", `unknown format "vdi"`},
		{out + "--pipeline --pipeline-convert=false", "work on converted disks"},
		{out + "--pipeline --pipeline-convert=false --pipeline-inspect=false --pipeline-fix=false --pipeline-validate=false --libvirt", "work on converted disks"},
		{out + "--power-off-source --disconnect-source", "choose one"},
		{out + "--parallel -1", "negative"},
		{out + "--pipeline-fix", "--pipeline-fix says nothing without --pipeline"},
		{out + "--engine builtin", "--engine says nothing without --pipeline"},
		{out + "--compress-level 6", "--compress-level says nothing without"},
		{out + "--zstd", "--zstd says nothing without"},
		{out + "--pipeline-compress=false", "--pipeline-compress says nothing without"},
		{out + "--libvirt-uri x", "without --libvirt"},
		{out + "--libvirt-pool x", "without --libvirt"},
		{out + "--libvirt-bridge x", "without --libvirt"},
		{out + "--libvirt-autostart", "without --libvirt"},
		{out + "--network a=network:b", "without --libvirt"},
		{out + "--start", "without --libvirt"},
		{out + "--hardware sata", "without --libvirt"},
		{out + "--boot console", "without --libvirt"},
		{out + "--libvirt --boot-marker x", "--boot-marker says nothing without --boot console"},
		{out + "--libvirt --boot-timeout 1m", "--boot-timeout says nothing without --boot"},
		{out + "--shutdown-timeout 1m", "--shutdown-timeout says nothing without"},
		{out + "--pipeline --compress-level 0", "want 1 to 9, got 0"},
		{out + "--pipeline --compress-level 10", "want 1 to 9, got 10"},
		{out + "--pipeline --compress-level 20 --zstd", "want 1 to 19, got 20"},
		{out + "--pipeline --pipeline-compress=false --compress-level 6", "contradicts"},
		{out + "--format raw --compress-level 6", "cannot be compressed"},
		{out + "--libvirt --network VM", "want SOURCE=network:NAME"},
		{out + "--libvirt --network =bridge:x", "want SOURCE=network:NAME"},
		{out + "--libvirt --network a=br0", "want network:NAME or bridge:NAME"},
		{out + "--libvirt --network a=bridge:", "want network:NAME or bridge:NAME"},
		{out + "--libvirt --network a=bridge:b --network a=bridge:c", "mapped twice"},
		{out + "--libvirt --network *=bridge:b --libvirt-bridge c", "both say where"},
		{out + "--libvirt --hardware ide", "hardware"},
		{out + "--libvirt --boot maybe", "boot"},
		{out + "--libvirt --boot console --boot-marker (", "boot_marker"},
		{out + "--until later", "until"},
		{out + "--fail-on never", "fail_on"},
		{out + "--pipeline --engine x", "engine"},
		{out + "--pipeline --fstab-mode x", "fstab"},
		{out + "--name a/b", "name"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			_, err := parse(t, strings.Fields(tt.args)...)
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want an invalid one that says %q", err, tt.want)
			}
		})
	}
}
