package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/cmd/internal/migration"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// run does what the options ask for, with progress on stderr and the outcome on stdout.
func (o *options) run(cmd *cobra.Command, conn *cli.Connection, version string) error {
	environment, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	spec, err := o.spec(environment.Libvirt.URI)
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
		err = o.migrate(cmd.Context(), deps, spec, progress, cmd.OutOrStdout())
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
	return migration.Blocked(what(spec), plan)
}

// migrate runs the migration and prints the result, also that of one whose export is whole while a later stage failed.
func (o *options) migrate(ctx context.Context, deps migrate.Deps, spec migrate.Spec, progress *cli.Progress, out io.Writer) error {
	stop := context.AfterFunc(ctx, func() {
		fmt.Fprintln(progress, "interrupted: ending in good order; once more to stop at once")
	})
	result, err := migrate.Run(ctx, deps, spec, progress.Report)
	stop()
	progress.Close()
	if err != nil && ctx.Err() != nil {
		return sdk.WithHint(fmt.Errorf("%s of %q: %w", what(spec), spec.VM, err), "the same command goes on where this one stopped")
	}
	if result != nil {
		err = errors.Join(err, o.write(out, result))
	}
	var partial *sdk.PartialError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &partial):
		return &keptError{vm: spec.VM, partial: partial, err: err}
	}
	return fmt.Errorf("%s of %q: %w", what(spec), spec.VM, err)
}

// keptError says in plain words that the export is whole while a stage after it failed.
type keptError struct {
	vm      string
	partial *sdk.PartialError
	err     error
}

func (e *keptError) Error() string {
	var failed []string
	for stage, err := range e.partial.Failed {
		failed = append(failed, stage+": "+strings.TrimPrefix(err.Error(), stage+": "))
	}
	slices.Sort(failed)
	return fmt.Sprintf("%q is exported and its files are kept, but a later stage failed: %s", e.vm, strings.Join(failed, "; "))
}

func (e *keptError) Unwrap() error { return e.err }

func (o *options) write(out io.Writer, result *migrate.Result) error {
	if o.asJSON {
		return cli.WriteJSON(out, result)
	}
	return writeSummary(out, result)
}

// what is the word for what the spec asks for.
func what(spec migrate.Spec) string {
	if spec.Target != nil {
		return "migration"
	}
	return "export"
}
