package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// TestOwnScripts runs testdata/own/*.txtar, each against a simulated vCenter of its own that it may change: three VMs that run
// without VMware Tools (DC0_C0_RP0_VM0 to VM2), tools-01 and tools-02, which run with them, and off-01, which is off and has an
// adapter on each of two networks.
func TestOwnScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/own",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			return ownVCenter(t, env, demo.Options{Hosts: 2, VMs: 3, Guests: []demo.Guest{
				{Path: "/DC0/vm/tools-01", PoweredOn: true, Hostname: "tools-01", IPs: []string{"192.0.2.11"}},
				{Path: "/DC0/vm/tools-02", PoweredOn: true},
				{Path: "/DC0/vm/apps/off-01", NICs: []demo.GuestNIC{{Network: "VM Network"}, {Network: "backup", MAC: "00:50:56:80:01:02"}}},
			}})
		},
	})
}

// ownVCenter starts a vCenter for one script and ends it with that.
func ownVCenter(t *testing.T, env *testscript.Env, options demo.Options) error {
	options.CacheDir = filepath.Join(env.WorkDir, "disks")
	v, err := demo.Start(t.Context(), options)
	if err != nil {
		return err
	}
	env.Defer(func() {
		if n := v.Sessions(); n != 0 {
			t.Errorf("%d sessions are left behind", n)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	env.Setenv("HYPERSDK_VSPHERE_SERVER", v.URL())
	env.Setenv("HYPERSDK_VSPHERE_USERNAME", v.Username())
	env.Setenv("HYPERSDK_VSPHERE_PASSWORD", v.Password())
	env.Setenv("HYPERSDK_VSPHERE_CA_FILE", v.CAFile())
	env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
	run := filepath.Join(env.WorkDir, "run")
	env.Setenv("XDG_RUNTIME_DIR", run)
	return os.Mkdir(run, 0o700)
}
