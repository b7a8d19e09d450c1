package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
)

// example is a resource's example, with the names of the test's inventory.
func (b *templateBench) example(name string, change ...string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "resources", name, "resource.tf"))
	b.must(err)
	return b.config(string(text), append(change, "/DC1/", "/DC0/")...)
}

func TestTemplate_Example(t *testing.T) {
	b := newTemplateBench(t)
	b.run(resource.TestStep{
		Config: b.example("hypersdk_template", "/DC1/vm/build/appliance", "/DC0/vm/templates/old"),
		ConfigStateChecks: []statecheck.StateCheck{
			stateOf(goldenTemplate, "snapshot_id", knownvalue.NotNull()), stateOf("hypersdk_template.appliance", "on_destroy", word("revert")),
		},
	})
	b.get("/DC0/vm/templates/old")
}

func TestSnapshot_Example(t *testing.T) {
	b := newTemplateBench(t)
	b.run(resource.TestStep{
		Config:            b.example("hypersdk_snapshot", "/DC1/vm/web-01", runningPath),
		ConfigStateChecks: []statecheck.StateCheck{stateOf("hypersdk_snapshot.running", "path", word("before-upgrade/running"))},
	})
}
