package demo_test

import (
	"path/filepath"
	"testing"

	"github.com/vmware/govmomi/vim25/soap"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// TestExport_PlainClientGetsTheServedBytes is the whole path of govmomi's own lease client.
func TestExport_PlainClientGetsTheServedBytes(t *testing.T) {
	cache := t.TempDir()
	v := rig.VCenter(t, demo.Options{CacheDir: cache, Guests: []demo.Guest{{
		Path: "/DC0/vm/web-01",
		Disks: []demo.GuestDisk{
			{Image: rig.Disk(t, 4<<20, rig.Mixed)},
			{Image: rig.Disk(t, 2<<20, rig.Sparse), Address: "sata0:1"},
		},
	}}})
	c := login(t, v)
	lease, info := export(t, findVM(t, c, "/DC0/vm/web-01"))
	if got, want := len(info.Items), 2; got != want {
		t.Fatalf("got %d files, want %d", got, want)
	}
	updater := lease.StartUpdater(t.Context(), info)
	got := map[string]bool{}
	for _, item := range info.Items {
		file := filepath.Join(t.TempDir(), item.Path)
		if err := lease.DownloadFile(t.Context(), file, item, soap.Download{}); err != nil {
			t.Fatal(err)
		}
		got[sumFile(t, file)] = true
	}
	updater.Done()
	if err := lease.Complete(t.Context()); err != nil {
		t.Fatal(err)
	}
	served, err := filepath.Glob(filepath.Join(cache, "*.vmdk"))
	if err != nil || len(served) != 2 {
		t.Fatalf("got %v and %v, want two VMDKs in the cache", served, err)
	}
	for _, file := range served {
		if !got[sumFile(t, file)] {
			t.Errorf("%s was not downloaded with the same bytes", file)
		}
	}
}
