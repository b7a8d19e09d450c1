package provider

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func wantState(name string, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue(address, tfjsonpath.New(name), value)
}

func wantAction(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

func word(s string) knownvalue.Check { return knownvalue.StringExact(s) }

func TestMigration_MovesTheDisksAndThenHasNothingToDo(t *testing.T) {
	boot, data := rig.Disk(t, 4<<20, rig.Mixed), rig.Disk(t, 1<<20, rig.Text)
	b := newBench(t, webGuest(boot, data))
	b.run(
		resource.TestStep{
			Config: b.config(more(`verify = { boot_timeout = "5m" }`)...),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction(address, plancheck.ResourceActionCreate),
				plancheck.ExpectKnownValue(address, tfjsonpath.New("domain_uuid"), knownvalue.NotNull()),
				plancheck.ExpectKnownValue(address, tfjsonpath.New("source_uuid"), knownvalue.NotNull()),
				plancheck.ExpectKnownValue(address, tfjsonpath.New("findings"), knownvalue.NotNull()),
				plancheck.ExpectUnknownValue(address, tfjsonpath.New("status")),
			}},
			ConfigStateChecks: []statecheck.StateCheck{
				wantState("status", word("succeeded")), wantState("condition", word("ok")), wantState("domain_state", word("shutoff")),
				wantState("progress", knownvalue.Int64Exact(100)), wantState("job_id", knownvalue.Null()),
				wantState("finished_at", knownvalue.NotNull()), wantState("disks", knownvalue.ListSizeExact(2)),
				statecheck.ExpectKnownValue(address, tfjsonpath.New("disks").AtSliceIndex(1).AtMapKey("path"), word(b.disk(1))),
			},
			Check: func(s *terraform.State) error {
				wantSameImage(t, boot, b.disk(0))
				wantSameImage(t, data, b.disk(1))
				is := s.RootModule().Resources[address].Primary
				if got, want := is.ID, localURI+"#"+b.virsh("domuuid", b.name); got != want {
					return fmt.Errorf("id = %s, want %s", got, want)
				}
				return nil
			},
		},
		resource.TestStep{
			Config:            b.config(`power    = "off"`, `power = "off"`+"\n autostart = true"),
			ConfigPlanChecks:  wantAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{wantState("status", word("succeeded"))},
			Check: func(*terraform.State) error {
				if got := b.virsh("dominfo", b.name); !strings.Contains(got, "Autostart:      enable") {
					return errors.New("the domain does not start with the host:\n" + got)
				}
				return nil
			},
		},
	)
	if !exists(b.disk(0)) || !exists(b.disk(1)) {
		t.Error("destroy with on_destroy = undefine took a disk")
	}
	if got := b.virsh("list", "--all", "--name"); strings.Contains(got, b.name) {
		t.Error("destroy left the domain")
	}
}

func TestMigration_RenamesInPlaceAndWarnsOfWhatComesTooLate(t *testing.T) {
	b := newBench(t, smallGuest(t))
	renamed := b.name + "-b"
	t.Cleanup(func() { b.name = strings.TrimSuffix(b.name, "-b") })
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{
			Config:           b.config(`name     = "`+b.name, `name     = "`+renamed, `"none" }`, `"none", compress_level = 3 }`),
			ConfigPlanChecks: wantAction(plancheck.ResourceActionUpdate),
			Check: func(*terraform.State) error {
				if got := b.virsh("list", "--all", "--name"); !strings.Contains(got, renamed) {
					return errors.New("domains: " + got)
				}
				return nil
			},
		},
		resource.TestStep{ // someone renames it back: followed, and the plan sets it right
			PreConfig:        func() { b.virsh("domrename", renamed, b.name) },
			Config:           b.config(`name     = "`+b.name, `name     = "`+renamed, `"none" }`, `"none", compress_level = 3 }`),
			ConfigPlanChecks: wantAction(plancheck.ResourceActionUpdate),
		},
	)
}

func TestMigration_Drift(t *testing.T) {
	raw := rig.Disk(t, 2<<20, rig.Mixed)
	b := newBench(t, webGuest(raw))
	var before int
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{ // undefined: defined again, nothing copied
			PreConfig: func() {
				before = b.vc.Calls()["ExportVm"]
				b.virsh("undefine", b.name)
			},
			Config:            b.config(),
			ConfigPlanChecks:  wantAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{wantState("condition", word("ok")), wantState("domain_state", word("shutoff"))},
			Check: func(*terraform.State) error {
				if after := b.vc.Calls()["ExportVm"]; after != before {
					return fmt.Errorf("%d more exports, want none", after-before)
				}
				return nil
			},
		},
		resource.TestStep{ // autostart switched behind our back
			PreConfig:        func() { b.virsh("autostart", b.name) },
			Config:           b.config(),
			ConfigPlanChecks: wantAction(plancheck.ResourceActionUpdate),
			Check: func(*terraform.State) error {
				if got := b.virsh("dominfo", b.name); !strings.Contains(got, "Autostart:      disable") {
					return errors.New("the domain still starts with the host:\n" + got)
				}
				return nil
			},
		},
	)
}

