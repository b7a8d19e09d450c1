package provider

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

func dataEvents(more string) string {
	return fmt.Sprintf("data \"hypersdk_events\" \"e\" {\n%s\n}\n", more)
}

func wantEvents(p tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue("data.hypersdk_events.e", p, value)
}

func TestEventsDataSource_OfAVM(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	events := tfjsonpath.New("events")
	first := func(name string) tfjsonpath.Path { return events.AtSliceIndex(0).AtMapKey(name) }
	b.run(
		resource.TestStep{
			Config: b.config(dataEvents(fmt.Sprintf("entity = %q\n types = [\"VmPoweredOnEvent\"]\n since = \"24h\"", metricsStockVM))),
			ConfigStateChecks: []statecheck.StateCheck{
				wantEvents(events, knownvalue.ListSizeExact(1)),
				wantEvents(first("event_type"), word("VmPoweredOnEvent")), wantEvents(first("severity"), word("info")),
				wantEvents(first("category"), word("vm")), wantEvents(first("vm"), word("DC0_C0_RP0_VM0")),
				wantEvents(first("entity_type"), word("VirtualMachine")), wantEvents(first("datacenter"), word("DC0")),
				wantEvents(first("message"), knownvalue.StringRegexp(regexp.MustCompile("is powered on$"))),
				wantEvents(tfjsonpath.New("truncated"), knownvalue.Bool(false)),
			},
		},
		resource.TestStep{
			Config: b.config(dataEvents("entity = \"/DC0\"\n types = [\"VmEvent\"]\n limit = 2")),
			ConfigStateChecks: []statecheck.StateCheck{
				wantEvents(events, knownvalue.ListSizeExact(2)),
				wantEvents(tfjsonpath.New("truncated"), knownvalue.Bool(true)),
			},
		},
		resource.TestStep{
			Config: b.config(dataEvents("severity = [\"error\"]\n user = \"nobody\"\n since = \"1h ago\"")),
			ConfigStateChecks: []statecheck.StateCheck{
				wantEvents(events, knownvalue.ListSizeExact(0)),
			},
		},
	)
	if made, ended := b.vc.Calls()["CreateCollectorForEvents"], b.vc.Calls()["DestroyCollector"]; made != ended {
		t.Errorf("%d collectors made, %d destroyed", made, ended)
	}
}

func TestEventsDataSource_Refusals(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	before := b.vc.Calls()["Login"]
	b.run(
		fails(b.config(dataEvents(`since = "yesterday"`)), `time "yesterday" cannot be read`),
		fails(b.config(dataEvents(`severity = ["warn"]`)), `"warn" cannot be used`),
		fails(b.config(dataEvents(`recursion = "deep"`)), `"deep" cannot be used for recursion`),
		fails(b.config(dataEvents(`limit = 0`)), `must be between 1 and 100000`),
	)
	if after := b.vc.Calls()["Login"]; after != before {
		t.Errorf("%d logins for what cannot be right", after-before)
	}
	b.run(
		fails(b.config(dataEvents(`types = ["VmPoweredOnEvnt"]`)), `did you mean VmPoweredOnEvent`),
		fails(b.config(dataEvents(`entity = "/DC0/vm/none"`)), `/DC0/vm exists and has no "none" in it`),
		fails(b.config(dataEvents("since = \"1h\"\n until = \"2h\"")), `is not before until`),
	)
}

func TestEventsDataSource_UnknownIsReadAtApply(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	b.run(resource.TestStep{
		Config: b.config(`
resource "terraform_data" "later" { input = "24h" }
data "hypersdk_events" "e" {
  since = terraform_data.later.output
  types = ["VmPoweredOnEvent"]
}
data "hypersdk_metrics" "m" {
  entity   = terraform_data.later.output == "24h" ? "` + metricsStockVM + `" : "never"
  interval = "realtime"
}
`),
		ConfigStateChecks: []statecheck.StateCheck{
			wantEvents(tfjsonpath.New("events"), knownvalue.ListSizeExact(1)),
			wantMetrics(tfjsonpath.New("samples"), knownvalue.ListSizeExact(15)),
		},
	})
}

func TestEventsDataSource_Example(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	b.run(resource.TestStep{Config: b.config(example(t, "hypersdk_events"))})
}
