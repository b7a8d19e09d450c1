package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestJobScripts runs testdata/job/*.txtar, each against a hypersdkd of its own on a simulated vCenter.
func TestJobScripts(t *testing.T) {
	bin := buildDaemon(t)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/job",
		UpdateScripts: *update,
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
		Setup: func(env *testscript.Env) error {
			url, stop, err := startDaemon(os.Environ(), bin, "--demo", "--state-dir", filepath.Join(env.WorkDir, "state"))
			if err != nil {
				return err
			}
			env.Defer(func() {
				if err := stop(); err != nil {
					t.Error(err)
				}
			})
			env.Setenv("HYPERSDK_DAEMON", url)
			env.Setenv("HYPERSDK_PROGRESS", "plain")
			return nil
		},
	})
}
