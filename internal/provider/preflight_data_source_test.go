package provider

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// check is a data source for the bench's VM; change replaces parts of it.
func (b *bench) check(change ...string) string {
	block := fmt.Sprintf(`
data "hypersdk_preflight" "vm" {
  source  = %q
  target = {
    name     = %q
    pool     = %q
    networks = { "*" = { network = "default" } }
  }
  # more
}
output "ok"       { value = data.hypersdk_preflight.vm.ok }
output "critical" { value = data.hypersdk_preflight.vm.counts.critical }
output "ids"      { value = data.hypersdk_preflight.vm.findings[*].id }
`, guestPath, b.name, b.name)
	return b.provider() + strings.NewReplacer(change...).Replace(block)
}

func wantOutput(name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownOutputValue(name, value)
}

func TestPreflight_ShowsFindingsAndFailsOnlyWhenAsked(t *testing.T) {
	g := smallGuest(t)
	g.PoweredOn = true
	b := newBench(t, g)
	b.run(
		resource.TestStep{
			Config: b.check(),
			ConfigStateChecks: []statecheck.StateCheck{
				wantOutput("ok", knownvalue.Bool(false)), wantOutput("critical", wantNumber(1)),
				wantOutput("ids", knownvalue.ListPartial(map[int]knownvalue.Check{0: word("source.power.running")})),
			},
		},
		resource.TestStep{
			Config: b.check(more(`source_after = "powered_off"
  fail_on = "critical"`)...),
			ConfigStateChecks: []statecheck.StateCheck{wantOutput("ok", knownvalue.Bool(true)), wantOutput("critical", wantNumber(0))},
		},
		resource.TestStep{
			Config: b.check(more(`ignore = ["source.power.running"]`)...),
			ConfigStateChecks: []statecheck.StateCheck{
				wantOutput("ok", knownvalue.Bool(true)), wantOutput("critical", wantNumber(1)),
				statecheck.ExpectKnownValue("data.hypersdk_preflight.vm", tfjsonpath.New("name"), word(b.name)),
				statecheck.ExpectKnownValue("data.hypersdk_preflight.vm", tfjsonpath.New("source_uuid"), knownvalue.NotNull()),
				statecheck.ExpectKnownValue("data.hypersdk_preflight.vm", tfjsonpath.New("need_bytes"), knownvalue.NotNull()),
				statecheck.ExpectKnownValue("data.hypersdk_preflight.vm", tfjsonpath.New("free_bytes"), knownvalue.NotNull()),
			},
		},
		fails(b.check(more(`fail_on = "critical"`)...), "To go on all the same, add \"source.power.running\" to ignore"),
		fails(b.check(`{ network = "default" }`, `{ network = "no-such-net" }`, `# more`, `fail_on = "critical"`+"\n"+`source_after = "powered_off"`), "Pre-flight: target.network.missing"),
		fails(b.check(more(`fail_on = "sometimes"`)...), "fail_on"),
		fails(b.check(guestPath, guestPath+"-nope"), "no VM has that inventory path"),
		fails(b.check(`pool     = "`+b.name, `pool     = "nope-`+b.name), "nope-"+b.name),
		fails(b.check(`"*" = { network = "default" }`, `"*" = { network = "default", bridge = "br0" }`), "bridge"),
		resource.TestStep{Config: b.provider()},
	)
	if files, err := os.ReadDir(b.dir); err != nil || len(files) != 0 {
		t.Errorf("the pool has %v and %v, want nothing made", files, err)
	}
	if got := b.virsh("list", "--all", "--name"); strings.Contains(got, b.name) {
		t.Error("a domain was made")
	}
	for _, method := range []string{"ExportVm", "PowerOffVM_Task", "ShutdownGuest", "ReconfigVM_Task"} {
		if n := b.vc.Calls()[method]; n != 0 {
			t.Errorf("%d calls of %s, want none", n, method)
		}
	}
}

