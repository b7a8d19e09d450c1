package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func contextsAt(t *testing.T, path string) *config.Contexts {
	t.Helper()
	t.Setenv("HYPERSDK_CONFIG_FILE", path)
	c, err := config.OpenContexts()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContexts_AreKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "config.yaml")
	c := contextsAt(t, path)
	want := config.Context{Server: "vc:8443", Username: "u", Password: "p: \"q\" #x", Thumbprint: "AA"}
	if err := errors.Join(c.Set("dev", want), c.Set("prod", config.Context{Server: "other"}), c.Save()); err != nil {
		t.Fatal(err)
	}
	again := contextsAt(t, path)
	if diff := cmp.Diff(want, again.Contexts["dev"]); diff != "" || again.Current != "dev" {
		t.Errorf("current is %q, the context (-want +got):\n%s", again.Current, diff)
	}
	for file, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, mode %v; want %v", file, err, info.Mode(), mode)
		}
	}
	again.Delete("dev")
	if err := again.Save(); err != nil {
		t.Fatal(err)
	}
	if last := contextsAt(t, path); last.Current != "" || len(last.Names()) != 1 {
		t.Errorf("after the delete: current %q, names %q", last.Current, last.Names())
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".config-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func TestContexts_ALinkStaysOne(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	c := contextsAt(t, link)
	if err := errors.Join(c.Set("dev", config.Context{Server: "vc"}), c.Save()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "server: vc") {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

func TestOpenContexts_Refuses(t *testing.T) {
	tests := []struct {
		name, text string
		mode       os.FileMode
		kind       error
		want       string
	}{
		{"others can read it", "", 0o644, sdk.ErrDenied, "mode 0644"},
		{"the group can write it", "", 0o620, sdk.ErrDenied, "mode 0620"},
		{"no YAML", "contexts: [hunter2", 0o600, sdk.ErrInvalid, "no file of contexts"},
		{"unknown field", "contexts:\n  dev:\n    server: a\n    pasword: hunter2\n", 0o600, sdk.ErrInvalid, "see line 4"},
		{"wrong type", "contexts:\n  dev:\n    server: a\n    insecure: hunter2\n", 0o600, sdk.ErrInvalid, "see line 4"},
		{"no server", "contexts:\n  dev:\n    username: a\n", 0o600, sdk.ErrInvalid, `"dev" has no server`},
		{"user info", "contexts:\n  dev:\n    server: u:hunter2@vc\n", 0o600, sdk.ErrInvalid, "user info"},
		{"two passwords", "contexts:\n  dev:\n    server: vc\n    password: hunter2\n    password_file: /f\n", 0o600, sdk.ErrInvalid, "needs one"},
		{"relative file", "contexts:\n  dev:\n    server: vc\n    password_file: f\n", 0o600, sdk.ErrInvalid, "no absolute path"},
		{"name", "contexts:\n  a b:\n    server: vc\n", 0o600, sdk.ErrInvalid, "no name of a context"},
		{"too big", strings.Repeat("#", 1<<20+1), 0o600, sdk.ErrInvalid, "over 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "config.yaml")
			if err := errors.Join(os.WriteFile(path, []byte(tt.text), 0o600), os.Chmod(path, tt.mode)); err != nil {
				t.Fatal(err)
			}
			t.Setenv("HYPERSDK_CONFIG_FILE", path)
			_, err := config.OpenContexts()
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error = %v; want %v that says %q", err, tt.kind, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows what the file holds: %v", err)
			}
			if hints := sdk.Hints(err); errors.Is(tt.kind, sdk.ErrDenied) && (len(hints) != 1 || hints[0] != "chmod 600 "+path) {
				t.Errorf("hints %q", hints)
			}
		})
	}
}
