package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// each calls do for every command of the tree.
func each(cmd *cobra.Command, do func(*cobra.Command)) {
	do(cmd)
	for _, sub := range cmd.Commands() {
		each(sub, do)
	}
}

// TestCommands_AFlagIsOneKindOfThing holds the tree to what cli.Normalize builds on: the same name or letter either takes a
// value everywhere or nowhere.
func TestCommands_AFlagIsOneKindOfThing(t *testing.T) {
	takes := map[string]bool{}
	where := map[string]string{}
	check := func(path, name string, value bool) {
		if before, known := takes[name]; known && before != value {
			t.Errorf("%s takes a value in one of %q and %q, and none in the other", name, where[name], path)
		}
		takes[name], where[name] = value, path
	}
	each(commands("1"), func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			check(cmd.CommandPath(), "--"+f.Name, f.NoOptDefVal == "")
			if f.Shorthand != "" {
				check(cmd.CommandPath(), "-"+f.Shorthand, f.NoOptDefVal == "")
			}
		})
	})
}

func TestCommands_HelpNeverDials(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test is over
	var dialed atomic.Int32
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			dialed.Add(1)
			conn.Close() //nolint:errcheck,gosec // nobody should be there
		}
	}()
	t.Setenv("HYPERSDK_VSPHERE_SERVER", listener.Addr().String())
	t.Setenv("HYPERSDK_VSPHERE_USERNAME", "u")
	t.Setenv("HYPERSDK_VSPHERE_PASSWORD", "p")
	each(commands("1"), func(cmd *cobra.Command) {
		args := append(strings.Fields(cmd.CommandPath())[1:], "-help")
		var out bytes.Buffer
		root := commands("1")
		root.SetOut(&out)
		root.SetErr(io.Discard)
		if code := cli.Run(t.Context(), root, args); code != 0 || !strings.Contains(out.String(), "Usage:") {
			t.Errorf("%q: exit code %d, %q", args, code, out.String())
		}
	})
	if n := dialed.Load(); n != 0 {
		t.Errorf("the help dialed %d times", n)
	}
	// The listener does see a command that dials.
	root := commands("1")
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	if code := cli.Run(t.Context(), root, []string{"host", "list"}); code == 0 || dialed.Load() == 0 {
		t.Errorf("host list: exit code %d after %d dials", code, dialed.Load())
	}
}

func TestCommands_EveryFlagAndCommandIsExplained(t *testing.T) {
	each(commands("1"), func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s has no description", cmd.CommandPath())
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s has no description", cmd.CommandPath(), f.Name)
			}
		})
	})
}
