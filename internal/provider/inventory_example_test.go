package provider

import (
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// inventoryExample is a data source's example, with the names of the simulated vCenter for its own.
func inventoryExample(t *testing.T, name string, change ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../examples/data-sources/hypersdk_" + name + "/data-source.tf")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(append(change, "/DC1/host/C1", "/DC0/host/DC0_C0", "/DC1", "/DC0", `"esx-*"`, `"DC0_C0_H*"`)...).Replace(string(text))
}

func TestExamples_Inventory(t *testing.T) {
	guest := demo.Guest{Path: "/DC0/vm/prod/web-01", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Zero)}}}
	b := newInventory(t, demo.Options{VMs: 1, Guests: []demo.Guest{guest}})
	b.run(
		b.shows(inventoryExample(t, "hosts"), map[string]knownvalue.Check{
			"free_memory_gb": knownvalue.MapSizeExact(3), "versions": wantTexts("8.0.2"),
		}),
		b.shows(inventoryExample(t, "clusters"), map[string]knownvalue.Check{"roomy": wantTexts("/DC0/host/DC0_C0")}),
		b.shows(inventoryExample(t, "datacenters"), map[string]knownvalue.Check{"vms": wantNumber(2), "folders": knownvalue.MapSizeExact(1)}),
		b.shows(inventoryExample(t, "vcenter"), map[string]knownvalue.Check{"vcenter": knownvalue.NotNull()}),
		b.shows(inventoryExample(t, "vms"), map[string]knownvalue.Check{
			"tonight":   knownvalue.MapExact(map[string]knownvalue.Check{"/DC0/vm/prod/web-01": word("0.0009765625 GB")}),
			"snapshots": knownvalue.MapSizeExact(0),
		}),
	)
}

func TestExamples_Preflight(t *testing.T) {
	off, on := smallGuest(t), webGuest(rig.Disk(t, 1<<20, rig.Text))
	off.Path, on.Path, on.PoweredOn = "/DC0/vm/prod/web-01", "/DC0/vm/prod/web-02", true
	off.Hostname, on.Hostname = "web-01", "web-02"
	b := newBench(t, off, on)
	local := []string{`pool     = "default"`, `pool = "` + b.name + `"`}
	b.run(
		resource.TestStep{
			Config: b.provider() + inventoryExample(t, "preflight", append(local, `source_after = "powered_off"`, "")...),
			ConfigStateChecks: wantOutputs(map[string]knownvalue.Check{
				"ready":      wantTexts("/DC0/vm/prod/web-01"),
				"in_the_way": knownvalue.MapExact(map[string]knownvalue.Check{"/DC0/vm/prod/web-02": knownvalue.ListSizeExact(1)}),
			}),
		},
		resource.TestStep{
			Config: b.provider() + inventoryExample(t, "preflight", local...),
			ConfigStateChecks: wantOutputs(map[string]knownvalue.Check{
				"ready": wantTexts("/DC0/vm/prod/web-01", "/DC0/vm/prod/web-02"), "in_the_way": knownvalue.MapSizeExact(0),
			}),
		},
		resource.TestStep{Config: b.provider()},
	)
}
