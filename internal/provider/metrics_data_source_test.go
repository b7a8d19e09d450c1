package provider

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
)

const metricsStockVM = "/DC0/vm/DC0_C0_RP0_VM0"

// metricsBench is a simulated vCenter for the measuring data sources.
type metricsBench struct{ *sim }

func newMetricsBench(t *testing.T, opts demo.Options) *metricsBench {
	t.Helper()
	return &metricsBench{newSim(t, opts)}
}

// config is a provider block and what follows it.
func (b *metricsBench) config(block string) string { return b.provider() + block }

func dataMetrics(entity, more string) string {
	return fmt.Sprintf("data \"hypersdk_metrics\" \"m\" {\n  entity = %q\n%s\n}\n", entity, more)
}

func wantMetrics(p tfjsonpath.Path, value knownvalue.Check) statecheck.StateCheck {
	return statecheck.ExpectKnownValue("data.hypersdk_metrics.m", p, value)
}

func TestMetricsDataSource_Realtime(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	samples := tfjsonpath.New("samples")
	b.run(resource.TestStep{
		Config: b.config(dataMetrics(metricsStockVM, "max_samples = 3") + `
output "busy" { value = data.hypersdk_metrics.m.series["cpu_percent"].average < 101 }
`),
		ConfigStateChecks: []statecheck.StateCheck{
			wantMetrics(samples, knownvalue.ListSizeExact(3)),
			wantMetrics(samples.AtSliceIndex(2).AtMapKey("values"), knownvalue.MapSizeExact(8)),
			wantMetrics(tfjsonpath.New("interval_seconds"), knownvalue.Int64Exact(20)),
			wantMetrics(tfjsonpath.New("series").AtMapKey("cpu_percent").AtMapKey("count"), knownvalue.Int64Exact(3)),
			wantMetrics(tfjsonpath.New("units").AtMapKey("net_rx_mbps"), word("MB/s")),
			wantMetrics(tfjsonpath.New("missing"), knownvalue.MapSizeExact(0)),
			wantMetrics(tfjsonpath.New("id"), knownvalue.StringRegexp(regexp.MustCompile(`^vm-[0-9]+$`))),
			statecheck.ExpectKnownOutputValue("busy", knownvalue.Bool(true)),
		},
	})
}

func TestMetricsDataSource_HistoryOfHostAndCluster(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	samples := tfjsonpath.New("samples")
	b.run(
		resource.TestStep{
			Config: b.config(dataMetrics("DC0_C0_H0", "type = \"host\"\n counters = [\"cpu.usage.average\"]\n start = \"24h ago\"\n interval = \"1h\"")),
			ConfigStateChecks: []statecheck.StateCheck{
				wantMetrics(samples, knownvalue.ListSizeExact(24)),
				wantMetrics(samples.AtSliceIndex(0).AtMapKey("values"), knownvalue.MapSizeExact(1)),
				wantMetrics(tfjsonpath.New("units").AtMapKey("cpu.usage.average"), word("percent")),
			},
		},
		resource.TestStep{
			Config: b.config(dataMetrics("DC0_C0", "type = \"cluster\"\n counters = [\"net_rx_mbps\", \"disk_read_mbps\"]\n interval = \"2h\"\n max_samples = 5")),
			ConfigStateChecks: []statecheck.StateCheck{
				wantMetrics(samples, knownvalue.ListSizeExact(0)),
				wantMetrics(tfjsonpath.New("missing").AtMapKey("net_rx_mbps"), knownvalue.StringRegexp(regexp.MustCompile("statistics level 2"))),
			},
		},
	)
}

func TestMetricsDataSource_Refusals(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1})
	before := b.vc.Calls()["Login"]
	shape := map[string]string{
		`interval = "fortnightly"`:              `interval "fortnightly" cannot be read`,
		`interval = "5s"`:                       `shorter than the 20 seconds`,
		`start = "last week"`:                   `time "last week" cannot be read`,
		`type = "datastore"`:                    `"datastore" cannot be used for type`,
		"type = \"cluster\"\n instance = \"*\"": `a cluster has no instance`,
		`max_samples = 0`:                       `must be between 1 and 10000`,
	}
	var steps []resource.TestStep
	for more, want := range shape {
		steps = append(steps, fails(b.config(dataMetrics("any", more)), want))
	}
	b.run(steps...)
	if after := b.vc.Calls()["Login"]; after != before {
		t.Errorf("%d logins for what cannot be right", after-before)
	}
	b.run(
		fails(b.config(dataMetrics("DC0_C0_RP0_VM9", "")), `did you mean DC0_C0_RP0_VM0`),
		fails(b.config(dataMetrics(metricsStockVM, `counters = ["cpu.usge.average"]`)), `did you mean cpu.usage.average`),
		fails(b.config(dataMetrics(metricsStockVM, `interval = "45s"`)), `the interval 45s is no multiple`),
		fails(b.config(dataMetrics(metricsStockVM, `interval = "7m"
 start = "24h ago"`)), `samples for an interval of 7m are kept for 1h`),
		fails(b.config(dataMetrics(metricsStockVM, `interval = "realtime"
 start = "24h ago"`)), `are kept for 1h`),
		fails(b.config(dataMetrics("/DC0/host/DC0_C0", "")), `it is a ClusterComputeResource, not a VM`),
	)
}

func TestMetricsDataSource_Example(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 1, Guests: []demo.Guest{smallGuest(t)}})
	b.run(resource.TestStep{Config: b.config(example(t, "hypersdk_metrics"))})
}

// example is a data source's example, with the demo's names in place of the documentation's.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/data-sources/" + name + "/data-source.tf")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer("/DC1/host/Cluster1", "/DC0/host/DC0_C0", "/DC1", "/DC0").Replace(string(text))
}

func TestMetricsDataSource_CountedCalls(t *testing.T) {
	b := newMetricsBench(t, demo.Options{VMs: 2})
	many := ""
	for i := range 10 {
		many += fmt.Sprintf("data \"hypersdk_metrics\" \"m%d\" {\n entity = %q\n}\n", i, metricsStockVM)
	}
	queries := b.vc.Calls()
	b.run(resource.TestStep{Config: b.config(many)})
	after := b.vc.Calls()
	runs := after["Login"] - queries["Login"]
	// One resolve, one look at the counters, one at the clock in each run of the provider; one query for each read.
	for method, most := range map[string]int{"FindByInventoryPath": runs, "RetrievePropertiesEx": runs, "CurrentTime": runs, "QueryPerf": 10 * runs} {
		if got := after[method] - queries[method]; got > most {
			t.Errorf("%s: %d calls in %d runs, want at most %d", method, got, runs, most)
		}
	}
}