func TestMigration_MissingDiskIsNeverOverwritten(t *testing.T) {
	b := newBench(t, smallGuest(t))
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{
			PreConfig:   func() { remove(t, b.disk(0)) },
			Config:      b.config(),
			ExpectError: fails("", b.name+"-disk-0.qcow2").ExpectError,
		},
		resource.TestStep{
			Taint:             []string{address},
			Config:            b.config(),
			ConfigPlanChecks:  wantAction(plancheck.ResourceActionDestroyBeforeCreate),
			ConfigStateChecks: []statecheck.StateCheck{wantState("condition", word("ok"))},
		},
	)
}

func TestMigration_AllGoneIsMadeAnew(t *testing.T) {
	b := newBench(t, smallGuest(t))
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{
			PreConfig: func() {
				b.virsh("undefine", b.name)
				remove(t, b.disk(0))
			},
			Config:            b.config(),
			ConfigPlanChecks:  wantAction(plancheck.ResourceActionCreate),
			ConfigStateChecks: []statecheck.StateCheck{wantState("condition", word("ok"))},
		},
	)
	if got := b.vc.Calls()["ExportVm"]; got != 2 {
		t.Errorf("%d exports, want 2", got)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func TestMigration_ValidatedThenCutover(t *testing.T) {
	b := newBench(t, smallGuest(t))
	b.run(
		resource.TestStep{
			Config:            b.config(more(`until = "validated"`)...),
			ConfigStateChecks: []statecheck.StateCheck{wantState("status", word("succeeded")), wantState("job_id", knownvalue.NotNull())},
			Check: func(*terraform.State) error {
				if got := b.virsh("list", "--all", "--name"); strings.Contains(got, b.name) {
					return errors.New("a domain was defined before cutover")
				}
				return nil
			},
		},
		resource.TestStep{
			Config:            b.config(more(`until = "cutover"`)...),
			ConfigPlanChecks:  wantAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{wantState("domain_state", word("shutoff")), wantState("job_id", knownvalue.Null())},
		},
		fails(b.config(more(`until = "validated"`)...), "until goes forward only"),
	)
	if got := b.vc.Calls()["ExportVm"]; got != 1 {
		t.Errorf("%d exports, want 1: cutover copies nothing", got)
	}
}

func TestMigration_ReplacesOnlyForAnotherCopy(t *testing.T) {
	other := smallGuest(t)
	other.Path = "/DC0/vm/web-02"
	b := newBench(t, smallGuest(t), other)
	var instanceUUID string
	b.run(
		resource.TestStep{
			Config: b.config(more(`on_destroy = "delete"`)...),
			Check: func(s *terraform.State) error {
				instanceUUID = s.RootModule().Resources[address].Primary.Attributes["source_uuid"]
				return nil
			},
		},
		resource.TestStep{ // the same VM by its name
			Config:           b.config(append(more(`on_destroy = "delete"`), `"`+guestPath+`"`, `"web-01"`)...),
			ConfigPlanChecks: wantAction(plancheck.ResourceActionUpdate),
		},
		resource.TestStep{
			Config:           b.config(append(more(`on_destroy = "delete"`), guestPath, "/DC0/vm/web-02")...),
			ConfigPlanChecks: wantAction(plancheck.ResourceActionDestroyBeforeCreate),
			Check: func(s *terraform.State) error {
				if got := s.RootModule().Resources[address].Primary.Attributes["source_uuid"]; got == instanceUUID {
					return errors.New("still the first VM")
				}
				if !exists(b.disk(0)) {
					return errors.New("the new disk is not there")
				}
				return nil
			},
		},
	)
}

func TestMigration_DestroyByPolicy(t *testing.T) {
	tests := []struct {
		policy       string
		domain, disk bool
	}{
		{"keep", true, true},
		{"undefine", false, true},
		{"delete", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.policy, func(t *testing.T) {
			b := newBench(t, smallGuest(t))
			b.run(resource.TestStep{Config: b.config(more(fmt.Sprintf("on_destroy = %q", tt.policy))...)})
			if got := strings.Contains(b.virsh("list", "--all", "--name"), b.name); got != tt.domain {
				t.Errorf("domain there: %v, want %v", got, tt.domain)
			}
			if got := exists(b.disk(0)); got != tt.disk {
				t.Errorf("disk there: %v, want %v", got, tt.disk)
			}
		})
	}
}

func TestMigration_Import(t *testing.T) {
	b := newBench(t, smallGuest(t))
	b.run(
		resource.TestStep{Config: b.config(more(`on_destroy = "delete"`)...)},
		resource.TestStep{
			ResourceName: address, ImportState: true, ImportStateVerify: true, ImportStateIdFunc: func(s *terraform.State) (string, error) {
				return s.RootModule().Resources[address].Primary.ID, nil
			},
			// What only the configuration says, and what only the plan of a creation knew.
			ImportStateVerifyIgnore: []string{"source", "convert", "target.pool", "target.power", "target.networks", "on_destroy", "findings"},
		},
		resource.TestStep{
			ResourceName: address, ImportState: true, ImportStateId: localURI + "#9d5f8d5e-26b9-4b6e-a6ed-3d6a0a3a0c6f",
			ExpectError: fails("", "Cannot import non-existent remote object").ExpectError,
		},
	)
}

func TestMigration_ImportedIsNotReplaced(t *testing.T) {
	b := newBench(t, smallGuest(t))
	b.run(resource.TestStep{Config: b.config(more(`on_destroy = "keep"`)...)})
	id := localURI + "#" + b.virsh("domuuid", b.name)
	b.run(
		resource.TestStep{
			Config:           b.config() + fmt.Sprintf("import {\n to = %s\n id = %q\n}\n", address, id),
			ConfigPlanChecks: wantAction(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{
				wantState("source", word(guestPath)), wantState("status", word("succeeded")), wantState("id", word(id)),
			},
		},
	)
}

func TestMigration_CutTransferIsRetried(t *testing.T) {
	raw := rig.Disk(t, 8<<20, rig.Random)
	b := newBench(t, webGuest(raw))
	b.vc.SetFaults(demo.Faults{CutAfter: 1 << 20, CutTimes: 2})
	b.run(resource.TestStep{
		Config: b.config(),
		Check: func(*terraform.State) error {
			wantSameImage(t, raw, b.disk(0))
			return nil
		},
	})
}

func TestMigration_FailedBootIsRetriedWithoutACopy(t *testing.T) {
	b := newBench(t, webGuest(need.BootDisk(t, 2<<20, 1, "TINY-GUEST boot-ok\r\n")))
	boot := func(marker string) []string {
		return more(fmt.Sprintf(`verify = { boot = "console", boot_marker = %q, boot_timeout = "20s" }`, marker))
	}
	b.run(
		fails(b.config(boot("never said")...), `failed at the stage "boot"`),
		resource.TestStep{
			Config:            b.config(boot("boot-ok")...),
			ConfigPlanChecks:  wantAction(plancheck.ResourceActionDestroyBeforeCreate), // an error in a creation taints
			ConfigStateChecks: []statecheck.StateCheck{wantState("boot_evidence", knownvalue.StringRegexp(regexp.MustCompile("boot-ok")))},
		},
	)
	if got := b.vc.Calls()["ExportVm"]; got != 1 {
		t.Errorf("%d exports, want 1: the converted disks stay for the retry", got)
	}
}

func TestMigration_Refusals(t *testing.T) {
	running := smallGuest(t)
	running.Path, running.PoweredOn = "/DC0/vm/running", true
	twin := smallGuest(t)
	twin.Path = "/DC0/vm/folder/web-01"
	b := newBench(t, smallGuest(t), running, twin)
	foreign := b.name + "-x"
	t.Cleanup(func() { b.virsh("undefine", foreign) })
	b.virsh("define", domainFile(t, foreign))
	tests := []struct{ name, config, want string }{
		{"unknown VM", b.config(guestPath, "/DC0/vm/nobody"), "/DC0/vm/nobody"},
		{"ambiguous name", b.config(`"`+guestPath+`"`, `"web-01"`), "/DC0/vm/folder/web-01"},
		{"running", b.config(guestPath, "/DC0/vm/running"), "source.power.running"},
		{"unmapped network", b.config(`networks = { "*" = { network = "default" } }`, ""), "target.network.unmapped"},
		{"domain exists", b.config(`name     = "`+b.name, `name     = "`+foreign), foreign},
		{"unknown pool", b.config(`pool     = "`+b.name, `pool     = "nowhere`), "nowhere"},
		{"wrong password", b.provider(b.vc.Password(), "wrong") + b.migration(), "Cannot reach vCenter"},
		{"untrusted certificate", b.provider("ca_file", "# ca_file") + b.migration(), "Cannot reach vCenter"},
		{"remote target", b.config(`power `, `uri = "qemu+ssh://root@kvm1/system"`+"\n power "), "Cannot reach the target"},
		{"warm", b.config(more(`mode = "warm"`)...), "come in a later release"},
		{"replicated", b.config(more(`until = "replicated"`)...), "come in a later release"},
		{"daemon", b.config(more(`executor = "daemon"`)...), "comes in a later release"},
		{"both bridge and network", b.config(`network = "default"`, `network = "default", bridge = "br0"`), "one (and only one)"},
		{"bad disk address", b.config(`power `, `disks = { "scsi0" = {} }`+"\n power "), "must be an address"},
	}
	var steps []resource.TestStep
	for _, tt := range tests {
		steps = append(steps, fails(tt.config, tt.want))
	}
	b.run(steps...)
	if left, err := os.ReadDir(b.dir); err != nil || len(left) != 0 {
		t.Errorf("refusals left %v (%v)", left, err)
	}
	if n := b.vc.Calls()["ExportVm"]; n != 0 {
		t.Errorf("refusals opened %d leases", n)
	}
}

func domainFile(t *testing.T, name string) string {
	t.Helper()
	path := t.TempDir() + "/domain.xml"
	xml := fmt.Sprintf(`<domain type='qemu'><name>%s</name><memory unit='MiB'>64</memory><os><type arch='x86_64'>hvm</type></os></domain>`, name)
	if err := os.WriteFile(path, []byte(xml), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
