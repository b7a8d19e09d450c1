package provider

import (
	"errors"
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestClone_MakesTheVMAndThenHasNothingToDo(t *testing.T) {
	b := newCloneBench(t)
	b.run(resource.TestStep{
		Config: b.config(
			`power = "on"`, `cpus = 4`, `memory = 2048`, `folder = "/DC0/vm"`, `resource_pool = "/DC0/host/DC0_C0"`, `datastore = "LocalDS_0"`,
			`annotation = "made by a test"`, `extra_config = { "guestinfo.role" = "web" }`,
			`disks = { "scsi0:1" = { size = 2, provisioning = "thin" } }`, `networks = { "0" = { network = "DC0_DVPG0" } }`,
		),
		ConfigPlanChecks: plans(plancheck.ResourceActionCreate),
		ConfigStateChecks: []statecheck.StateCheck{
			cloneHas("status", word("succeeded")), cloneHas("ready", knownvalue.Bool(true)), cloneHas("path", word(clonePath)),
			cloneHas("power", word("on")), cloneHas("cpus", knownvalue.Int64Exact(4)), cloneHas("moid", knownvalue.NotNull()),
			cloneHas("source_id", word(b.vm(goldenPath).InstanceUUID)), cloneHas("resource_pool", word("/DC0/host/DC0_C0")),
		},
		Check: func(s *terraform.State) error {
			vm := b.vm(clonePath)
			if got := s.RootModule().Resources[cloneAddress].Primary.ID; got != vm.InstanceUUID {
				return fmt.Errorf("id = %s, want %s", got, vm.InstanceUUID)
			}
			disk := diskAt(vm, "scsi0:1")
			switch {
			case vm.CPUs != 4 || vm.MemoryMB != 2048 || vm.PowerState != "poweredOn":
				return fmt.Errorf("VM has %d CPUs, %d MB, is %s", vm.CPUs, vm.MemoryMB, vm.PowerState)
			case disk == nil || disk.CapacityBytes != 2*gib:
				return fmt.Errorf("disk at scsi0:1: %+v, want 2 GB", disk)
			case vm.NICs[0].Network != "DC0_DVPG0" || vm.Annotation != "made by a test" || vm.ExtraConfig["guestinfo.role"] != "web":
				return fmt.Errorf("network %q, annotation %q, extra config %q", vm.NICs[0].Network, vm.Annotation, vm.ExtraConfig["guestinfo.role"])
			}
			return nil
		},
	})
	if _, err := b.c.GetVM(t.Context(), clonePath); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("destroy left the VM: %v", err)
	}
	if n := b.vc.Calls()["CloneVM_Task"]; n != 1 {
		t.Errorf("%d clones, want 1", n)
	}
}

func TestClone_LeftOutIsInheritedAndUnmanaged(t *testing.T) {
	b := newCloneBench(t)
	b.run(
		resource.TestStep{
			Config: b.config(),
			ConfigStateChecks: []statecheck.StateCheck{
				cloneHas("cpus", knownvalue.Int64Exact(2)), cloneHas("memory", knownvalue.Int64Exact(1024)), cloneHas("folder", word("/DC0/vm")),
				cloneHas("disks", knownvalue.Null()), cloneHas("tags", knownvalue.Null()),
			},
		},
		resource.TestStep{ // whatever happens to what is not named, the plan stays empty
			PreConfig: func() {
				note := "somebody else's"
				b.change(clonePath, vsphere.UpdateVMSpec{VMSettings: vsphere.VMSettings{
					CPUs: 3, MemoryMB: 512, Annotation: &note, ExtraConfig: map[string]string{"guestinfo.x": "y"},
					Disks: map[string]vsphere.DiskSettings{"scsi0:3": {SizeGB: 1}},
				}})
			},
			Config:            b.config(),
			ConfigPlanChecks:  resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			ConfigStateChecks: []statecheck.StateCheck{cloneHas("cpus", knownvalue.Int64Exact(3)), cloneHas("annotation", word("somebody else's"))},
		},
	)
}

