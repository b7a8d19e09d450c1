package qemuimg

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestCreateOverlay(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a:b.raw"), 1<<20, "hello", 4096)
	tests := []struct{ name, base string }{
		{"absolute", filepath.Join(dir, "a:b.raw")},
		{"relative", "a:b.raw"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name+".qcow2")
			if err := CreateOverlay(t.Context(), path, tt.base, "raw"); err != nil {
				t.Fatal(err)
			}
			img, err := Info(t.Context(), path, "qcow2")
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Join(dir, "a:b.raw"); filepath.Clean(img.Backing) != want || img.BackingFormat != "raw" {
				t.Errorf("backing %q (%s), want %q (raw)", img.Backing, img.BackingFormat, want)
			}
			if err := Compare(t.Context(), path, "qcow2", filepath.Join(dir, "a:b.raw"), "raw"); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCreateOverlay_RelativeMovesWithItsDirectory(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := filepath.Join(t.TempDir(), "before")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "base.raw"), 1<<20, "hello", 0)
	if err := CreateOverlay(t.Context(), filepath.Join(dir, "top.qcow2"), "base.raw", "raw"); err != nil {
		t.Fatal(err)
	}
	after := filepath.Join(filepath.Dir(dir), "after")
	if err := os.Rename(dir, after); err != nil {
		t.Fatal(err)
	}
	if err := Check(t.Context(), filepath.Join(after, "top.qcow2"), "qcow2"); err != nil {
		t.Error(err)
	}
}

// hostile makes images that refer to another file of the host.
func hostile(t *testing.T, dir string) {
	t.Helper()
	write(t, filepath.Join(dir, "secret.raw"), 1<<20, "secret", 0)
	qemu(t, dir, "create", "-q", "-f", "qcow2", "-b", "secret.raw", "-F", "raw", "backed.qcow2")
	qemu(t, dir, "create", "-q", "-f", "qcow2", "-o", "data_file=data.raw,data_file_raw=on", "data.qcow2", "1M")
	qemu(t, dir, "create", "-q", "-u", "-f", "qcow2", "-b", "nbd://127.0.0.1:1/x", "-F", "raw", "remote.qcow2", "1M")
	qemu(t, dir, "create", "-q", "-u", "-f", "qcow2", "-b", "secret.raw", "-F", "raw", "guess.qcow2", "1M")
	// Forget the recorded format: the header extension 0xe2792aca becomes one that nobody knows.
	path := filepath.Join(dir, "guess.qcow2")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(data) - 4 {
		if string(data[i:i+4]) == "\xe2\x79\x2a\xca" {
			copy(data[i:], "\x12\x34\x56\x78")
			break
		}
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerbs_RefuseImagesThatReferElsewhere(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	hostile(t, dir)
	file := func(name string) string { return filepath.Join(dir, name) }
	ctx := t.Context()
	convert := func(src string) error {
		return Convert(ctx, ConvertSpec{Src: file(src), SrcFormat: "qcow2", Dst: file("out.raw"), DstFormat: "raw"}, nil)
	}
	tests := map[string]func() error{
		"convert, backing file":          func() error { return convert("backed.qcow2") },
		"convert, data file":             func() error { return convert("data.qcow2") },
		"overlay, backing file":          func() error { return CreateOverlay(ctx, file("o.qcow2"), file("backed.qcow2"), "qcow2") },
		"overlay, itself":                func() error { return CreateOverlay(ctx, file("backed.qcow2"), "backed.qcow2", "qcow2") },
		"check, data file":               func() error { return Check(ctx, file("data.qcow2"), "qcow2") },
		"check, remote backing":          func() error { return Check(ctx, file("remote.qcow2"), "qcow2") },
		"check, format not recorded":     func() error { return Check(ctx, file("guess.qcow2"), "qcow2") },
		"compare, remote backing":        func() error { return Compare(ctx, file("secret.raw"), "raw", file("remote.qcow2"), "qcow2") },
		"commit, format not recorded":    func() error { return Commit(ctx, file("guess.qcow2"), nil) },
		"commit, nothing to commit into": func() error { return Commit(ctx, file("secret.raw"), nil) },
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			if err := run(); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want %v", err, sdk.ErrInvalid)
			}
		})
	}
	if _, err := os.Stat(file("out.raw")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused conversion left its destination: %v", err)
	}
}

func TestCommit_MayRunAgain(t *testing.T) {
	need.Tools(t, "qemu-img", "qemu-io")
	dir := t.TempDir()
	base, top, want := filepath.Join(dir, "base.raw"), filepath.Join(dir, "top.qcow2"), filepath.Join(dir, "want.raw")
	write(t, base, 4<<20, "before", 0)
	write(t, want, 4<<20, "before", 0)
	write(t, want, 4<<20, "after!", 1<<20)
	if err := CreateOverlay(t.Context(), top, "base.raw", "raw"); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "patch"), 512, "after!", 0)
	qemuIO(t, top, "write -s "+filepath.Join(dir, "patch")+" 1M 512")
	for range 2 {
		var got []sdk.Progress
		err := Commit(t.Context(), top, func(p sdk.Progress) { got = append(got, p) })
		if err != nil {
			t.Fatal(err)
		}
		if last := got[len(got)-1]; last.Done != 100 || last.Total != 100 || last.Unit != "percent" {
			t.Errorf("last progress %+v, want 100 percent", last)
		}
		if err := Compare(t.Context(), base, "raw", want, "raw"); err != nil {
			t.Error(err)
		}
	}
	if err := Compare(t.Context(), top, "qcow2", want, "raw"); err != nil {
		t.Errorf("overlay after the commit: %v", err)
	}
}

func TestStackOverlay_StandsOnlyOnTheOverlayItIsToldOf(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	base, other := filepath.Join(dir, "base.raw"), filepath.Join(dir, "other.raw")
	middle, top := filepath.Join(dir, "middle.qcow2"), filepath.Join(dir, "top.qcow2")
	write(t, base, 1<<20, "hello", 0)
	write(t, other, 1<<20, "secret", 0)
	if err := CreateOverlay(t.Context(), middle, base, "raw"); err != nil {
		t.Fatal(err)
	}
	if err := StackOverlay(t.Context(), top, middle, base); err != nil {
		t.Fatal(err)
	}
	if err := Compare(t.Context(), top, "qcow2", base, "raw"); err != nil {
		t.Error(err)
	}
	if err := StackOverlay(t.Context(), top, middle, other); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("StackOverlay() over another base = %v, want invalid", err)
	}
}
