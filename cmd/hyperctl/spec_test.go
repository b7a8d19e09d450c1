package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// The vCenters of the spec's command lines. Where the spec writes a name, one of that name is there: in the first the names of its
// sections, in the second, whose clock stands where the spec's dates are kept, the placeholders of its command reference.
var specVCenters = map[string]demo.Options{
	"sections": {
		Hosts: 2, VMs: 1, Names: map[string]string{"DC0_C0": "Cluster1", "DC0_C0_H0": "esxi-host-01"},
		Guests: []demo.Guest{{Path: "/DC0/vm/vm-name", PoweredOn: true}, {Path: "/DC0/vm/template-vm"}, {Path: "/DC0/vm/source-vm"},
			{Path: "/DC0/vm/template-ubuntu"}, {Path: "/DC0/vm/template-name"}},
	},
	"reference": {
		Hosts: 2, VMs: 1, Names: map[string]string{"DC0_C0": "cluster-name", "DC0_C0_H0": "host-name"},
		Guests: []demo.Guest{{Path: "/DC0/vm/vm-name", PoweredOn: true}, {Path: "/DC0/vm/template"}, {Path: "/DC0/vm/source-vm"},
			{Path: "/DC0/vm/template-name"}},
	},
	"history": {
		Hosts: 1, VMs: 1, Guests: []demo.Guest{{Path: "/DC0/vm/vm-name", PoweredOn: true}},
		Clock: func() time.Time { return time.Date(2024, 1, 20, 18, 30, 0, 0, time.UTC) },
	},
}

// TestSpecScript runs testdata/spec.txtar: every command line of the spec that is hyperctl's, verbatim. Its command "vcenter NAME"
// turns to one of specVCenters.
func TestSpecScript(t *testing.T) {
	variables := map[string]map[string]string{}
	for name, options := range specVCenters {
		options.CacheDir = t.TempDir()
		v, err := demo.Start(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		variables[name] = map[string]string{
			"HYPERSDK_VSPHERE_SERVER": v.URL(), "HYPERSDK_VSPHERE_USERNAME": v.Username(),
			"HYPERSDK_VSPHERE_PASSWORD": v.Password(), "HYPERSDK_VSPHERE_CA_FILE": v.CAFile(),
		}
		t.Cleanup(func() {
			if n := v.Sessions(); n != 0 {
				t.Errorf("%s: %d sessions are left behind", name, n)
			}
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	testscript.Run(t, testscript.Params{
		Files: []string{"testdata/spec/spec.txtar"},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"until-output": untilOutput,
			"vcenter": func(ts *testscript.TestScript, _ bool, args []string) {
				if len(args) != 1 || variables[args[0]] == nil {
					ts.Fatalf("usage: vcenter NAME")
				}
				for name, value := range variables[args[0]] {
					ts.Setenv(name, value)
				}
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("HYPERSDK_PROGRESS", "none")
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return nil
		},
	})
}

// untilOutput runs a shell script that never ends until it has printed a line beside the head, and interrupts it: its exit code is
// 130 then. The command that follows the script's name is run again and again meanwhile, so that there is something to print.
func untilOutput(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: until-output SCRIPT COMMAND [ARGUMENT]…")
	}
	out, err := os.Create(ts.MkAbs("until-output.txt"))
	ts.Check(err)
	defer out.Close() //nolint:errcheck // the script reads it
	cmd := exec.Command("sh", ts.MkAbs(args[0]))
	cmd.Dir, cmd.Stdout, cmd.SysProcAttr = ts.MkAbs("."), out, &syscall.SysProcAttr{Setpgid: true}
	cmd.Env = os.Environ()
	for _, name := range []string{"PATH", "HYPERSDK_VSPHERE_SERVER", "HYPERSDK_VSPHERE_USERNAME", "HYPERSDK_VSPHERE_PASSWORD", "HYPERSDK_VSPHERE_CA_FILE", "XDG_CACHE_HOME"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(cmd.Start())
	for deadline := time.Now().Add(time.Minute); strings.Count(ts.ReadFile("until-output.txt"), "\n") < 2; time.Sleep(50 * time.Millisecond) {
		ts.Check(ts.Exec(args[1], args[2:]...))
		if time.Now().After(deadline) {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			ts.Fatalf("%s prints nothing", args[0])
		}
	}
	ts.Check(syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	_ = cmd.Wait() // a shell that was interrupted itself tells of no exit code
}
