package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

func TestPreflight_Spec(t *testing.T) {
	cmd := &cobra.Command{Use: "preflight"}
	f := &preflightFlags{}
	f.bind(cmd)
	args := []string{"-vm", "x", "-dir", "/out", "-uri", "qemu:///session", "-pool", "p", "-network", "a=bridge:br1", "-hardware", "sata", "-ignore", "i"}
	if err := cmd.ParseFlags(cli.Normalize(cmd, args)); err != nil {
		t.Fatal(err)
	}
	got, err := f.spec("qemu:///system")
	if err != nil {
		t.Fatal(err)
	}
	want := migrate.Spec{
		VM: "x", Dir: "/out", Convert: true, Pipeline: &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true},
		Target: &migrate.TargetSpec{
			URI: "qemu:///session", Pool: "p", Power: migrate.PowerOff, Hardware: []libvirt.Hardware{libvirt.HardwareSATA},
			Networks: map[string]migrate.NetworkSpec{"a": {Bridge: "br1"}, "*": {Network: "default"}},
		},
		Verify: migrate.VerifySpec{Checksum: true}, Preflight: migrate.PreflightSpec{Ignore: []string{"i"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}
