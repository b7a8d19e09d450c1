package cli_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestExitCode(t *testing.T) {
	tests := []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("plain"), 1},
		{sdk.Conflictf("taken"), 1},
		{sdk.Unavailablef("busy"), 1},
		{context.DeadlineExceeded, 1},
		{context.Canceled, 1}, // nobody interrupted: something inside gave up
		{sdk.Invalidf("bad"), 2},
		{fmt.Errorf("find: %w", sdk.NotFoundf("vm")), 3},
		{sdk.Kind(sdk.ErrDenied, errors.New("login")), 4},
		{fmt.Errorf("x: %w", &sdk.PartialError{Failed: map[string]error{"fix": sdk.Invalidf("bad")}}), 5},
		{sdk.WithHint(sdk.NotFoundf("vm"), "look"), 3},
	}
	for _, tt := range tests {
		if got := cli.ExitCode(tt.err); got != tt.want {
			t.Errorf("ExitCode(%v) = %d; want %d", tt.err, got, tt.want)
		}
	}
}

// execute runs the tree and returns the exit code, stdout and stderr.
func execute(t *testing.T, root *cobra.Command, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, talk bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&talk)
	code = cli.Run(t.Context(), root, args)
	return code, out.String(), talk.String()
}

func TestRun_Refuses(t *testing.T) {
	tests := []struct {
		args string
		want []string // on stderr
	}{
		{"hots", []string{`tool: unknown command "hots"`, "hint: did you mean host?"}},
		{"zzzzzz", []string{`unknown command "zzzzzz"`, "hint: there is clone, completion and host"}},
		{"host lst", []string{`unknown command "lst"`, "did you mean list?"}},
		{"host -op lsit", []string{`unknown operation "lsit"`, "did you mean list?"}},
		{"host -op lsit x", []string{`unknown operation "lsit"`, "did you mean list?"}},
		{"host -op list -op info", []string{"host: one operation at a time"}},
		{"host", []string{"host: which operation?", "there is list and info"}},
		{"host list -patern x", []string{`unknown flag "--patern"`, "did you mean --pattern?"}},
		{"host list -zzz", []string{`unknown flag "--zzz"`, "hint: tool host list --help"}},
		{"host list -pattern", []string{"flag needs an argument"}},
		{"clone -cpu-limit many", []string{"invalid argument"}},
		{"clone x", []string{`unexpected argument "x"`}},
		{"host info a b", []string{`unexpected argument "b"`}},
	}
	for _, tt := range tests {
		root := tree()
		for _, cmd := range root.Commands() {
			if cmd.Name() == "clone" {
				cmd.Args = cli.NoArgs
			}
		}
		code, stdout, stderr := execute(t, root, split(tt.args)...)
		if code != cli.ExitUsage || stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q; want 2 and nothing", tt.args, code, stdout)
		}
		for _, want := range tt.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%q: stderr does not say %q:\n%s", tt.args, want, stderr)
			}
		}
	}
}

func TestRun_Version(t *testing.T) {
	for _, arg := range []string{"-version", "--version"} {
		if code, stdout, _ := execute(t, tree(), arg); code != 0 || stdout != "tool version 1.2.3\n" {
			t.Errorf("%s: exit code %d, stdout %q", arg, code, stdout)
		}
	}
}

func TestRun_HelpIsNoError(t *testing.T) {
	for _, args := range []string{"", "-h", "-help", "host --help", "host list -help", "help host"} {
		code, stdout, stderr := execute(t, tree(), split(args)...)
		if code != 0 || !strings.Contains(stdout, "Usage:") || stderr != "" {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
		for line := range strings.Lines(stdout) {
			if len(line) > 81 {
				t.Errorf("%q: a line of the help is too long: %q", args, line)
			}
		}
	}
}

func TestRun_ShowsHintsOnceAndHarmlessly(t *testing.T) {
	root := cli.Root("tool", "A tool", "1")
	root.RunE = func(*cobra.Command, []string) error {
		err := sdk.WithHint(sdk.NotFoundf("vm \"\x1b[2Jx\" is not there"), "look again")
		return errors.Join(err, sdk.WithHint(errors.New("and log out"), "look again"))
	}
	code, _, stderr := execute(t, root)
	want := "tool: vm \"\\x1b[2Jx\" is not there\nand log out\nhint: look again\n"
	if code != cli.ExitNotFound || stderr != want {
		t.Errorf("exit code %d, stderr:\n%q\nwant:\n%q", code, stderr, want)
	}
}

func TestRun_AnInterruptIs130(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	root := cli.Root("tool", "A tool", "1")
	root.RunE = func(cmd *cobra.Command, _ []string) error {
		cancel()
		<-cmd.Context().Done()
		return fmt.Errorf("export: %w", cmd.Context().Err())
	}
	root.SetErr(&bytes.Buffer{})
	if code := cli.Run(ctx, root, nil); code != cli.ExitInterrupted {
		t.Errorf("exit code %d; want 130", code)
	}
}

func TestOperand(t *testing.T) {
	tests := []struct {
		flag string
		args []string
		want string
		ok   bool
	}{
		{"", nil, "", false},
		{"a", nil, "a", true},
		{"", []string{"b"}, "b", true},
		{"a", []string{"a"}, "a", true},
		{"a", []string{"b"}, "", false},
	}
	for _, tt := range tests {
		got, err := cli.Operand("host", tt.flag, tt.args)
		if got != tt.want || (err == nil) != tt.ok || (err != nil && !errors.Is(err, sdk.ErrInvalid)) {
			t.Errorf("Operand(%q, %q) = %q, %v", tt.flag, tt.args, got, err)
		}
	}
}