func TestClone_UpdatesInPlace(t *testing.T) {
	b := newCloneBench(t, guestAt(t, "/DC0/vm/moved/other"))
	var id string
	same := func(s *terraform.State) error {
		if got := s.RootModule().Resources[cloneAddress].Primary.ID; id != "" && got != id {
			return fmt.Errorf("another VM: %s, was %s", got, id)
		}
		id = s.RootModule().Resources[cloneAddress].Primary.ID
		return nil
	}
	steps := []resource.TestStep{{Config: b.config(), Check: same}}
	for _, lines := range [][]string{
		{`cpus = 4`, `cores_per_socket = 2`},
		{`cpus = 2`, `memory = 4096`},
		{`cpu_allocation = { reservation = 100, limit = 2000, shares = "high" }`},
		{`cpu_allocation = { reservation = 0, limit = -1, shares = "custom", share_count = 1234 }`, `memory_allocation = { shares = "low" }`},
		{`disks = { "scsi0:1" = { size = 1 } }`},
		{`disks = { "scsi0:1" = { size = 3, mode = "independent_persistent" } }`},
		{`disks = {}`},
		{`networks = { "0" = { network = "/DC0/network/DC0_DVPG0" }, "1" = { network = "VM Network", type = "e1000e", mac = "00:50:56:00:00:42" } }`},
		{`networks = { "0" = { network = "VM Network", type = "e1000" } }`},
		{`cdrom = { iso = "[LocalDS_0] iso/debian.iso" }`},
		{`cdrom = { client = true }`},
		{`extra_config = { "guestinfo.a" = "1", "guestinfo.b" = "2" }`},
		{`extra_config = { "guestinfo.b" = "3" }`},
		{`annotation = "one"`},
		{`annotation = ""`},
		{`folder = "/DC0/vm/moved"`},
		{`folder = "/DC0/vm"`, `resource_pool = "/DC0/host/DC0_C0/Resources"`},
		{`host = "/DC0/host/DC0_C0/DC0_C0_H1"`},
		{`power = "on"`},
		{`power = "off"`, `allow_restart = true`},
		{`cloud_init = { metadata = "instance-id: a", userdata_wo = "#cloud-config", version = 1 }`},
		{`cloud_init = { metadata = "instance-id: a", userdata_wo = "#cloud-config\n{}", version = 2 }`},
		{`on_destroy = "power_off"`, `timeouts = { create = "5m" }`},
		{`on_destroy = "delete"`},
	} {
		steps = append(steps, resource.TestStep{Config: b.config(lines...), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate), Check: same})
	}
	b.run(steps...)
	if n := b.vc.Calls()["CloneVM_Task"]; n != 1 {
		t.Errorf("%d clones, want 1: every change is made in place", n)
	}
}

func TestClone_RenamesInPlace(t *testing.T) {
	b := newCloneBench(t)
	renamed := b.provider() + fmt.Sprintf("resource \"hypersdk_clone\" \"vm\" {\n name = \"web-02\"\n source = %q\n power = \"off\"\n}\n", goldenPath)
	b.run(
		resource.TestStep{Config: b.config()},
		updates(renamed, cloneHas("path", word("/DC0/vm/web-02"))),
	)
}

// sets is a change of settings behind Terraform's back.
func (b *cloneBench) sets(s vsphere.VMSettings) func() {
	return func() { b.change(clonePath, vsphere.UpdateVMSpec{VMSettings: s}) }
}

func TestClone_DeletedOutOfBandIsMadeAnew(t *testing.T) {
	b := newCloneBench(t)
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{PreConfig: func() { b.delete(clonePath) }, Config: b.config(), ConfigPlanChecks: plans(plancheck.ResourceActionCreate)},
	)
}

func TestClone_TaintReplaces(t *testing.T) {
	b := newCloneBench(t)
	b.run(
		resource.TestStep{Config: b.config()},
		resource.TestStep{Taint: []string{cloneAddress}, Config: b.config(), ConfigPlanChecks: plans(plancheck.ResourceActionDestroyBeforeCreate)},
	)
}
