package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Consent is the flag of a verb that asks before it does what cannot be taken back.
type Consent struct {
	cmd *cobra.Command
	yes bool
}

// AddConsent gives cmd -yes.
func AddConsent(cmd *cobra.Command) *Consent {
	c := &Consent{cmd: cmd}
	cmd.Flags().BoolVarP(&c.yes, "yes", "y", false, "do not ask; needed where there is no terminal to ask on")
	return c
}

// Ask asks on the terminal, and wants the word typed; without a word, y or yes. Only a nil error is a yes: a no is
// sdk.ErrConflict, and no terminal to ask on is sdk.ErrInvalid, unless -yes was given.
func (c *Consent) Ask(ctx context.Context, question, word string) error {
	return c.Confirm(ctx, question, word, nil)
}

// Confirm is Ask that shows first what the question is about, also where it can only be refused. show, which may be nil, writes
// to stderr; with -yes it is not called.
func (c *Consent) Confirm(ctx context.Context, question, word string, show func(io.Writer) error) error {
	if c.yes {
		return nil
	}
	if show != nil {
		if err := show(c.cmd.ErrOrStderr()); err != nil {
			return err
		}
	}
	in := c.cmd.InOrStdin()
	if !isTerminalIn(in) || !isTerminal(c.cmd.ErrOrStderr()) {
		return sdk.WithHint(sdk.Invalidf("%s Nobody can be asked: this is no terminal", question), "give -yes to do it")
	}
	wanted := "[y/N]"
	if word != "" {
		wanted = fmt.Sprintf("Type %s to go on:", sdk.Printable(word))
	}
	fmt.Fprintf(c.cmd.ErrOrStderr(), "%s %s ", sdk.PrintableLines(question), wanted)
	answer, err := readLine(ctx, in)
	if err != nil {
		return err
	}
	if word != "" && answer == word || word == "" && (strings.EqualFold(answer, "y") || strings.EqualFold(answer, "yes")) {
		return nil
	}
	return sdk.Conflictf("not confirmed; nothing was changed")
}

// readLine reads a line, or gives up when ctx ends. The read itself cannot be ended: it is left to the end of the process,
// which follows.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		read <- result{line, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-read:
		if r.err != nil && r.err != io.EOF { //nolint:errorlint // bufio returns it as it is
			return "", r.err
		}
		return strings.TrimSpace(r.line), nil
	}
}

func isTerminalIn(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// password reads a password from a file, from stdin when the file is "-", and from the terminal without showing it when that
// is stdin.
func password(cmd *cobra.Command, file string) (string, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if file != "-" || !ok || !term.IsTerminal(int(in.Fd())) {
		return ReadPassword(file, cmd.InOrStdin())
	}
	fmt.Fprint(cmd.ErrOrStderr(), "password: ")
	text, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(cmd.ErrOrStderr())
	if err != nil {
		return "", sdk.Kind(sdk.ErrInvalid, err)
	}
	if len(text) == 0 {
		return "", sdk.Invalidf("no password was typed")
	}
	return string(text), nil
}

// DryRun is the flag of a verb that changes something and can say what it would do.
type DryRun bool

// AddDryRun gives cmd -dry-run.
func AddDryRun(cmd *cobra.Command) *DryRun {
	var d bool
	cmd.Flags().BoolVar(&d, "dry-run", false, "say what would be done, and change nothing")
	return (*DryRun)(&d)
}

// Planned is what -dry-run prints.
type Planned struct {
	DryRun bool     `json:"dry_run"` // true
	Would  []string `json:"would"`   // for people
	Spec   any      `json:"spec,omitempty"`
}

// PlannedView says what would be done; spec is what the SDK would be asked.
func PlannedView(spec any, would ...string) View {
	return View{Value: Planned{DryRun: true, Would: would, Spec: spec}, Text: func(w io.Writer) error {
		for _, line := range would {
			if _, err := fmt.Fprintf(w, "would %s\n", sdk.Printable(line)); err != nil {
				return err
			}
		}
		return nil
	}}
}
