package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// preflightFlags is what the command line of preflight says.
type preflightFlags struct {
	vm, name, dir, uri, pool, bridge, failOn string
	networks, hardware, ignore               []string
	exportOnly                               bool
}

func preflightCommand(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "preflight VM",
		Short: "Find out what would stop a migration, and what it would do",
		Long: `Find out what would stop a migration, and what it would do: the same answer
as hyperexport --dry-run. Nothing is changed and nothing is written. The exit
code is 1 when a finding would stop it.`,
		Example: `  hyperctl preflight web-01 -dir /srv/kvm/web-01
  hyperctl preflight -vm /DC0/vm/web-01 -uri qemu:///system -pool default -o csv`,
		Args: cli.MaxArgs(1),
	}
	f := &preflightFlags{}
	f.bind(cmd)
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		environment, err := config.FromEnvironment()
		if err != nil {
			return err
		}
		if f.vm, err = operandVM(f.vm, args); err != nil {
			return err
		}
		spec, err := f.spec(environment.Libvirt.URI)
		if err != nil {
			return err
		}
		return runPreflight(cmd, conn, out, spec, version)
	}
	return cmd
}

func (f *preflightFlags) bind(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.vm, "vm", "", "the `VM`, as a flag: inventory path, moref, instance UUID or a name that only one VM has")
	flags.StringVar(&f.name, "name", "", "the `NAME` that files and domain would have (default the VM's)")
	flags.StringVar(&f.dir, "dir", "", "the `DIR` that everything would be made in")
	flags.StringVar(&f.uri, "uri", "", "`URI` of libvirt (HYPERSDK_LIBVIRT_URI, LIBVIRT_DEFAULT_URI; default qemu:///system)")
	flags.StringVar(&f.pool, "pool", "", "storage `POOL` for the disks (default: they stay in -dir)")
	flags.StringVar(&f.bridge, "bridge", "", "host `BRIDGE` for every network that -network does not map (default: libvirt's network \"default\")")
	flags.StringArrayVar(&f.networks, "network", nil, "map a vSphere network (repeatable, * for all others), `SOURCE=TARGET`: SOURCE=network:NAME or SOURCE=bridge:NAME")
	flags.StringSliceVar(&f.hardware, "hardware", nil, "`FAMILIES` of devices to try in turn: virtio, sata, vmware (default virtio)")
	flags.BoolVar(&f.exportOnly, "export-only", false, "of an export with the pipeline; libvirt is not asked")
	flags.StringVar(&f.failOn, "fail-on", "", "the least `SEVERITY` of findings that stop it: critical, warning or none (default critical)")
	flags.StringSliceVar(&f.ignore, "ignore", nil, "`ID` of a finding that shall not stop it (repeatable)")
}

func operandVM(flag string, args []string) (string, error) {
	vm, err := cli.Operand("VM", flag, args)
	if err != nil && vm == "" && flag == "" && len(args) == 0 {
		return "", sdk.WithHint(sdk.Invalidf("which VM?"), "give its name as an argument or with -vm")
	}
	return vm, err
}

// spec turns the flags into the SDK's spec. It asks nobody.
func (f *preflightFlags) spec(defaultURI string) (migrate.Spec, error) {
	s := migrate.Spec{
		VM: f.vm, Name: f.name, Convert: true,
		Pipeline:  &migrate.PipelineSpec{Inspect: true, Fix: true, Validate: true},
		Verify:    migrate.VerifySpec{Checksum: true},
		Preflight: migrate.PreflightSpec{FailOn: f.failOn, Ignore: f.ignore},
	}
	var err error
	if f.dir != "" {
		if s.Dir, err = filepath.Abs(f.dir); err != nil {
			return s, fmt.Errorf("-dir: %w", err)
		}
	}
	target := f.uri != "" || f.pool != "" || f.bridge != "" || len(f.networks) > 0 || len(f.hardware) > 0
	switch {
	case f.exportOnly && target:
		return s, sdk.Invalidf("-export-only asks no libvirt; leave -uri, -pool, -bridge, -network and -hardware out")
	case s.Dir == "" && f.pool == "":
		return s, sdk.WithHint(sdk.Invalidf("where would the disks go?"), "give -dir DIR, or -pool POOL of libvirt")
	case f.exportOnly:
		return s, s.Validate()
	}
	if f.uri != "" {
		defaultURI = f.uri
	}
	s.Target = &migrate.TargetSpec{URI: defaultURI, Pool: f.pool, Power: migrate.PowerOff}
	for _, h := range f.hardware {
		s.Target.Hardware = append(s.Target.Hardware, libvirt.Hardware(h))
	}
	if s.Target.Networks, err = migration.Networks(f.networks, "bridge", f.bridge); err != nil {
		return s, err
	}
	return s, s.Validate()
}

func runPreflight(cmd *cobra.Command, conn *cli.Connection, out *cli.Output, spec migrate.Spec, version string) error {
	settings, err := conn.Settings()
	if err != nil {
		return err
	}
	log, err := cli.Logger(cmd, settings.Talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	deps, err := migration.Connect(ctx, settings.VSphere, spec, log, version)
	if err != nil {
		return err
	}
	plan, err := migrate.Preview(ctx, deps, spec)
	if err == nil {
		err = out.Print(cmd.OutOrStdout(), planView(plan))
	}
	if err == nil {
		err = migration.Blocked("migration", plan)
	}
	return errors.Join(err, migration.Disconnect(ctx, deps))
}
