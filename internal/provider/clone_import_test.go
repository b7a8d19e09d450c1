package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
	tftest "github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestClone_ImportByPathMorefUUIDAndName(t *testing.T) {
	b := newCloneBench(t)
	steps := []tftest.TestStep{{Config: b.config()}}
	for _, ref := range []func(*vsphere.VM) string{
		func(vm *vsphere.VM) string { return vm.Path }, func(vm *vsphere.VM) string { return vm.Ref },
		func(vm *vsphere.VM) string { return vm.InstanceUUID }, func(vm *vsphere.VM) string { return vm.Name },
	} {
		steps = append(steps, tftest.TestStep{
			ResourceName: cloneAddress, ImportState: true, ImportStateVerify: true,
			ImportStateIdFunc:       func(*terraform.State) (string, error) { return ref(b.vm(clonePath)), nil },
			ImportStateVerifyIgnore: []string{"source", "source_id"}, // only a creation knows
		})
	}
	b.run(steps...)
}

func TestClone_ImportedIsUnchangedAndNeverReplaced(t *testing.T) {
	b := newCloneBench(t)
	imports := fmt.Sprintf("import {\n to = %s\n id = %q\n}\n", cloneAddress, goldenPath)
	bare := b.provider() + "resource \"hypersdk_clone\" \"vm\" {\n name = \"golden\"\n on_destroy = \"delete\"\n}\n"
	full := b.provider() + `resource "hypersdk_clone" "vm" {
  name          = "golden"
  source        = "/DC0/vm/no-longer-there"
  linked        = true
  snapshot      = "base"
  folder        = "/DC0/vm"
  resource_pool = "/DC0/host/DC0_C0"
  cpus          = 2
  memory        = 1024
  power         = "off"
  recustomize   = "replace"
  customize     = { linux = { hostname = "golden" } }
}
`
	before := b.vm(goldenPath)
	b.run(
		tftest.TestStep{ // nothing but who it is: an import and no change
			Config:            bare + imports,
			ConfigPlanChecks:  plans(plancheck.ResourceActionNoop),
			ConfigStateChecks: []statecheck.StateCheck{cloneHas("source_id", knownvalue.Null()), cloneHas("power", word("off"))},
		},
		tftest.TestStep{ // all that only a creation reads is recorded and changes nothing
			Config: full, ConfigPlanChecks: plans(plancheck.ResourceActionUpdate),
			Check: func(*terraform.State) error {
				if after := b.vm(goldenPath); after.ChangeVersion != before.ChangeVersion {
					return fmt.Errorf("the VM was changed: version %s, was %s", after.ChangeVersion, before.ChangeVersion)
				}
				return nil
			},
		},
	)
}

func TestClone_ImportRefusals(t *testing.T) {
	b := newCloneBench(t)
	b.run(
		tftest.TestStep{Config: b.config()},
		tftest.TestStep{
			ResourceName: cloneAddress, ImportState: true, ImportStateId: "/DC0/vm/nobody", ExpectError: fails("", "Cannot import").ExpectError,
		},
	)
}

// move is one call of MoveState with a raw state, and what became of it.
func move(t *testing.T, provider, raw string) resource.MoveStateResponse {
	t.Helper()
	var schema resource.SchemaResponse
	r := &cloneResource{}
	r.Schema(t.Context(), resource.SchemaRequest{}, &schema)
	typ := schema.Schema.Type().TerraformType(t.Context())
	resp := resource.MoveStateResponse{TargetState: tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(typ, nil)}}
	r.MoveState(t.Context())[0].StateMover(t.Context(), resource.MoveStateRequest{
		SourceProviderAddress: provider, SourceTypeName: "vsphere_virtual_machine", SourceRawState: &tfprotov6.RawState{JSON: []byte(raw)},
	}, &resp)
	return resp
}

func TestClone_MoveState(t *testing.T) {
	tests := []struct {
		name, provider, raw string
		moid, fails         string
	}{
		{"the usual", "registry.terraform.io/hashicorp/vsphere", `{"id":"42","uuid":"42","moid":"vm-7","name":"web"}`, "vm-7", ""},
		{"its later home", "registry.opentofu.org/vmware/vsphere", `{"id":"42","moid":"vm-7","name":"web"}`, "vm-7", ""},
		{"too old a state", "registry.terraform.io/hashicorp/vsphere", `{"id":"42","name":"web"}`, "", "does not say which VM"},
		{"somebody else's", "registry.terraform.io/acme/vsphere2", `{"id":"42","moid":"vm-7"}`, "", ""},
		{"no state", "registry.terraform.io/hashicorp/vsphere", `[`, "", "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := move(t, tt.provider, tt.raw)
			var said string
			for _, d := range resp.Diagnostics {
				said += d.Summary()
			}
			if (tt.fails == "") != (said == "") || !strings.Contains(said, tt.fails) {
				t.Fatalf("says %q, want %q", said, tt.fails)
			}
			var m cloneModel
			if !resp.TargetState.Raw.IsNull() {
				resp.TargetState.Get(t.Context(), &m)
			}
			if got := m.MOID.ValueString(); got != tt.moid {
				t.Errorf("moid = %q, want %q", got, tt.moid)
			}
		})
	}
}
