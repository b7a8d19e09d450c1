package cli_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

func TestCompleteNames_AsksOnceAMinuteForAServerAndAKind(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("HYPERSDK_CONFIG_FILE", filepath.Join(cache, "none"))
	asked := 0
	complete := func(kind, typed string, err error, args ...string) []string {
		cmd := &cobra.Command{Use: "x"}
		conn := cli.AddConnection(cmd)
		if err := cmd.ParseFlags(args); err != nil {
			t.Fatal(err)
		}
		return conn.CompleteNames(kind, typed, func() ([]string, error) {
			asked++
			return []string{"web-2", "db-1", "web-1", "web-1", "web-\x1b[2J"}, err
		})
	}
	check := func(what string, got, want []string, times int) {
		t.Helper()
		if !slices.Equal(got, want) || asked != times {
			t.Errorf("%s: %q after %d questions; want %q after %d", what, got, asked, want, times)
		}
	}
	check("the first", complete("vm", "web", nil, "--server", "a"), []string{"web-1", "web-2"}, 1)
	check("from the cache", complete("vm", "db", nil, "--server", "a"), []string{"db-1"}, 1)
	check("another kind", complete("host", "db", nil, "--server", "a"), []string{"db-1"}, 2)
	check("another server", complete("vm", "db", nil, "--server", "b"), []string{"db-1"}, 3)
	check("another user", complete("vm", "db", nil, "--server", "a", "--username", "u"), []string{"db-1"}, 4)
	check("a password on stdin", complete("vm", "db", nil, "--server", "c", "--password-file", "-"), nil, 4)
	check("no server", complete("vm", "db", nil, "--server", ""), nil, 4)

	old := time.Now().Add(-2 * time.Minute)
	err := filepath.WalkDir(cache, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, old, old)
	})
	if err != nil {
		t.Fatal(err)
	}
	check("too old", complete("vm", "db", nil, "--server", "a"), []string{"db-1"}, 5)

	failed := errors.New("login refused")
	asked = 0
	check("a failure", complete("pool", "", failed, "--server", "a"), nil, 1)
	check("a failure is remembered", complete("pool", "", nil, "--server", "a"), nil, 1)
}
