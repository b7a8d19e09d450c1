package provider

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// readData reads a data source with text arguments; all others are null.
func readData(t *testing.T, source datasource.DataSource, arguments map[string]string, resp *datasource.ReadResponse) {
	t.Helper()
	var sr datasource.SchemaResponse
	source.Schema(t.Context(), datasource.SchemaRequest{}, &sr)
	typ, ok := sr.Schema.Type().TerraformType(t.Context()).(tftypes.Object)
	if !ok {
		t.Fatal("the schema is no object")
	}
	values := map[string]tftypes.Value{}
	for name, typ := range typ.AttributeTypes {
		values[name] = tftypes.NewValue(typ, nil)
		if text, given := arguments[name]; given {
			values[name] = tftypes.NewValue(typ, text)
		}
	}
	resp.State = tfsdk.State{Schema: sr.Schema, Raw: tftypes.NewValue(typ, nil)}
	source.Read(t.Context(), datasource.ReadRequest{Config: tfsdk.Config{Schema: sr.Schema, Raw: tftypes.NewValue(typ, values)}}, resp)
}
