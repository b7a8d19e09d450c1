package provider

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// What stands in guestinfo is as managed as the rest, though the state holds no word of the user data.
func TestClone_CloudInitDriftIsPlannedBack(t *testing.T) {
	b := newCloneBench(t)
	const secret = "#cloud-config\npassword: hunter2"
	config := b.config(`cloud_init = { metadata = "instance-id: a", userdata_wo = "` + `#cloud-config\npassword: hunter2` + `", version = 1 }`)
	holds := func(s *terraform.State) error {
		vm := b.vm(clonePath)
		metadata, _ := vm.HeldMetadata()
		userdata, _ := vm.HeldUserData()
		if metadata != "instance-id: a" || string(userdata) != secret {
			return fmt.Errorf("the VM holds metadata %q and user data %q", metadata, string(userdata))
		}
		for name, value := range s.RootModule().Resources[cloneAddress].Primary.Attributes {
			if value == secret || value == vm.ExtraConfig["guestinfo.userdata"] {
				return fmt.Errorf("the user data is in the state, as %s", name)
			}
		}
		return nil
	}
	drifts := func(key, value string, checks ...plancheck.PlanCheck) resource.TestStep {
		return resource.TestStep{
			PreConfig: b.sets(vsphere.VMSettings{ExtraConfig: map[string]string{key: value}}), Config: config,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: append(checks, plancheck.ExpectResourceAction(cloneAddress, plancheck.ResourceActionUpdate))},
			Check:            holds,
		}
	}
	digest := plancheck.ExpectUnknownValue(cloneAddress, tfjsonpath.New("userdata_digest"))
	redacted := drifts("guestinfo.userdata", "---")
	redacted.ConfigPlanChecks = resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}}
	redacted.Check = nil
	first := resource.TestStep{Config: config, Check: holds}
	first.ConfigStateChecks = append(first.ConfigStateChecks, cloneHas("userdata_digest", knownvalue.NotNull()))
	b.run(
		first,
		drifts("guestinfo.metadata", "bm90aGluZw=="), // not what its encoding says: shown as it stands
		drifts("guestinfo.metadata.encoding", "base64"),
		drifts("guestinfo.userdata", "", digest), // taken away
		drifts("guestinfo.userdata", "bm90aGluZw==", digest),
		redacted,
		resource.TestStep{ // and handed over on request, whatever the guest has made of it
			Config:           swap(config, "version = 1", "version = 2"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{digest}},
			Check:            holds,
		},
		resource.TestStep{ // user data that this run does not have, as of an ephemeral variable, is left as it is
			Config:           b.config(`cloud_init = { metadata = "instance-id: a", version = 2 }`),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			Check:            holds,
		},
	)
}
