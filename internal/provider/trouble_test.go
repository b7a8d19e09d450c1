package provider

import (
	"os"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// everyKind is a pool, a snapshot and a template, made one after the other, and the data sources, read when all of them are there.
const everyKind = `
resource "hypersdk_resource_pool" "p" {
  name   = "prod"
  parent = "/DC0/host/DC0_C0"
}
resource "hypersdk_snapshot" "before" {
  vm         = "/DC0/vm/DC0_C0_RP0_VM0"
  name       = "before-upgrade"
  depends_on = [hypersdk_resource_pool.p]
}
resource "hypersdk_template" "golden" {
  name       = "golden-1"
  source     = "/DC0/vm/build/golden"
  folder     = "/DC0/vm/templates"
  snapshot   = "base"
  depends_on = [hypersdk_snapshot.before]
}
data "hypersdk_vcenter" "this" { depends_on = [hypersdk_template.golden] }
data "hypersdk_hosts" "all" { depends_on = [hypersdk_template.golden] }
data "hypersdk_clusters" "all" { depends_on = [hypersdk_template.golden] }
data "hypersdk_datacenters" "all" { depends_on = [hypersdk_template.golden] }
data "hypersdk_vms" "all" { depends_on = [hypersdk_template.golden] }
data "hypersdk_events" "recent" {
  entity     = "/DC0"
  limit      = 5
  depends_on = [hypersdk_template.golden]
}
data "hypersdk_metrics" "cpu" {
  entity     = "/DC0/vm/DC0_C0_RP0_VM0"
  counters   = ["cpu.usage.average"]
  interval   = "realtime"
  depends_on = [hypersdk_template.golden]
}
`

// Whatever happens to vCenter while it works, the apply that began ends well, each thing is there once, and there is nothing left to do.
func TestProcess_EveryKindOutlastsTrouble(t *testing.T) {
	for name, trouble := range map[string]struct {
		before demo.Faults
		at     string // the call whose beginning brings the trouble on
		during func(*demo.VCenter)
	}{
		"busy":          {before: demo.Faults{Unavailable: 6}},
		"session ended": {at: "CreateResourcePool", during: (*demo.VCenter).EndSessions},
		"died and back": {before: demo.Faults{CloneDelay: 2 * time.Second}, at: "CloneVM_Task", during: func(v *demo.VCenter) { v.Outage(true)() }},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTemplateBench(t)
			w := newWorkspace(t, b.config(everyKind))
			b.vc.SetFaults(trouble.before)
			cmd, out := w.command("apply", "-auto-approve", "-input=false", "-no-color")
			b.must(cmd.Start())
			if trouble.during != nil {
				eventually(t, trouble.at, func() bool { return b.vc.Calls()[trouble.at] > 0 })
				trouble.during(b.vc)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("apply: %v\n%s", err, out)
			}
			b.vc.SetFaults(demo.Faults{})
			w.terraform(0, "plan", "-detailed-exitcode", "-input=false")
			pools, err := b.c.ListResourcePools(t.Context(), "prod")
			b.must(err)
			vms, err := b.c.ListVMs(t.Context(), vsphere.Filter{Name: "golden-*"})
			b.must(err)
			made := b.get("/DC0/vm/templates/golden-1")
			if len(pools) != 1 || len(b.snapshots(runningPath)) != 1 || len(vms) != 1 || len(made.Snapshots) != 1 || !made.Template {
				t.Errorf("%d pools, snapshots %v, VMs %v, template %+v", len(pools), b.snapshots(runningPath), vms, made)
			}
			w.terraform(0, "destroy", "-auto-approve", "-input=false")
		})
	}
}

// A snapshot carries no mark of ours: the run that is stopped waits for it, and knows it afterwards.
func TestSnapshotProcess_InterruptedApplyKnowsItsSnapshot(t *testing.T) {
	b := newTemplateBenchWith(t, demo.Options{Latency: 150 * time.Millisecond})
	w := newWorkspace(t, b.config(snapshotBlock))
	cmd, _ := w.command("apply", "-auto-approve", "-input=false", "-no-color")
	b.must(cmd.Start())
	eventually(t, "the snapshot to be asked for", func() bool { return b.vc.Calls()["CreateSnapshot_Task"] > 0 })
	b.must(cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait() // Terraform ends with 1 whatever the provider says
	if taint, attributes := w.instance(); taint != "" || attributes["id"] == nil {
		t.Errorf("taint %q, attributes %v; want the snapshot in the state", taint, attributes)
	}
	w.apply()
	if n := b.vc.Calls()["CreateSnapshot_Task"]; n != 1 || len(b.snapshots(runningPath)) != 1 {
		t.Errorf("%d snapshots asked for, there are %v; want 1", n, b.snapshots(runningPath))
	}
	w.terraform(0, "destroy", "-auto-approve", "-input=false")
}
