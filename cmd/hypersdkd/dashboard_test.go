package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
)

const pages = "../../internal/web/dashboard"

// TestDashboard_InABrowser runs the checks of internal/web/dashboard/e2e in Chromium, against a daemon on its simulated vCenter.
func TestDashboard_InABrowser(t *testing.T) {
	need.Tools(t, "node", "npm", "chromium")
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	daemon := launch(t, os.Environ(), "--demo", "--no-auth", "--state-dir", t.TempDir())
	defer func() { // before the test's context ends, and the process with it
		if code := daemon.end(syscall.SIGTERM); code != 0 {
			t.Errorf("the daemon ends with %d\n%s", code, daemon.text())
		}
	}()
	pictures := t.ArtifactDir()
	cmd := exec.CommandContext(t.Context(), "node", "run.mjs", daemon.url, chromium, pictures)
	cmd.Dir = browserTests(t)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	checked := 0
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var check struct {
			Name, Error string
			OK          bool
		}
		if err := json.Unmarshal(lines.Bytes(), &check); err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		checked++
		t.Run(check.Name, func(t *testing.T) {
			if !check.OK {
				t.Error(check.Error)
			}
		})
	}
	if err := errors.Join(lines.Err(), cmd.Wait()); err != nil {
		t.Errorf("the browser's run: %v\n%s", err, &stderr)
	}
	if checked == 0 {
		t.Error("nothing was checked")
	}
}

// browserTests puts the checks beside the modules that they import.
func browserTests(t *testing.T) string {
	t.Helper()
	modules, err := exec.CommandContext(t.Context(), "../../scripts/dashboard-modules.sh").Output()
	if err != nil {
		t.Fatalf("the dashboard's modules: %v", err)
	}
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(strings.TrimSpace(string(modules)), "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(pages, "e2e"))); err != nil {
		t.Fatal(err)
	}
	return dir
}
