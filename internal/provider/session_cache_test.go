package provider

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// sleeper is an apply that holds two sessions, the provider's and another tool's, until it is stopped.
const sleeper = `
ephemeral "hypersdk_session" "this" {}
resource "terraform_data" "sleep" {
  provisioner "local-exec" {
    command     = "echo $$ > started && exec sleep 100"
    environment = { COOKIE = ephemeral.hypersdk_session.this.cookie }
  }
}
`

func TestProcess_StoppedRunLeavesNoSession(t *testing.T) {
	for name, signal := range map[string]os.Signal{"Ctrl-C": os.Interrupt, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			v := rig.VCenter(t, demo.Options{})
			w := newWorkspace(t, vsphereProvider(v)+sleeper)
			cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
			eventually(t, "the other tool to run", func() bool { return exists(filepath.Join(w.dir, "started")) })
			if got := v.Sessions(); got != 2 {
				t.Errorf("%d sessions while it runs, want 2", got)
			}
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err == nil {
				t.Errorf("the stopped run succeeded:\n%s", out)
			}
			eventually(t, "all sessions to be logged out", func() bool { return v.Sessions() == 0 })
		})
	}
}

func TestProcess_SessionCacheLogsInOnce(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{smallGuest(t)}})
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	cached := vsphereProvider(v, "session_cache = true") + "ephemeral \"hypersdk_session\" \"this\" {}\n" +
		"resource \"terraform_data\" \"x\" {\n provisioner \"local-exec\" {\n  command = \"true\"\n  environment = { X = ephemeral.hypersdk_session.this.cookie }\n }\n}\n"
	w := newWorkspace(t, cached)
	w.apply()
	w.terraform(0, "plan", "-input=false")
	if got := v.Sessions(); got != 1 {
		t.Errorf("%d sessions left, want the kept one", got)
	}
	made := v.Calls()
	if kept := made["Login"] - made["Logout"]; kept != 1 {
		t.Errorf("%d logins more than logouts, want the one of the kept session", kept)
	}
	files, err := filepath.Glob(filepath.Join(cache, "hypersdk", "sessions", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v; want one", files, err)
	}
	data, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), `"cookie":"`)
	id, _, ok := strings.Cut(rest, `"`)
	if !ok || id == "" {
		t.Fatalf("no cookie in %s", data)
	}
	wantNowhere(t, w.dir, id)
}

func TestSessionCache_NeedsAPlace(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	w := newWorkspace(t, vsphereProvider(v, "session_cache = true")+"ephemeral \"hypersdk_session\" \"this\" {}\n")
	cmd, out := w.command("plan", "-input=false", "-no-color")
	cmd.Env = append(cmd.Env, "HOME=", "XDG_CACHE_HOME=") // the last one holds
	if err := cmd.Run(); err == nil || !strings.Contains(out.String(), "session_cache = false") {
		t.Errorf("without a cache directory: %v\n%s", err, out)
	}
}
