package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const bulkClones = 12

// bulkRun is the real command, cloning in bulk.
type bulkRun struct {
	*exec.Cmd
	out, talk bytes.Buffer
}

func newBulkRun(t *testing.T, v *demo.VCenter, file string) *bulkRun {
	t.Helper()
	r := &bulkRun{Cmd: exec.CommandContext(t.Context(), "hyperctl", "clone", "-bulk", file, "-max-concurrent", "2", "-json")} // TestMain's
	r.Env = append(os.Environ(), "HYPERSDK_VSPHERE_SERVER="+v.URL(), "HYPERSDK_VSPHERE_USERNAME="+v.Username(),
		"HYPERSDK_VSPHERE_PASSWORD="+v.Password(), "HYPERSDK_VSPHERE_CA_FILE="+v.CAFile(), "HYPERSDK_PROGRESS=plain")
	r.Stdout, r.Stderr = &r.out, &r.talk
	return r
}

func (r *bulkRun) result(t *testing.T) vsphere.CloneBulkResult {
	t.Helper()
	var result vsphere.CloneBulkResult
	if err := json.Unmarshal(r.out.Bytes(), &result); err != nil {
		t.Fatalf("%v in %q; %s", err, r.out.String(), r.talk.String())
	}
	return result
}

// halfway starts the command, and waits until the third clone is asked for: two run at once, so one is done.
func halfway(t *testing.T, v *demo.VCenter, r *bulkRun) {
	t.Helper()
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); v.Calls()["CloneVM_Task"] < 3; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no third clone: %v; %s", v.Calls(), r.talk.String())
		}
	}
}

func cloneFileOf(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("clones:\n")
	for i := range bulkClones {
		fmt.Fprintf(&text, "  - {source_vm: DC0_C0_RP0_VM0, target_name: web-%02d, power_on: true}\n", i)
	}
	file := filepath.Join(t.TempDir(), "clones.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// toTheEnd runs the command again, and sees each VM once.
func toTheEnd(t *testing.T, v *demo.VCenter, file string) vsphere.CloneBulkResult {
	t.Helper()
	v.SetFaults(demo.Faults{})
	again := newBulkRun(t, v, file)
	if err := again.Run(); err != nil {
		t.Fatalf("%v: %s", err, again.talk.String())
	}
	client, err := vsphere.Dial(t.Context(), vsphere.Config{URL: v.URL(), Username: v.Username(), Password: vsphere.Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(t.Context()) //nolint:errcheck // the test is over
	vms, err := client.ListVMs(t.Context(), vsphere.Filter{Name: "web-*"})
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int{}
	for _, vm := range vms {
		names[vm.Name]++
		if vm.PowerState != "poweredOn" {
			t.Errorf("%s is %s", vm.Name, vm.PowerState)
		}
	}
	for i := range bulkClones {
		if name := fmt.Sprintf("web-%02d", i); names[name] != 1 {
			t.Errorf("%d VMs are called %s", names[name], name)
		}
	}
	result := again.result(t)
	if result.Succeeded+result.Skipped != bulkClones {
		t.Errorf("the second run: %+v", result)
	}
	return result
}

func TestCloneBulk_InterruptedAndRunAgain(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Faults: demo.Faults{CloneDelay: time.Second}})
	file := cloneFileOf(t)
	r := newBulkRun(t, v, file)
	halfway(t, v, r)
	v.SetFaults(demo.Faults{CloneDelay: time.Hour}) // of those that begin from now on: none ends by itself
	if err := r.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	exit, ok := errors.AsType[*exec.ExitError](r.Wait())
	if !ok || exit.ExitCode() != 130 {
		t.Fatalf("got %v, want exit code 130: %s", exit, r.talk.String())
	}
	first := r.result(t)
	if first.Succeeded == 0 || first.Canceled == 0 || first.Total != bulkClones || first.Succeeded+first.Canceled != bulkClones {
		t.Errorf("got %+v, want some made and the others canceled", first)
	}
	notBegun := 0
	for _, o := range first.Items {
		if o.Status == "canceled" && !o.Begun {
			notBegun++
			if o.Message != "not begun" {
				t.Errorf("%s was not begun and says %q", o.Name, o.Message)
			}
		}
	}
	if text := r.talk.String(); notBegun == 0 || !strings.Contains(text, "clones done: ") || !strings.Contains(text, "not begun: ") ||
		!strings.Contains(text, "hint: the same command goes on: it skips what exists") {
		t.Errorf("%d were not begun, stderr says:\n%s", notBegun, text)
	}
	if n := v.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	asked := v.Calls()["CloneVM_Task"]
	second := toTheEnd(t, v, file)
	if second.Skipped < first.Succeeded {
		t.Errorf("the second run skipped %d, the first one made %d", second.Skipped, first.Succeeded)
	}
	if n := v.Calls()["CloneVM_Task"] - asked; n != second.Succeeded {
		t.Errorf("the second run asked for %d clones and made %d", n, second.Succeeded)
	}
}

func TestCloneBulk_KilledAndRunAgain(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Faults: demo.Faults{CloneDelay: time.Second}})
	file := cloneFileOf(t)
	r := newBulkRun(t, v, file)
	halfway(t, v, r)
	if err := r.Process.Signal(syscall.SIGKILL); err != nil { // its tasks go on in vCenter
		t.Fatal(err)
	}
	_ = r.Wait()
	toTheEnd(t, v, file)
}

func TestCloneBulk_InPart(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Faults: demo.Faults{FailPowerOn: &types.InsufficientResourcesFault{}}})
	file := filepath.Join(t.TempDir(), "clones.yaml")
	text := "clones:\n- {source_vm: DC0_C0_RP0_VM0, target_name: fine}\n- {source_vm: DC0_C0_RP0_VM0, target_name: hungry, power_on: true}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r := newBulkRun(t, v, file)
	exit, ok := errors.AsType[*exec.ExitError](r.Run())
	if !ok || exit.ExitCode() != 5 {
		t.Fatalf("got %v, want exit code 5: %s", exit, r.talk.String())
	}
	if got := r.result(t); got.Succeeded != 1 || got.Failed != 1 || got.Items[1].Ref == "" || got.Items[1].PowerState != "poweredOff" {
		t.Errorf("got %+v, want the VM that stays", got)
	}
	if text := r.talk.String(); !strings.Contains(text, "hyperctl: clones done: 1 of 2\n  failed: hungry\n") {
		t.Errorf("stderr says %s", text)
	}
}
