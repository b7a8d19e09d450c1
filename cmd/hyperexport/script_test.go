package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hyperexport": main})
}

// startVCenter serves web-01, which is off and has two small disks, and busy-01, which runs.
func startVCenter(t *testing.T, faults demo.Faults) *demo.VCenter {
	t.Helper()
	dir := t.TempDir()
	disk := func(name string, size int64) demo.GuestDisk {
		file := filepath.Join(dir, name)
		data := bytes.Repeat([]byte(name), 1<<16)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, size); err != nil {
			t.Fatal(err)
		}
		return demo.GuestDisk{Image: file}
	}
	v, err := demo.Start(t.Context(), demo.Options{
		Hosts: 1, VMs: 1, CacheDir: filepath.Join(dir, "cache"), Faults: faults,
		Guests: []demo.Guest{
			{Path: "/DC0/vm/web-01", Disks: []demo.GuestDisk{disk("root.raw", 8<<20), disk("data.raw", 4<<20)}},
			{Path: "/DC0/vm/busy-01", Disks: []demo.GuestDisk{disk("busy.raw", 1<<20)}, PoweredOn: true},
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
	return v
}

// variables are what tells a client of v.
func variables(v *demo.VCenter) map[string]string {
	return map[string]string{
		"HYPERSDK_VSPHERE_SERVER":   v.URL(),
		"HYPERSDK_VSPHERE_USERNAME": v.Username(),
		"HYPERSDK_VSPHERE_PASSWORD": v.Password(),
		"HYPERSDK_VSPHERE_CA_FILE":  v.CAFile(),
	}
}

// TestScripts runs testdata/*.txtar against one simulated vCenter.
func TestScripts(t *testing.T) {
	need.Tools(t, "qemu-img")
	v := startVCenter(t, demo.Faults{})
	testscript.Run(t, testscript.Params{
		Dir:           "testdata",
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			for name, value := range variables(v) {
				env.Setenv(name, value)
			}
			return nil
		},
	})
}

// program is hyperexport as a process of its own.
func program(t *testing.T, v *demo.VCenter, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), "hyperexport", args...)
	cmd.Env = os.Environ()
	for name, value := range variables(v) {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// exitCode runs the program to its end.
func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	return codeOf(t, cmd.Run())
}

func codeOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// TestInterrupt_TheSameCommandGoesOn interrupts an export in the middle of a disk.
func TestInterrupt_TheSameCommandGoesOn(t *testing.T) {
	need.Tools(t, "qemu-img")
	v := startVCenter(t, demo.Faults{BytesPerSec: 1 << 10})
	out := t.TempDir()
	args := []string{"--vm", "web-01", "--output", out, "--format", "qcow2", "--parallel", "1"}
	cmd, stdout, stderr := program(t, v, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a disk is being transferred", func() bool { return v.Calls()["GET /nfc"] > 0 })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := codeOf(t, cmd.Wait()); code != 130 || stdout.Len() != 0 {
		t.Errorf("exit code %d, stdout %q; want 130 and nothing", code, stdout)
	}
	for _, want := range []string{"interrupted: ending in good order", "hyperexport: export of \"web-01\": interrupted\n", "hint: the same command goes on"} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("stderr does not say %q:\n%s", want, stderr)
		}
	}
	if images, _ := filepath.Glob(filepath.Join(out, "*.qcow2")); len(images) != 0 {
		t.Errorf("images that are not whole have their final names: %q", images)
	}
	v.SetFaults(demo.Faults{})
	cmd, _, stderr = program(t, v, args...)
	if code := exitCode(t, cmd); code != 0 {
		t.Fatalf("the second run: exit code %d\n%s", code, stderr)
	}
	if images, _ := filepath.Glob(filepath.Join(out, "*.qcow2")); len(images) != 2 {
		t.Errorf("images: %q; want two", images)
	}
}

// TestPartial_TheExportIsKept lets the pipeline fail for want of a tool, after the export.
func TestPartial_TheExportIsKept(t *testing.T) {
	need.Tools(t, "qemu-img")
	v := startVCenter(t, demo.Faults{})
	bin, out := t.TempDir(), t.TempDir()
	qemuImg, err := exec.LookPath("qemu-img")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(qemuImg, filepath.Join(bin, "qemu-img")); err != nil {
		t.Fatal(err)
	}
	cmd, stdout, stderr := program(t, v, "--vm", "web-01", "--output", out, "--pipeline", "--json")
	cmd.Env = append(cmd.Env, "PATH="+bin)
	if code := exitCode(t, cmd); code != 5 {
		t.Fatalf("exit code %d; want 5\n%s", code, stderr)
	}
	var result migrate.Result
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		t.Fatalf("stdout is not the result: %v\n%s", err, stdout)
	}
	if len(result.Disks) != 2 || result.Pipeline.Status != sdk.Failed || result.Pipeline.Stage == "" {
		t.Errorf("result = %+v", result)
	}
	for _, d := range result.Disks {
		if _, err := os.Stat(d.Path); err != nil {
			t.Errorf("the export is not there: %v", err)
		}
	}
	if !strings.Contains(stderr.String(), `hyperexport: "web-01" is exported and its files are kept, but a later stage failed: inspect: `) {
		t.Errorf("stderr does not name what failed:\n%s", stderr)
	}
}
