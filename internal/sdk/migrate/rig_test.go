package migrate_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	uri    = "qemu:///system"
	vmPath = "/DC0/vm/web-01"
	marker = "TINY-GUEST boot-ok"
)

// startVCenter serves guests until the test ends.
func startVCenter(t *testing.T, guests ...demo.Guest) *demo.VCenter {
	t.Helper()
	need.Tools(t, "qemu-img")
	vc, err := demo.Start(t.Context(), demo.Options{Guests: guests, CacheDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := vc.Close(); err != nil {
			t.Error(err)
		}
	})
	return vc
}

// connect dials both sides.
func connect(t *testing.T, vc *demo.VCenter) migrate.Deps {
	t.Helper()
	vs, err := vsphere.Dial(t.Context(), vsphere.Config{
		URL: vc.URL(), Username: vc.Username(), Password: vsphere.Secret(vc.Password()), CAFile: vc.CAFile(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = vs.Close(context.WithoutCancel(t.Context())) })
	need.Tools(t, "virsh")
	lv, err := libvirt.Open(t.Context(), uri, nil)
	if err != nil {
		need.Missing(t, "no "+uri+": "+err.Error())
	}
	t.Cleanup(func() { _ = lv.Close() })
	return migrate.Deps{VSphere: vs, Libvirt: lv, Version: "test"}
}

// targetSpec is a migration of the tiny guest into a directory, under a name of its own.
func targetSpec(t *testing.T, deps migrate.Deps) migrate.Spec {
	t.Helper()
	var raw [4]byte
	_, _ = rand.Read(raw[:])
	name := "migrate-test-" + hex.EncodeToString(raw[:])
	spec := migrate.Spec{
		VM: vmPath, Name: name, Dir: t.TempDir(), Convert: true, Manifest: true,
		Target: &migrate.TargetSpec{
			URI: uri, Power: migrate.PowerOff,
			Networks: map[string]migrate.NetworkSpec{"*": {Network: "default"}},
		},
		Verify: migrate.VerifySpec{Checksum: true},
	}
	t.Cleanup(func() { undefine(t, deps, name) })
	return spec
}

func undefine(t *testing.T, deps migrate.Deps, name string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // a clean-up runs after the test's own context ended
	domain, err := deps.Libvirt.GetDomain(ctx, name)
	if errors.Is(err, sdk.ErrNotFound) {
		return
	}
	if err == nil {
		err = errors.Join(deps.Libvirt.Stop(ctx, domain.UUID, 0, true), deps.Libvirt.Undefine(ctx, domain.UUID))
	}
	if err != nil {
		t.Error(err)
	}
}

// wantImage fails unless the converted disk has the content of the raw original.
func wantImage(t *testing.T, path, raw string) {
	t.Helper()
	if err := qemuimg.Check(t.Context(), path, "qcow2"); err != nil {
		t.Error(err)
	}
	if err := qemuimg.Compare(t.Context(), raw, "raw", path, "qcow2"); err != nil {
		t.Error(err)
	}
}

// leftovers lists what lies in a directory, hidden entries and directories too.
func leftovers(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
