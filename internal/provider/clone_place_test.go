package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

func TestClone_AnotherSpellingIsNoChange(t *testing.T) {
	b := newCloneBench(t)
	folder, pool := b.vm(goldenPath).FolderRef, b.vm(goldenPath).ResourcePoolRef
	nothing := resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	b.run(
		resource.TestStep{Config: b.config(`folder = "/DC0/vm"`, `resource_pool = "/DC0/host/DC0_C0"`, `datastore = "LocalDS_0"`)},
		resource.TestStep{Config: b.config(`folder = "`+folder+`"`, `resource_pool = "`+pool+`"`, `datastore = "/DC0/datastore/LocalDS_0"`), ConfigPlanChecks: nothing},
		resource.TestStep{Config: b.config(`folder = "/DC0/vm/"`, `resource_pool = "/DC0/host/DC0_C0/Resources"`), ConfigPlanChecks: nothing},
	)
}

// What other resources have still to make is not known in the plan, and takes nothing away from it.
func TestClone_UnknownArgumentsArePlanned(t *testing.T) {
	b := newCloneBench(t)
	config := b.provider() + fmt.Sprintf(`
resource "terraform_data" "place" { input = "/DC0/host/DC0_C0" }
resource "hypersdk_clone" "vm" {
  name          = "web-01"
  source        = %q
  power         = "off"
  resource_pool = terraform_data.place.output
  disks         = { "scsi0:1" = { size = length(terraform_data.place.output) > 3 ? 1 : 2 } }
  extra_config  = { "guestinfo.place" = terraform_data.place.output }
}
`, goldenPath)
	b.run(resource.TestStep{
		Config: config, ConfigPlanChecks: plans(plancheck.ResourceActionCreate),
		ConfigStateChecks: []statecheck.StateCheck{cloneHas("resource_pool", word("/DC0/host/DC0_C0")), cloneHas("disks", knownvalue.MapSizeExact(1))},
	})
}

func TestClone_UnmanagedPowerIsNotTouched(t *testing.T) {
	b := newCloneBench(t)
	config := b.config(`power = "unmanaged"`)
	b.run(
		resource.TestStep{Config: config, Check: func(*terraform.State) error { return b.wantPower("poweredOff") }},
		resource.TestStep{
			PreConfig: func() {
				if err := b.c.PowerOnVM(t.Context(), b.vm(clonePath)); err != nil {
					t.Fatal(err)
				}
			},
			Config: config, ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			Check: func(*terraform.State) error { return b.wantPower("poweredOn") },
		},
	)
}

func TestClone_DatastoreClusterChoosesTheDatastore(t *testing.T) {
	b := cloneBenchOf(t, demo.Options{Guests: []demo.Guest{golden(t)}, Datastores: 2, DatastoreCluster: true})
	in := b.config(`datastore_cluster = "/DC0/datastore/DC0_POD0"`)
	b.run(
		resource.TestStep{
			Config: in, ConfigStateChecks: []statecheck.StateCheck{cloneHas("datastore", knownvalue.NotNull())},
			Check: func(*terraform.State) error {
				if vm := b.vm(clonePath); vm.DatastoreCluster != "/DC0/datastore/DC0_POD0" {
					return fmt.Errorf("the VM is on %s, in the cluster %q", vm.Datastore, vm.DatastoreCluster)
				}
				return nil
			},
		},
		resource.TestStep{Config: b.config(`datastore_cluster = "DC0_POD0"`), ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}},
	)
}
