package provider

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// manyClones is a configuration of n clones of one source.
func (b *cloneBench) manyClones(n int) string {
	return b.provider() + fmt.Sprintf(`
resource "hypersdk_clone" "vm" {
  count         = %d
  name          = "many-${count.index}"
  source        = %q
  folder        = "/DC0/vm"
  resource_pool = "/DC0/host/DC0_C0"
  datastore     = "LocalDS_0"
  cpus          = 2
  power         = "on"
  networks      = { "0" = { network = "VM Network" } }
  cloud_init    = { metadata = "instance-id: i${count.index}" }
}
`, n, goldenPath)
}

// counted is the SOAP calls that do makes, but for the coming and going of sessions.
func (b *cloneBench) counted(do func()) (total int, by map[string]int) {
	before := b.vc.Calls()
	do()
	by = map[string]int{}
	for name, n := range b.vc.Calls() {
		if n -= before[name]; n > 0 && name != "RetrieveServiceContent" && name != "Login" && name != "Logout" {
			by[name] = n
			total += n
		}
	}
	return total, by
}

func TestClone_ManyAskVCenterSparingly(t *testing.T) {
	const n = 20
	b := newCloneBench(t)
	w := newWorkspace(t, b.manyClones(n))
	own := b.vc.Sessions()
	made, by := b.counted(func() { w.terraform(0, "apply", "-auto-approve", "-input=false") })
	if made > 6*n {
		t.Errorf("%d calls for %d clones, want at most 6 each: %v", made, n, by)
	}
	if by["CloneVM_Task"] != n || by["ReconfigVM_Task"]+by["PowerOnVM_Task"] != 0 {
		t.Errorf("%d clones made other tasks than one each: %v", n, by)
	}
	t.Logf("%d clones: %d calls %v", n, made, by)
	read, by := b.counted(func() { w.terraform(0, "plan", "-detailed-exitcode", "-input=false") })
	if read > 3*n/10+3 { // three for the places, which are looked up once
		t.Errorf("a refresh of %d VMs made %d calls, want at most 0.3 each: %v", n, read, by)
	}
	t.Logf("refresh: %d calls %v", read, by)
	gone, by := b.counted(func() { w.terraform(0, "destroy", "-auto-approve", "-input=false") })
	t.Logf("destroy: %d calls %v", gone, by)
	if got := b.vc.Sessions(); got != own {
		t.Errorf("%d sessions left, want 0", got-own)
	}
}

func TestClone_ForEachInterruptedGoesOn(t *testing.T) {
	b := newCloneBench(t)
	w := newWorkspace(t, b.manyClones(4))
	b.vc.SetFaults(demo.Faults{CloneDelay: time.Minute})
	own := b.vc.Sessions()
	cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the clones to be under way", func() bool { return b.vc.Calls()["CloneVM_Task"] == 4 })
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if !strings.Contains(out.String(), "interrupted") {
		t.Errorf("no word of the interruption:\n%s", out)
	}
	if got := b.vc.Sessions(); got != own {
		t.Errorf("%d sessions left, want 0", got-own)
	}
	b.vc.SetFaults(demo.Faults{})
	w.apply()
	for i := range 4 {
		b.vm(fmt.Sprintf("/DC0/vm/many-%d", i))
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}

// A vCenter that loses the answer to the call that made the VM, or dies behind it, has made it once.
func TestClone_MadeOnceThoughTheAnswerIsLost(t *testing.T) {
	b := newCloneBench(t)
	w := newWorkspace(t, b.config())
	b.vc.SetFaults(demo.Faults{LoseAnswers: 1, LoseAnswerMethod: "CloneVM_Task"})
	w.apply()
	if taint, attributes := w.instance(); taint != "" || attributes["status"] != "succeeded" {
		t.Errorf("taint %q, status %v", taint, attributes["status"])
	}
	if n := b.vc.Calls()["CloneVM_Task"]; n != 1 {
		t.Errorf("%d clones asked for, want 1", n)
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}

// The wait is interrupted: the VM is there, in the state, untainted, and the next apply waits again in place.
func TestClone_InterruptedWaitGoesOnInPlace(t *testing.T) {
	b := newCloneBench(t)
	b.vc.SetFaults(demo.Faults{BootTime: time.Hour})
	w := newWorkspace(t, b.config(`power = "on"`, `wait_for = { ip = true }`))
	cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the VM to run", func() bool {
		vm, err := b.c.GetVM(t.Context(), clonePath)
		return err == nil && vm.PowerState == "poweredOn"
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	taint, attributes := w.instance()
	if taint != "" || attributes["ready"] != false || attributes["status"] != "interrupted" {
		t.Fatalf("taint %q, ready %v, status %v\n%s", taint, attributes["ready"], attributes["status"], out)
	}
	b.vc.SetFaults(demo.Faults{})
	b.reboot()
	if plan := w.terraform(2, "plan", "-detailed-exitcode", "-input=false"); !strings.Contains(plan, "0 to add, 1 to change, 0 to destroy") || !strings.Contains(plan, "Will go on") {
		t.Errorf("the plan is not a change in place:\n%s", plan)
	}
	w.apply()
	if _, attributes := w.instance(); attributes["ready"] != true || attributes["status"] != "succeeded" {
		t.Errorf("ready %v, status %v", attributes["ready"], attributes["status"])
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}

func TestClone_QueuedClonesSaySo(t *testing.T) {
	b := newCloneBench(t)
	w := newWorkspace(t, strings.Replace(b.manyClones(4), "vsphere = {", "vsphere = {\n    max_calls = 1", 1))
	cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
	cmd.Env = append(cmd.Env, "TF_LOG_PROVIDER=INFO")
	if err := cmd.Run(); err != nil {
		t.Fatalf("apply: %v\n%s", err, out)
	}
	if !strings.Contains(out.String(), "queued: other clones of this vCenter are being made") {
		t.Error("clones waited and the log does not say so")
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}
