package provider

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

// TestTemplateProcess_InterruptedApplyMakesOneTemplate stops real terraform, and its provider, while vCenter works for it, and applies
// again: what is there is found, and made into the one template.
func TestTemplateProcess_InterruptedApplyMakesOneTemplate(t *testing.T) {
	for name, tc := range map[string]struct {
		block, at string
		kill      bool
	}{
		"Ctrl-C during the clone":             {cloneBlock, "CloneVM_Task", false},
		"killed during the clone":             {cloneBlock, "CloneVM_Task", true},
		"killed during the snapshot":          {cloneBlock, "CreateSnapshot_Task", true},
		"Ctrl-C during the snapshot":          {cloneBlock, "CreateSnapshot_Task", false},
		"killed during a conversion's move":   {convertBlock, "MoveIntoFolder_Task", true},
		"killed while it is marked":           {cloneBlock, "MarkAsTemplate", true},
		"killed while a conversion is marked": {convertBlock, "MarkAsTemplate", true},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTemplateBenchWith(t, demo.Options{Latency: 150 * time.Millisecond})
			w := newWorkspace(t, b.config(tc.block))
			cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
			b.must(cmd.Start())
			t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
			eventually(t, tc.at+" to be asked for", func() bool { return b.vc.Calls()[tc.at] > 0 })
			if tc.kill {
				b.must(syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL))
			} else {
				b.must(cmd.Process.Signal(os.Interrupt))
			}
			_ = cmd.Wait() // it ends with an error either way

			w.apply()
			made := b.get("/DC0/vm/templates/golden-1")
			if !made.Template || len(made.Snapshots) != 1 {
				t.Errorf("got %+v, want a template with one snapshot\n%s", made, out)
			}
			if n := b.vc.Calls()["CreateSnapshot_Task"]; n != 1 {
				t.Errorf("%d snapshots were taken, want 1", n)
			}
			w.terraform(0, "destroy", "-auto-approve", "-input=false")
			b.get(builtPath)
			if got := b.vc.Sessions(); !tc.kill && got != 1 { // a killed provider cannot log out
				t.Errorf("%d sessions are left, want the test's own", got)
			}
		})
	}
}
