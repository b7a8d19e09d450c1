package qemuimg

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// qemu runs qemu-img in dir, as a person would.
func qemu(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("qemu-img", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("qemu-img %v: %v\n%s", args, err, out)
	}
}

// write makes a raw file of size bytes with data at an offset.
func write(t *testing.T, path string, size int64, data string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(data), at); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestInfo_ReadsHeader(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	qemu(t, dir, "create", "-q", "-f", "qcow2", "-o", "compression_type=zstd", "base.qcow2", "8M")
	qemu(t, dir, "create", "-q", "-f", "qcow2", "-b", "base.qcow2", "-F", "qcow2", "top.qcow2")
	got, err := Info(t.Context(), filepath.Join(dir, "top.qcow2"), "qcow2")
	if err != nil {
		t.Fatal(err)
	}
	if got.ActualBytes <= 0 {
		t.Errorf("ActualBytes = %d, want more than 0", got.ActualBytes)
	}
	got.ActualBytes = 0
	want := Image{
		Path: filepath.Join(dir, "top.qcow2"), Format: "qcow2", VirtualBytes: 8 << 20,
		Backing: filepath.Join(dir, "base.qcow2"), BackingFormat: "qcow2", Compression: "zlib",
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if base, err := Info(t.Context(), got.Backing, "qcow2"); err != nil || base.Compression != "zstd" {
		t.Errorf("base: %+v, %v; want zstd", base, err)
	}
}

func TestInfo_Refuses(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "disk.raw"), 1<<20, "x", 0)
	write(t, filepath.Join(dir, "desc.vmdk"), 512, "# Disk DescriptorFile\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \"disk.raw\" 0\n", 0)
	write(t, filepath.Join(dir, "short.qcow2"), 4, "QFI\xfb", 0)
	write(t, filepath.Join(dir, "empty.qcow2"), 0, "", 0)
	tests := []struct {
		name, file, format string
		want               error
	}{
		{"missing", "none.raw", "raw", sdk.ErrNotFound},
		{"no format", "disk.raw", "", sdk.ErrInvalid},
		{"unknown format", "disk.raw", "luks", sdk.ErrInvalid},
		{"not the format", "disk.raw", "qcow2", sdk.ErrInvalid},
		{"text descriptor that names a file", "desc.vmdk", "vmdk", sdk.ErrInvalid},
		{"truncated header", "short.qcow2", "qcow2", sdk.ErrInvalid},
		{"empty file", "empty.qcow2", "qcow2", sdk.ErrInvalid},
		{"directory", ".", "raw", sdk.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Info(t.Context(), filepath.Join(dir, tt.file), tt.format); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestInfo_NameIsNoProtocol(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	t.Chdir(dir)
	write(t, "nbd:host,x=1", 1<<20, "x", 0)
	write(t, "-U", 1<<20, "x", 0)
	for _, name := range []string{"nbd:host,x=1", "-U"} {
		if _, err := Info(t.Context(), name, "raw"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseInfo_Garbage(t *testing.T) {
	if _, err := parseInfo("/x", []byte("{")); err == nil {
		t.Error("got nil, want an error")
	}
}
