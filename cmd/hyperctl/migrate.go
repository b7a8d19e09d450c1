package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// migrateCommand runs a migration, and without a VM the terminal UI.
func migrateCommand(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "migrate [VM]",
		Short: "Move a VM to KVM; without a VM: the terminal UI",
		Long: `Move a VM to KVM: copy its disks, convert them, make the guest fit for KVM and
define it in libvirt. The pre-flight comes first, and a critical finding stops
it. The source VM is never altered or deleted. What was interrupted goes on
where it stopped when the same command is given again. When the copy is whole
and a later stage fails, the copy stays and the exit code is 5.

Without a VM it opens the terminal UI.`,
		Example: `  hyperctl migrate web-01 -to qemu:///system -pool default -boot console
  hyperctl migrate web-01 -dir /srv/kvm/web-01 -bridge br0 -dry-run
  hyperctl migrate -vm /DC0/vm/web-01 -pool default -network 'VLAN 20=bridge:br20' -power-off-source -power-on`,
		Args: cli.MaxArgs(1),
	}
	cmd.Flags().SortFlags = false
	o := &migration.Options{}
	o.Flags(cmd.Flags(), migrateNames())
	dry := cli.AddDryRun(cmd)
	cli.AddProgress(cmd)
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	completeMigrate(cmd, conn)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		if o.VM == "" && len(args) == 0 {
			return runUI(cmd.Context(), cmd, conn, version)
		}
		var err error
		if o.VM, err = operandVM(o.VM, args); err != nil {
			return err
		}
		o.Pipeline, o.Libvirt = true, true
		environment, err := config.FromEnvironment()
		if err != nil {
			return err
		}
		spec, err := o.Spec(environment.Libvirt.URI)
		if err != nil {
			return err
		}
		return runMigrate(cmd, conn, out, spec, bool(*dry), version)
	}
	return cmd
}

// migrateNames is what hyperctl migrate calls hyperexport's flags. The pipeline and libvirt are what a migration is.
func migrateNames() migration.Names {
	return migration.Names{
		"output": "dir", "libvirt-uri": "to", "libvirt-pool": "pool", "libvirt-bridge": "bridge", "libvirt-autostart": "autostart", "start": "power-on",
		"pipeline-inspect": "inspect", "pipeline-fix": "fix", "pipeline-validate": "validate", "pipeline-compress": "compress",
		"pipeline": "", "pipeline-convert": "", "libvirt": "", "hyper2kvm-path": "",
	}
}

func completeMigrate(cmd *cobra.Command, conn *cli.Connection) {
	cmd.ValidArgsFunction = completeNames(conn, "vm")
	completeFlag(cmd, conn, "vm", "vm")
	for flag, values := range map[string][]string{
		"boot": {"none", "power", "console", "agent", "address"}, "hardware": {"virtio", "sata", "vmware"}, "engine": {migrate.EngineBuiltin, migrate.EngineVirtV2V},
		"until": {migrate.UntilValidated, migrate.UntilCutover}, "fail-on": {"critical", "warning", "none"},
	} {
		// The names are right by construction.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	}
}

// runMigrate shows the pre-flight on stderr, runs the migration with its progress there, and prints the result; of a dry run it
// prints the plan.
func runMigrate(cmd *cobra.Command, conn *cli.Connection, out *cli.Output, spec migrate.Spec, dry bool, version string) error {
	settings, err := conn.Settings()
	if err != nil {
		return err
	}
	progress, err := cli.NewProgress(cmd, settings.Talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	defer progress.Close()
	log, err := cli.Logger(cmd, settings.Talk, progress)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	deps, err := migration.Connect(ctx, settings.VSphere, spec, log, version)
	if err != nil {
		return err
	}
	plan, err := migrate.Preview(ctx, deps, spec)
	switch {
	case err != nil:
	case dry:
		err = out.Print(cmd.OutOrStdout(), planView(plan))
	default:
		err = migration.WriteFindings(progress, plan)
	}
	if err == nil {
		err = migration.Blocked("migration", plan)
	}
	if err == nil && !dry {
		err = doMigrate(ctx, deps, spec, out, progress, cmd.OutOrStdout())
	}
	return errors.Join(err, migration.Disconnect(ctx, deps))
}

func doMigrate(ctx context.Context, deps migrate.Deps, spec migrate.Spec, out *cli.Output, progress *cli.Progress, w io.Writer) error {
	return migration.Run(ctx, deps, spec, progress, func(result *migrate.Result) error {
		return out.Print(w, cli.View{
			Value: result, Rows: append([]sdk.Finding{}, result.Findings...),
			Text: func(w io.Writer) error { return migration.WriteSummary(w, result) },
		})
	})
}

func planView(plan *migrate.Plan) cli.View {
	return cli.View{
		Value: plan, Rows: append([]sdk.Finding{}, plan.Findings...),
		Text: func(w io.Writer) error { return migration.WritePlan(w, plan) },
	}
}
