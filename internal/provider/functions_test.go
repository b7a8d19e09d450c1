package provider

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/function"
	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
)

// functionsRun drives real terraform through the steps; functions need no vCenter.
func functionsRun(t *testing.T, steps ...resource.TestStep) {
	t.Helper()
	need.Tools(t, "terraform")
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: map[string]func() (tfprotov6.ProviderServer, error){
			"hypersdk": providerserver.NewProtocol6WithError(New("test")),
		},
		Steps: steps,
	})
}

// output is a configuration with one output, x.
func output(expression string) string { return "output \"x\" {\n value = " + expression + "\n}\n" }

func TestFunctions_Examples(t *testing.T) {
	for name, want := range map[string]map[string]knownvalue.Check{
		"parse_path": {"app": knownvalue.StringExact("app/1 in /DC1/vm/web"), "datacenter": knownvalue.StringExact("/DC1")},
		"moref":      {"id": knownvalue.StringExact("vm-42"), "type": knownvalue.StringExact("ClusterComputeResource")},
		"size":       {"bytes": knownvalue.Int64Exact(42949672960), "memory_mb": knownvalue.Int64Exact(8192)},
	} {
		t.Run(name, func(t *testing.T) {
			config, err := os.ReadFile(filepath.Join("../../examples/functions", name, "function.tf"))
			if err != nil {
				t.Fatal(err)
			}
			var checks []statecheck.StateCheck
			for output, value := range want {
				checks = append(checks, statecheck.ExpectKnownOutputValue(output, value))
			}
			functionsRun(t, resource.TestStep{Config: string(config), ConfigStateChecks: checks})
		})
	}
}

func TestFunctions_NullWhatAPathDoesNotTell(t *testing.T) {
	functionsRun(t, resource.TestStep{
		Config: output(`provider::hypersdk::parse_path("/DC1")`),
		ConfigStateChecks: []statecheck.StateCheck{statecheck.ExpectKnownOutputValue("x", knownvalue.ObjectExact(map[string]knownvalue.Check{
			"datacenter": knownvalue.Null(), "kind": knownvalue.Null(), "folder": knownvalue.Null(), "parent": knownvalue.Null(),
			"name": knownvalue.StringExact("DC1"), "parts": knownvalue.ListExact([]knownvalue.Check{knownvalue.StringExact("DC1")}),
		}))},
	})
}

func TestFunctions_RefuseOnTheArgument(t *testing.T) {
	functionsRun(t,
		fails(output(`provider::hypersdk::parse_path("DC1/vm/x")`), `Invalid value for "path" parameter: "DC1/vm/x" is not an inventory path`),
		fails(output(`provider::hypersdk::moref("web-01")`), `Invalid value for "reference" parameter: "web-01" is not a managed object reference`),
		fails(output(`provider::hypersdk::size("40G")`), `Invalid value for "size" parameter: "G" is not a unit of size`),
		fails(output(`provider::hypersdk::size("40GB", "GiB")`), `Invalid value for "size" parameter: "40GB" is 37.253 GiB, not a whole number`),
		fails(output(`provider::hypersdk::size("40GB", "blocks")`), `Invalid value for "unit" parameter: "blocks" is not a unit of size`),
		fails(output(`provider::hypersdk::size("40GB", "B", "B")`), `One unit at most can be asked for`),
	)
}

func TestFunctions_AreDescribed(t *testing.T) {
	for _, create := range New("test").Functions(t.Context()) {
		f := create()
		var meta function.MetadataResponse
		f.Metadata(t.Context(), function.MetadataRequest{}, &meta)
		var def function.DefinitionResponse
		f.Definition(t.Context(), function.DefinitionRequest{}, &def)
		var valid function.DefinitionValidateResponse
		def.Definition.ValidateImplementation(t.Context(), function.DefinitionValidateRequest{FuncName: meta.Name}, &valid)
		if valid.Diagnostics.HasError() {
			t.Errorf("%s: %v", meta.Name, valid.Diagnostics)
		}
		if def.Definition.Summary == "" || def.Definition.MarkdownDescription == "" {
			t.Errorf("%s is not described", meta.Name)
		}
	}
}
