package migration

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

// Run runs the migration with its progress, and hands the result to write, also that of one whose export is whole while a later
// stage failed. Its error is for a person: it says whether something is kept and how to go on.
func Run(ctx context.Context, deps migrate.Deps, spec migrate.Spec, progress *cli.Progress, write func(*migrate.Result) error) error {
	stop := context.AfterFunc(ctx, func() {
		fmt.Fprintln(progress, "interrupted: ending in good order; once more to stop at once")
	})
	result, err := migrate.Run(ctx, deps, spec, progress.Report)
	stop()
	progress.Close()
	if err != nil && ctx.Err() != nil {
		return sdk.WithHint(fmt.Errorf("%s of %q: %w", What(spec), spec.VM, err), "the same command goes on where this one stopped")
	}
	if result != nil {
		err = errors.Join(err, write(result))
	}
	var partial *sdk.PartialError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &partial):
		return &keptError{vm: spec.VM, partial: partial, err: err}
	}
	return fmt.Errorf("%s of %q: %w", What(spec), spec.VM, err)
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

// What is the word for what the spec asks for.
func What(spec migrate.Spec) string {
	if spec.Target != nil {
		return "migration"
	}
	return "export"
}
