package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// The exit codes of every command.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2 // or input that cannot be right
	ExitNotFound    = 3
	ExitDenied      = 4
	ExitPartial     = 5 // some of the work is done and stays
	ExitInterrupted = 130
)

// interrupted is the cause of a context that a signal canceled; errors.Is finds context.Canceled in it.
type interrupted struct{}

func (interrupted) Error() string { return "interrupted" }
func (interrupted) Unwrap() error { return context.Canceled }

// Quit is err of a command that its user ended by a key, which counts as an interrupt.
func Quit(err error) error { return quit{err} }

type quit struct{ error }

func (q quit) Unwrap() error { return q.error }

// Main runs the tree made by Root with the process's arguments, prints an error with its hints on stderr and returns the exit
// code. The first interrupt cancels the command's context; the second one ends the process at once.
func Main(root *cobra.Command) int {
	ctx, stop := interruptible(context.Background())
	defer stop()
	return Run(ctx, root, os.Args[1:])
}

// Run is Main with given arguments and no signals: a test's way in.
func Run(ctx context.Context, root *cobra.Command, args []string) int {
	root.SetArgs(Normalize(root, args))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return ExitOK
	}
	printError(root.ErrOrStderr(), root.Name(), err)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) || errors.As(err, new(quit)) {
		return ExitInterrupted
	}
	return ExitCode(err)
}

// interruptible returns a context that the first interrupt or SIGTERM cancels. After it, signals do again what they do to a
// program that does not care.
func interruptible(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			cancel(interrupted{})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// ExitCode is the exit code for an error by its kind; nil is ExitOK.
func ExitCode(err error) int {
	var partial *sdk.PartialError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &partial):
		return ExitPartial
	case errors.Is(err, sdk.ErrInvalid):
		return ExitUsage
	case errors.Is(err, sdk.ErrNotFound):
		return ExitNotFound
	case errors.Is(err, sdk.ErrDenied):
		return ExitDenied
	}
	return ExitFailure
}

// printError writes "name: what happened", then a line for each hint.
func printError(w io.Writer, name string, err error) {
	fmt.Fprintf(w, "%s: %s\n", name, sdk.PrintableLines(err.Error()))
	seen := map[string]bool{}
	for _, hint := range sdk.Hints(err) {
		if !seen[hint] {
			fmt.Fprintf(w, "hint: %s\n", sdk.PrintableLines(hint))
		}
		seen[hint] = true
	}
}
