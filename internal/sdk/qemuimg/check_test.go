package qemuimg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func qemuIO(t *testing.T, image, command string) {
	t.Helper()
	if out, err := exec.Command("qemu-io", "-f", "qcow2", "-c", command, image).CombinedOutput(); err != nil {
		t.Fatalf("qemu-io %q: %v\n%s", command, err, out)
	}
}

// poke overwrites bytes of a file.
func poke(t *testing.T, path string, at int64, data string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(data), at); err != nil {
		t.Fatal(err)
	}
}

func TestCheck(t *testing.T) {
	need.Tools(t, "qemu-img", "qemu-io")
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	write(t, file("plain.raw"), 1<<20, "x", 0)
	for _, name := range []string{"clean", "leak", "corrupt"} {
		qemu(t, dir, "create", "-q", "-f", "qcow2", name+".qcow2", "8M")
		qemuIO(t, file(name+".qcow2"), "write 0 128k")
	}
	// The L1 table of a fresh image is its fourth cluster, the first refcount block its third.
	const l1, refcounts = 0x30000, 0x20000
	poke(t, file("leak.qcow2"), l1, "\x00\x00\x00\x00\x00\x00\x00\x00")
	poke(t, file("corrupt.qcow2"), refcounts+2*5, "\x00\x00")
	tests := []struct{ file, format, want string }{
		{"plain.raw", "raw", ""},
		{"clean.qcow2", "qcow2", ""},
		{"leak.qcow2", "qcow2", "leaked clusters"},
		{"corrupt.qcow2", "qcow2", "is corrupt"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			err := Check(t.Context(), file(tt.file), tt.format)
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tt.want) || len(sdk.Hints(err)) == 0 {
				t.Errorf("got %v (hints %q), want ErrInvalid with %q and a hint", err, sdk.Hints(err), tt.want)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	write(t, file("a.raw"), 1<<20, "x", 70000)
	write(t, file("b.raw"), 1<<20, "y", 70000)
	write(t, file("long.raw"), 2<<20, "x", 70000)
	qemu(t, dir, "convert", "-c", "-f", "raw", "-O", "qcow2", "a.raw", "a.qcow2")
	if err := Compare(t.Context(), file("a.raw"), "raw", file("a.qcow2"), "qcow2"); err != nil {
		t.Errorf("same content: %v", err)
	}
	err := Compare(t.Context(), file("b.raw"), "raw", file("a.qcow2"), "qcow2")
	if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), "at byte 69632") {
		t.Errorf("got %v, want ErrConflict at byte 69632, the sector's 4 KiB page", err)
	}
	err = Compare(t.Context(), file("a.raw"), "raw", file("long.raw"), "raw")
	if !errors.Is(err, sdk.ErrConflict) || !strings.Contains(err.Error(), "differ in size") {
		t.Errorf("got %v, want ErrConflict about the size", err)
	}
	poke(t, file("a.qcow2"), 0x50000, "\xff\xff\xff\xff\xff\xff\xff\xff") // no deflate stream begins like this
	err = Compare(t.Context(), file("a.raw"), "raw", file("a.qcow2"), "qcow2")
	if !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid for an image that cannot be read", err)
	}
}
