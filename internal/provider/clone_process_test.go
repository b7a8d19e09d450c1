package provider

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// threeClones is a configuration whose clones are under way at once.
func threeClones(b *cloneBench) string {
	return b.provider() + fmt.Sprintf(`
resource "hypersdk_clone" "vm" {
  for_each = toset(["web-1", "web-2", "web-3"])
  name     = each.key
  source   = %q
}
`, goldenPath)
}

// startClones begins an apply against a vCenter that takes its time, and returns once every clone is under way.
func (w *workspace) startClones(b *cloneBench) (*exec.Cmd, *bytes.Buffer) {
	w.t.Helper()
	b.vc.SetFaults(demo.Faults{CloneDelay: 15 * time.Second})
	cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	eventually(w.t, "three clones under way", func() bool { return b.vc.Calls()["CloneVM_Task"] >= 3 })
	return cmd, out
}

// wantThree says whether each clone is there, once.
func wantThree(t *testing.T, b *cloneBench) {
	t.Helper()
	vms, err := b.c.ListVMs(t.Context(), vsphere.Filter{Name: "web-*"})
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, vm := range vms {
		paths = append(paths, vm.Path)
	}
	if got, want := strings.Join(paths, " "), "/DC0/vm/web-1 /DC0/vm/web-2 /DC0/vm/web-3"; got != want {
		t.Errorf("VMs %s, want %s", got, want)
	}
}

func TestCloneProcess_InterruptedApplyLosesNothing(t *testing.T) {
	b := newCloneBench(t)
	w := newWorkspace(t, threeClones(b))
	cmd, out := w.startClones(b)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // Terraform ends with 1 whatever the provider says
	if strings.Contains(out.String(), "panic") || strings.Contains(out.String(), "did not respond") {
		t.Errorf("the provider did not end well:\n%s", out)
	}
	if n := b.vc.Sessions(); n != 1 { // the test's own
		t.Errorf("%d sessions are left, want the test's alone", n)
	}
	b.vc.SetFaults(demo.Faults{})
	w.apply()
	wantThree(t, b)
}

func TestCloneProcess_KilledRunIsFoundAgain(t *testing.T) {
	b := newCloneBench(t)
	w := newWorkspace(t, threeClones(b))
	cmd, _ := w.startClones(b)
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil { // terraform and its provider
		t.Fatal(err)
	}
	_ = cmd.Wait()
	b.vc.SetFaults(demo.Faults{})
	w.apply()
	wantThree(t, b)
}
