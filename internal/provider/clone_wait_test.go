package provider

import (
	"fmt"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

func TestClone_CustomizesAndWaits(t *testing.T) {
	b := newCloneBench(t)
	b.run(resource.TestStep{
		Config: b.config(
			`power = "on"`, `wait_for = { ip = true, customization = true }`,
			`customize = {
    linux      = { hostname = "web-01", domain = "example.com", time_zone = "Europe/Berlin", script_wo = "#!/bin/sh", script_wo_version = 1 }
    interfaces = { "0" = { ipv4 = "192.0.2.77/24" } }
    gateway    = "192.0.2.1"
    dns        = ["192.0.2.2"]
  }`,
		),
		ConfigStateChecks: []statecheck.StateCheck{
			cloneHas("ready", knownvalue.Bool(true)), cloneHas("ip_address", word("192.0.2.77")), cloneHas("status", word("succeeded")),
		},
		Check: func(s *terraform.State) error {
			for name, value := range s.RootModule().Resources[cloneAddress].Primary.Attributes {
				if value == "#!/bin/sh" {
					return fmt.Errorf("the script is in the state, as %s", name)
				}
			}
			if vm := b.vm(clonePath); vm.Customization != "succeeded" {
				return fmt.Errorf("customization is %s", vm.Customization)
			}
			return nil
		},
	})
	if n := b.vc.Calls()["ReconfigVM_Task"] + b.vc.Calls()["PowerOnVM_Task"] + b.vc.Calls()["CustomizeVM_Task"]; n != 0 {
		t.Errorf("%d more tasks than the clone, want none", n)
	}
}

func TestClone_IgnoredAddressesDoNotCount(t *testing.T) {
	b := newCloneBench(t)
	config := func(ignore string) string {
		return b.config(`power = "on"`, `wait_for = { ip = true, ignore_cidrs = [`+ignore+`] }`, `timeouts = { create = "3s", update = "30s" }`)
	}
	b.run(
		resource.TestStep{
			Config: config(`"0.0.0.0/0", "::/0"`), ExpectNonEmptyPlan: true, // not ready: the next apply waits again
			ConfigStateChecks: []statecheck.StateCheck{
				cloneHas("ready", knownvalue.Bool(false)), cloneHas("status", word("succeeded")), cloneHas("ip_addresses", knownvalue.ListSizeExact(0)),
			},
		},
		updates(config(`"203.0.113.0/24"`), cloneHas("ready", knownvalue.Bool(true)), cloneHas("ip_address", knownvalue.NotNull())),
	)
}

func TestClone_TimedOutWaitIsNotTaintedAndGoesOn(t *testing.T) {
	b := newCloneBench(t)
	b.vc.SetFaults(demo.Faults{BootTime: time.Hour})
	config := func(update string) string {
		return b.config(`power = "on"`, `wait_for = { ip = true }`, `timeouts = { create = "2s", update = "`+update+`" }`)
	}
	b.run(
		resource.TestStep{
			Config: config("2s"), ExpectNonEmptyPlan: true,
			ConfigStateChecks: []statecheck.StateCheck{cloneHas("ready", knownvalue.Bool(false))},
		},
		resource.TestStep{ // the guest comes up: a restart lets it
			PreConfig: func() {
				b.vc.SetFaults(demo.Faults{})
				b.reboot()
			},
			Config: config("1m"), ConfigPlanChecks: plans(plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{cloneHas("ready", knownvalue.Bool(true)), cloneHas("ip_address", knownvalue.NotNull())},
		},
	)
	if n := b.vc.Calls()["CloneVM_Task"]; n != 1 {
		t.Errorf("%d clones, want 1", n)
	}
}

func TestClone_FailedCustomizationIsSaidAndKept(t *testing.T) {
	b := newCloneBench(t)
	b.vc.SetFaults(demo.Faults{FailCustomization: "the guest has no perl"})
	b.run(resource.TestStep{
		Config:             b.config(`power = "on"`, `customize = { linux = {} }`, `wait_for = { customization = true }`),
		ExpectNonEmptyPlan: true,
		ConfigStateChecks:  []statecheck.StateCheck{cloneHas("ready", knownvalue.Bool(false)), cloneHas("moid", knownvalue.NotNull())},
	})
}
