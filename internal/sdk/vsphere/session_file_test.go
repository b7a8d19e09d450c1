package vsphere_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// useKept connects with a session that is kept in dir, reads something and closes.
func useKept(t *testing.T, v *demo.VCenter, dir string) {
	t.Helper()
	cfg := config(v)
	cfg.SessionDir = dir
	c, err := vsphere.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resolve(t.Context(), vsphere.KindDatacenter, "/DC0"); err != nil {
		t.Error(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func keptFile(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v; want one", files, err)
	}
	return files[0]
}

func TestSessionFile_NextClientGoesOn(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	dir := filepath.Join(t.TempDir(), "sessions")
	for range 3 {
		useKept(t, v, dir)
	}
	if n := v.Calls()["Login"]; n != 1 || v.Sessions() != 1 {
		t.Errorf("%d logins and %d sessions for three clients, want one of each", n, v.Sessions())
	}
	info, err := os.Stat(keptFile(t, dir))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if data, _ := os.ReadFile(keptFile(t, dir)); bytes.Contains(data, []byte(v.Password())) {
		t.Error("the file holds the password")
	}
}

func TestSessionFile_EndedSessionIsReplaced(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	dir := t.TempDir()
	useKept(t, v, dir)
	v.EndSessions()
	useKept(t, v, dir)
	useKept(t, v, dir)
	if n := v.Calls()["Login"]; n != 2 || v.Sessions() != 1 {
		t.Errorf("%d logins and %d sessions, want 2 and 1", n, v.Sessions())
	}
}

func TestSessionFile_EndedWhileInUseIsReplaced(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	cfg := config(v)
	cfg.SessionDir = t.TempDir()
	c, err := vsphere.Dial(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	v.EndSessions()
	if _, err := c.Resolve(t.Context(), vsphere.KindDatacenter, "/DC0"); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	useKept(t, v, cfg.SessionDir)
	if n := v.Calls()["Login"]; n != 2 {
		t.Errorf("%d logins, want the first and the one after the end", n)
	}
}

func TestSessionFile_IsNotBelieved(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"others may read it": func(file string) error { return os.Chmod(file, 0o644) },
		"not JSON":           func(file string) error { return os.WriteFile(file, []byte("cookie"), 0o600) },
		"a link": func(file string) error {
			if err := os.Rename(file, file+".moved"); err != nil {
				return err
			}
			return os.Symlink(file+".moved", file)
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := rig.VCenter(t, demo.Options{})
			dir := t.TempDir()
			useKept(t, v, dir)
			file := keptFile(t, dir)
			if err := spoil(file); err != nil {
				t.Fatal(err)
			}
			useKept(t, v, dir)
			if n := v.Calls()["Login"]; n != 2 {
				t.Errorf("%d logins, want a second", n)
			}
			if info, err := os.Lstat(file); err != nil || info.Mode() != 0o600 {
				t.Errorf("the file is not written anew: %v, %v", info.Mode(), err)
			}
		})
	}
}

func TestSessionFile_BadDirectoryIsSaid(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	cfg := config(v)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg.SessionDir = filepath.Join(file, "sessions")
	if _, err := vsphere.Dial(t.Context(), cfg); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("a directory that cannot be: %v, want a refusal", err)
	}
	if n := v.Calls()["Login"]; n != 0 {
		t.Errorf("%d logins, want none", n)
	}
}
