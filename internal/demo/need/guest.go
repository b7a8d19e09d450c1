package need

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Guest returns the path of a raw image of a real Debian guest as it would lie on ESXi; firmware is "bios" or "uefi". It builds
// the image when the cache does not hold it, which takes a minute. The image is shared: write to an overlay of it.
func Guest(t testing.TB, firmware string) string {
	t.Helper()
	Tools(t, "mmdebstrap", "mke2fs", "sfdisk", "mcopy", "mkfs.vfat", "flock")
	Root(t)
	cmd := exec.CommandContext(t.Context(), script(t, "build-guest.sh"), "--firmware", firmware)
	var talk strings.Builder
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("build a %s guest: %v\n%s", firmware, err, talk.String())
	}
	return strings.TrimSuffix(string(out), "\n")
}

// script returns the path of a script of this repository, wherever the test runs.
func script(t testing.TB, name string) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the path of this source file is not known")
	}
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "scripts", name)
}
