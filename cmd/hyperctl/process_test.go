package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// program is hyperctl as a process of its own.
func program(t *testing.T, v *demo.VCenter, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), "hyperctl", args...)
	cmd.Env = append(os.Environ(), "HYPERSDK_VSPHERE_SERVER="+v.URL(), "HYPERSDK_VSPHERE_USERNAME="+v.Username(),
		"HYPERSDK_VSPHERE_PASSWORD="+v.Password(), "HYPERSDK_VSPHERE_CA_FILE="+v.CAFile(), "XDG_CACHE_HOME="+t.TempDir())
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
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
	deadline := time.Now().Add(4 * time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("still not: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func wantTexts(t *testing.T, where, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q:\n%s", where, want, text)
		}
	}
}

func TestMigrate_InterruptedGoesOn(t *testing.T) {
	need.Tools(t, "qemu-img")
	if !haveLibvirt(t) {
		need.Missing(t, "no "+guestURI)
	}
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Faults: demo.Faults{BytesPerSec: 1 << 10}, Guests: []demo.Guest{
		{Path: "/DC0/vm/web-01", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 4<<20, rig.Mixed)}}},
	}})
	out := t.TempDir()
	args := []string{"migrate", "web-01", "-name", ownDomain(t, t.Cleanup), "-dir", out, "-inspect=false", "-fix=false", "-validate=false"}
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
	wantTexts(t, "stderr", stderr.String(), "interrupted: ending in good order", "hyperctl: migration of \"web-01\": interrupted\n",
		"hint: the same command goes on where this one stopped")
	v.SetFaults(demo.Faults{})
	cmd, _, stderr = program(t, v, args...)
	if code := codeOf(t, cmd.Run()); code != 0 {
		t.Fatalf("the second run: exit code %d\n%s", code, stderr)
	}
	if images, _ := filepath.Glob(filepath.Join(out, "*.qcow2")); len(images) != 1 {
		t.Errorf("images: %q; want one", images)
	}
	if n := v.Sessions(); n != 0 {
		t.Errorf("%d sessions are left behind", n)
	}
}

// vCenter takes its time for each call; the interrupt comes at the first VM of many, which are done one by one.
func TestVMPower_InterruptedBeginsNothingMore(t *testing.T) {
	const vms = 20
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: vms, Latency: 50 * time.Millisecond})
	args := []string{"vm", "power", "DC0_C0_RP0_VM*", "-state", "off", "-yes", "-max-concurrent", "1"}
	cmd, stdout, stderr := program(t, v, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first task runs", func() bool { return v.Calls()["PowerOffVM_Task"] > 0 })
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := codeOf(t, cmd.Wait()); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	begun := v.Calls()["PowerOffVM_Task"]
	if lines := strings.Count(stdout.String(), " canceled "); lines < vms-begun || begun == vms {
		t.Errorf("%d were begun and %d lines say canceled:\n%s", begun, lines, stdout)
	}
	wantTexts(t, "stderr", stderr.String(), "interrupted: asking vCenter to cancel", "hint: the same command goes on")
	cmd, stdout, stderr = program(t, v, args...)
	if code := codeOf(t, cmd.Run()); code != 0 || !strings.Contains(stdout.String(), "DC0_C0_RP0_VM0   skipped") && begun > 1 {
		t.Errorf("again: exit code %d\n%s%s", code, stdout, stderr)
	}
	if all := v.Calls()["PowerOffVM_Task"]; all > vms+1 {
		t.Errorf("%d power-offs for %d VMs: what was done was done again", all, vms)
	}
}
