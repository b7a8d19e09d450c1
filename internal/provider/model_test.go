package provider

import (
	"reflect"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// cloneState is a state of the clone's schema with what the framework's own Set makes of a model.
func cloneState(t *testing.T, edit func(*cloneModel)) tfsdk.State {
	t.Helper()
	var schema resource.SchemaResponse
	newCloneResource().Schema(t.Context(), resource.SchemaRequest{}, &schema)
	object := schema.Schema.Type().TerraformType(t.Context())
	attributes := map[string]tftypes.Value{}
	for name, typ := range object.(tftypes.Object).AttributeTypes {
		attributes[name] = tftypes.NewValue(typ, nil)
	}
	state := tfsdk.State{Schema: schema.Schema, Raw: tftypes.NewValue(object, attributes)}
	var m cloneModel
	if diags := state.Get(t.Context(), &m); diags.HasError() {
		t.Fatal(diags)
	}
	edit(&m)
	if diags := state.Set(t.Context(), &m); diags.HasError() {
		t.Fatal(diags)
	}
	return state
}

func TestModel_IsReadAndWrittenAsTheFrameworkDoes(t *testing.T) {
	state := cloneState(t, func(m *cloneModel) {
		m.Name, m.CPUs, m.Linked, m.Path = types.StringValue("web"), types.Int64Value(2), types.BoolUnknown(), types.StringUnknown()
		m.ExtraConfig = types.MapValueMust(types.StringType, map[string]attr.Value{"a": types.StringValue("b")})
		m.IPAddresses = types.ListValueMust(types.StringType, []attr.Value{types.StringValue("192.0.2.1")})
	})
	var want, got cloneModel
	if diags := state.Get(t.Context(), &want); diags.HasError() {
		t.Fatal(diags)
	}
	if diags := readModel(t.Context(), state.Schema, state.Raw, &got); diags.HasError() {
		t.Fatal(diags)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	var raw tftypes.Value
	if diags := writeModel(t.Context(), state.Schema, &got, &raw); diags.HasError() || !raw.Equal(state.Raw) {
		t.Errorf("got %s (%v)\nwant %s", raw, diags, state.Raw)
	}
}

func TestModel_MistakesAreSaid(t *testing.T) {
	state := cloneState(t, func(*cloneModel) {})
	var fewer struct {
		Name types.String `tfsdk:"name"`
	}
	if got := readModel(t.Context(), state.Schema, state.Raw, &fewer); !got.HasError() || !strings.Contains(got[0].Detail(), "1 fields") {
		t.Errorf("got %v, want the numbers of attributes and fields", got)
	}
	var raw tftypes.Value
	if got := writeModel(t.Context(), state.Schema, &fewer, &raw); !got.HasError() {
		t.Error("a model with too few fields became a state")
	}
	null := tftypes.NewValue(state.Raw.Type(), nil)
	if got := readModel(t.Context(), state.Schema, null, new(cloneModel)); !got.HasError() {
		t.Error("null was read")
	}
}
