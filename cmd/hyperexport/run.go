package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// run does what the options ask for, with progress on stderr and the outcome on stdout.
func (o *options) run(cmd *cobra.Command, conn *cli.Connection, version string) error {
	environment, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	spec, err := o.Spec(environment.Libvirt.URI)
	if err != nil {
		return err
	}
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
	deps, err := migration.Connect(cmd.Context(), settings.VSphere, spec, log, version)
	if err != nil {
		return err
	}
	if o.dryRun {
		err = o.preview(cmd.Context(), deps, spec, cmd.OutOrStdout())
	} else {
		err = migration.Run(cmd.Context(), deps, spec, progress, func(r *migrate.Result) error { return o.write(cmd.OutOrStdout(), r) })
	}
	return errors.Join(err, migration.Disconnect(cmd.Context(), deps))
}

// preview prints the plan. Findings that would stop the migration are an error.
func (o *options) preview(ctx context.Context, deps migrate.Deps, spec migrate.Spec, out io.Writer) error {
	plan, err := migrate.Preview(ctx, deps, spec)
	if err != nil {
		return err
	}
	if o.asJSON {
		err = cli.WriteJSON(out, plan)
	} else {
		err = migration.WritePlan(out, plan)
	}
	if err != nil {
		return err
	}
	return migration.Blocked(migration.What(spec), plan)
}

func (o *options) write(out io.Writer, result *migrate.Result) error {
	if o.asJSON {
		return cli.WriteJSON(out, result)
	}
	return migration.WriteSummary(out, result)
}
