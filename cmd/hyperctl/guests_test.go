package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

// TestGuestScripts runs testdata/guests/*.txtar against a simulated vCenter with web-01, which is off and has two small disks,
// run-01 and busy-01, which run with VMware Tools, and tiny-01, whose boot sector says TINY-GUEST boot-ok on the console. Scripts
// run side by side: only vm-power changes run-01, nobody the others. $DOMAIN is a name for a domain that the script's end undefines.
func TestGuestScripts(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	disk := func(name string, size int64) demo.GuestDisk {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, size); err != nil {
			t.Fatal(err)
		}
		return demo.GuestDisk{Image: file}
	}
	v, err := demo.Start(t.Context(), demo.Options{
		Hosts: 1, VMs: 1, CacheDir: filepath.Join(dir, "cache"),
		Guests: []demo.Guest{
			{Path: "/DC0/vm/web-01", Disks: []demo.GuestDisk{disk("root.raw", 8<<20), disk("data.raw", 4<<20)}},
			{Path: "/DC0/vm/run-01", Disks: []demo.GuestDisk{disk("run.raw", 1<<20)}, PoweredOn: true, Hostname: "run"},
			{Path: "/DC0/vm/busy-01", Disks: []demo.GuestDisk{disk("busy.raw", 1<<20)}, PoweredOn: true},
			{Path: "/DC0/vm/tiny-01", Disks: []demo.GuestDisk{{Image: need.BootDisk(t, 4<<20, 1, "TINY-GUEST boot-ok")}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := v.Sessions(); n != 0 {
			t.Errorf("%d sessions are left behind", n)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/guests",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HYPERSDK_VSPHERE_SERVER", v.URL())
			env.Setenv("HYPERSDK_VSPHERE_USERNAME", v.Username())
			env.Setenv("HYPERSDK_VSPHERE_PASSWORD", v.Password())
			env.Setenv("HYPERSDK_VSPHERE_CA_FILE", v.CAFile())
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			env.Setenv("DOMAIN", ownDomain(t, env.Defer))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "libvirt" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return haveLibvirt(t), nil
		},
	})
}

const guestURI = "qemu:///system"

func haveLibvirt(t *testing.T) bool {
	lv, err := libvirt.Open(t.Context(), guestURI, nil)
	if err != nil {
		return false
	}
	_ = lv.Close()
	return true
}

// ownDomain is a name that no other domain has; atEnd undefines it.
func ownDomain(t *testing.T, atEnd func(func())) string {
	name := "hyperctl-test-" + strings.ToLower(rand.Text()[:8])
	atEnd(func() {
		ctx := context.WithoutCancel(t.Context())
		lv, err := libvirt.Open(ctx, guestURI, nil)
		if err != nil {
			return // then there is no domain either
		}
		defer lv.Close() //nolint:errcheck // the test is over
		domain, err := lv.GetDomain(ctx, name)
		if err == nil {
			err = errors.Join(lv.Stop(ctx, domain.UUID, 0, true), lv.Undefine(ctx, domain.UUID))
		}
		if err != nil && !errors.Is(err, sdk.ErrNotFound) {
			t.Error(err)
		}
	})
	return name
}
