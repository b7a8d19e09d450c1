package main

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// TestNounScripts runs testdata/nouns/*.txtar, each against a simulated vCenter of its own with one host and one VM: the references
// in their output are the same in every run. A script whose name has "clusters" in it gets two clusters, one with "spec" the
// hosts that its pools need.
func TestNounScripts(t *testing.T) {
	log.SetOutput(io.Discard) // the simulator's
	cache := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/nouns",
		UpdateScripts: *update,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "completes": completes},
		Setup: func(env *testscript.Env) error {
			options := demo.Options{Hosts: 1, VMs: 1, CacheDir: cache}
			if strings.Contains(filepath.Base(env.WorkDir), "clusters") {
				options.Clusters = 2
			}
			if strings.Contains(filepath.Base(env.WorkDir), "spec") {
				options.Hosts = 3
			}
			v, err := demo.Start(t.Context(), options)
			if err != nil {
				return err
			}
			env.Defer(func() {
				if n := v.Sessions(); n != 0 {
					t.Errorf("%s: %d sessions are left behind", filepath.Base(env.WorkDir), n)
				}
				if err := v.Close(); err != nil {
					t.Error(fmt.Errorf("%s: %w", filepath.Base(env.WorkDir), err))
				}
			})
			env.Setenv("HYPERSDK_VSPHERE_SERVER", v.URL())
			env.Setenv("HYPERSDK_VSPHERE_USERNAME", v.Username())
			env.Setenv("HYPERSDK_VSPHERE_PASSWORD", v.Password())
			env.Setenv("HYPERSDK_VSPHERE_CA_FILE", v.CAFile())
			env.Setenv("HYPERSDK_PROGRESS", "none")
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
	})
}

// exits runs a command that has to end with the exit code: exits 3 hyperctl host info none.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND [ARGUMENT]…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// completes asks as the shell does until a line of the answer matches: completes '^web-01$' vm info we. A completion gives up after a
// moment without a word, and a loaded machine may need several.
func completes(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: completes PATTERN ARGUMENT…")
	}
	pattern, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	for range 20 {
		ts.Check(ts.Exec("hyperctl", append([]string{"__complete"}, args[1:]...)...))
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		ts.Check(os.RemoveAll(ts.Getenv("XDG_CACHE_HOME"))) // it remembers that nothing was found
	}
	ts.Fatalf("nothing that matches %s is offered", args[0])
}