// TestPreflight_PlansAFleet migrates those VMs of a folder that can be, and lists the others.
func TestPreflight_PlansAFleet(t *testing.T) {
	ready, running := smallGuest(t), webGuest(rig.Disk(t, 1<<20, rig.Text))
	ready.Path, running.Path, running.PoweredOn = "/DC0/vm/fleet/ready", "/DC0/vm/fleet/running", true
	b := newBench(t, ready, running, demo.Guest{Path: "/DC0/vm/other", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Zero)}}})
	config := b.provider() + fmt.Sprintf(`
data "hypersdk_vms" "fleet" {
  folder    = "/DC0/vm/fleet"
  templates = false
}

locals {
  target = {
    name      = %q
    pool      = %q
    power     = "off"
    autostart = false
    networks  = { "*" = { network = "default" } }
  }
}

data "hypersdk_preflight" "vm" {
  for_each = { for vm in data.hypersdk_vms.fleet.vms : vm.name => vm.id }
  source   = each.value
  target   = local.target
  convert  = { engine = "none" }
}

resource "hypersdk_migration" "vm" {
  for_each = { for name, check in data.hypersdk_preflight.vm : name => check.source if check.ok }
  source   = each.value
  target   = local.target
  convert  = { engine = "none" }
}

output "left" { value = { for name, check in data.hypersdk_preflight.vm : name => check.findings[0].id if !check.ok } }
`, b.name, b.name)
	b.run(resource.TestStep{
		Config: config,
		ConfigPlanChecks: resource.ConfigPlanChecks{
			PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(`hypersdk_migration.vm["ready"]`, plancheck.ResourceActionCreate),
			},
			PostApplyPostRefresh: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()},
		},
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(`hypersdk_migration.vm["ready"]`, tfjsonpath.New("status"), word("succeeded")),
			wantOutput("left", knownvalue.MapExact(map[string]knownvalue.Check{"running": word("source.power.running")})),
		},
	}, resource.TestStep{Config: b.provider()}) // the test framework cannot destroy a for_each
	if !exists(b.disk(0)) || exists(b.disk(1)) || b.vc.Calls()["ExportVm"] != 1 {
		t.Errorf("%d exports, want one disk of one VM", b.vc.Calls()["ExportVm"])
	}
}

// TestPreflight_CallsOfAFleet: checks that come together share their reads.
func TestPreflight_CallsOfAFleet(t *testing.T) {
	const n = 20
	disk := rig.Disk(t, 1<<20, rig.Zero)
	var guests []demo.Guest
	for i := range n {
		guests = append(guests, demo.Guest{Path: fmt.Sprintf("/DC0/vm/fleet/web-%02d", i), Disks: []demo.GuestDisk{{Image: disk}}})
	}
	b := newBench(t, guests...)
	b.run(
		resource.TestStep{
			Config: b.provider() + fmt.Sprintf(`
data "hypersdk_vms" "fleet" { folder = "/DC0/vm/fleet" }
data "hypersdk_preflight" "vm" {
  for_each = toset(data.hypersdk_vms.fleet.ids)
  source   = each.value
  target = {
    pool     = %q
    networks = { "*" = { network = "default" } }
  }
}
output "ok" { value = length([for check in data.hypersdk_preflight.vm : check if check.ok]) }
`, b.name),
			ConfigStateChecks: []statecheck.StateCheck{wantOutput("ok", wantNumber(n))},
		},
		resource.TestStep{Config: b.provider()},
	)
	calls := b.vc.Calls()
	// Every terraform command reads them all again; each asks once for the list.
	commands := calls["CreateContainerView"]
	if got, most := calls["RetrievePropertiesEx"], commands*(1+n/2); commands == 0 || got > most {
		t.Errorf("%d property reads in %d commands of %d checks, want at most %d", got, commands, n, most)
	}
	t.Logf("%d property reads in %d commands of %d checks", calls["RetrievePropertiesEx"], commands, n)
}
