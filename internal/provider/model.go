package provider

import (
	"context"
	"fmt"
	"reflect"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// typed is a schema: it knows the type of its values.
type typed interface{ Type() attr.Type }

// readModel fills a struct, whose fields are framework values with tfsdk tags, as the framework's Get does. That looks at the tags
// anew at each call and compiles a regular expression for each field: a tenth of what a hundred clones cost.
func readModel(ctx context.Context, schema typed, raw tftypes.Value, model any) diag.Diagnostics {
	var values map[string]tftypes.Value
	object, ok := schema.Type().(attr.TypeWithAttributeTypes)
	if !ok || raw.IsNull() || !raw.IsKnown() {
		return modelError("there is no object to read")
	}
	if err := raw.As(&values); err != nil {
		return modelError(err.Error())
	}
	attributes, target := object.AttributeTypes(), reflect.ValueOf(model).Elem()
	if len(attributes) != target.NumField() {
		return modelError(fmt.Sprintf("the schema has %d attributes and %s %d fields", len(attributes), target.Type(), target.NumField()))
	}
	for i := range target.NumField() {
		name := target.Type().Field(i).Tag.Get("tfsdk")
		if attributes[name] == nil {
			return modelError(fmt.Sprintf("the schema has no attribute %q", name))
		}
		value, err := attributes[name].ValueFromTerraform(ctx, values[name])
		if err != nil {
			return modelError(fmt.Sprintf("%s: %v", name, err))
		}
		is := reflect.ValueOf(value)
		if !is.Type().AssignableTo(target.Field(i).Type()) {
			return modelError(fmt.Sprintf("%s is a %s, not a %s", name, is.Type(), target.Field(i).Type()))
		}
		target.Field(i).Set(is)
	}
	return nil
}

// writeModel makes such a struct a value of the schema, as the framework's Set does.
func writeModel(ctx context.Context, schema typed, model any, raw *tftypes.Value) diag.Diagnostics {
	values, source := map[string]tftypes.Value{}, reflect.ValueOf(model).Elem()
	for i := range source.NumField() {
		name := source.Type().Field(i).Tag.Get("tfsdk")
		field, ok := source.Field(i).Interface().(attr.Value)
		if !ok {
			return modelError(fmt.Sprintf("%s is a %s, not a framework value", name, source.Field(i).Type()))
		}
		value, err := field.ToTerraformValue(ctx)
		if err != nil {
			return modelError(fmt.Sprintf("%s: %v", name, err))
		}
		values[name] = value
	}
	object := schema.Type().TerraformType(ctx)
	if err := tftypes.ValidateValue(object, values); err != nil {
		return modelError(err.Error())
	}
	*raw = tftypes.NewValue(object, values)
	return nil
}

// modelError is a mistake in this provider.
func modelError(what string) diag.Diagnostics {
	return diag.Diagnostics{diag.NewErrorDiagnostic("Model and schema differ", "This is a mistake in the provider; please report it: "+what+".")}
}
