package main

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

func TestMain(m *testing.M) {
	if slices.ContainsFunc(os.Args, func(arg string) bool {
		return strings.HasPrefix(arg, "-test.fuzz") && !strings.HasPrefix(arg, "-test.fuzzcachedir")
	}) {
		os.Exit(m.Run()) // the fuzzer starts this program again, and not as a command
	}
	testscript.Main(m, map[string]func(){"hyperctl": main, "heapctl": heapctl})
}

// TestScripts runs testdata/*.txtar against one simulated vCenter.
func TestScripts(t *testing.T) {
	v, err := demo.Start(t.Context(), demo.Options{CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HYPERSDK_VSPHERE_SERVER", v.URL())
			env.Setenv("HYPERSDK_VSPHERE_USERNAME", v.Username())
			env.Setenv("HYPERSDK_VSPHERE_PASSWORD", v.Password())
			env.Setenv("HYPERSDK_VSPHERE_CA_FILE", v.CAFile())
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			run := filepath.Join(env.WorkDir, "run")
			env.Setenv("XDG_RUNTIME_DIR", run)
			return os.Mkdir(run, 0o700)
		},
	})
	if got := v.Sessions(); got != 0 {
		t.Errorf("%d sessions are left behind", got)
	}
}
