package demo_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// convert makes a copy of a raw image in another format.
func convert(t *testing.T, raw, format string, options ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "disk."+format)
	args := append([]string{"convert", "-f", "raw", "-O", format}, options...)
	if msg, err := exec.CommandContext(t.Context(), "qemu-img", append(args, raw, out)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	return out
}

// compare asks qemu-img whether a served VMDK has the content of a raw image.
func compare(t *testing.T, raw string, vmdk []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "served.vmdk")
	if err := os.WriteFile(file, vmdk, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "qemu-img", "compare", "-f", "raw", "-F", "vmdk", raw, file)
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, msg)
	}
}

func TestImage_EveryFormatServesTheSameDisk(t *testing.T) {
	need.Tools(t, "qemu-img")
	raw := rig.Disk(t, 4<<20+512, rig.Mixed)
	for name, image := range map[string]string{
		"raw":   raw,
		"qcow2": convert(t, raw, "qcow2"),
		"vmdk":  convert(t, raw, "vmdk", "-o", "subformat=streamOptimized"),
	} {
		t.Run(name, func(t *testing.T) {
			v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{{Path: webPath, Disks: []demo.GuestDisk{{Image: image}}}}})
			c := login(t, v)
			_, info := export(t, findVM(t, c, webPath))
			_, body, err := get(t, c, "GET", info.DeviceUrl[0].Url, nil)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, raw, body)
			if name == "vmdk" && sum(body) != sumFile(t, image) {
				t.Error("a ready VMDK was not served as it is")
			}
		})
	}
}

func TestImage_IsCachedByContent(t *testing.T) {
	cache := t.TempDir()
	g := guest(t, webPath)
	rig.VCenter(t, demo.Options{CacheDir: cache, Guests: []demo.Guest{g}})
	made := cached(t, cache)

	again := guest(t, webPath) // another file, the same content
	rig.VCenter(t, demo.Options{CacheDir: cache, Guests: []demo.Guest{again}})
	if got := cached(t, cache); len(got) != 1 || !os.SameFile(got[0], made[0]) {
		t.Errorf("got %v, want the one file made first", got)
	}
	f, err := os.OpenFile(again.Disks[0].Image, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("changed"), 4096); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	rig.VCenter(t, demo.Options{CacheDir: cache, Guests: []demo.Guest{again}})
	if got := cached(t, cache); len(got) != 2 {
		t.Errorf("got %v, want a second file for the changed disk", got)
	}
}

func cached(t *testing.T, dir string) []os.FileInfo {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var infos []os.FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		infos = append(infos, info)
	}
	return infos
}

func TestImage_SeveralMakersOfOneCacheEntry(t *testing.T) {
	cache := t.TempDir()
	g := guest(t, webPath)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			v, err := demo.Start(t.Context(), demo.Options{CacheDir: cache, Guests: []demo.Guest{g}})
			if err != nil {
				t.Error(err)
				return
			}
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := cached(t, cache); len(got) != 1 {
		t.Errorf("got %d files in the cache, want 1", len(got))
	}
}

func TestStart_RefusesBadImages(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, tc := range map[string]struct {
		image string
		want  error
	}{
		"missing":        {filepath.Join(dir, "none.raw"), sdk.ErrNotFound},
		"directory":      {dir, sdk.ErrInvalid},
		"empty":          {write("empty.raw", 0), sdk.ErrInvalid},
		"half a sector":  {write("odd.raw", 1000), sdk.ErrInvalid},
		"not a VMDK":     {write("zeros.vmdk", 4096), sdk.ErrInvalid},
		"truncated VMDK": {write("short.vmdk", 10), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := demo.Start(t.Context(), demo.Options{
				CacheDir: t.TempDir(), Guests: []demo.Guest{{Path: webPath, Disks: []demo.GuestDisk{{Image: tc.image}}}},
			})
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}
