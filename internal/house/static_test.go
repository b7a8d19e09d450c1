//go:build linux

package house

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
)

// TestRelease_ProviderStartsAnywhere starts the provider, built as a release builds it, where there is nothing else: no C
// library, no loader, no /etc, no /proc. A plugin that a person starts says what it is, and ends.
func TestRelease_ProviderStartsAnywhere(t *testing.T) {
	need.Root(t) // to change the root directory
	root := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(root, "provider"), module)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the provider without cgo: %v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "/provider")
	cmd.Dir, cmd.Env = "/", []string{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("got %v, want exit code 1", err)
	}
	if got, want := string(out), "This binary is a plugin"; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}
