package provider

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"
)

// objectList turns SDK objects into a list of Terraform objects with the fields, and the list of their ids. A field takes the
// JSON value of its own name, so that every door says the same; id is the JSON ref. A field without one is an error.
func objectList(fields map[string]schema.Attribute, items any) (objects, ids types.List, err error) {
	none := types.ListNull(types.StringType)
	text, err := json.Marshal(items)
	if err != nil {
		return none, none, err
	}
	var plain []any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&plain); err != nil {
		return none, none, err
	}
	element := schema.NestedAttributeObject{Attributes: fields}.Type()
	if objects, err = listValue(element, plain); err != nil {
		return none, none, err
	}
	refs := make([]any, 0, len(plain))
	for _, object := range plain {
		if fields, ok := object.(map[string]any); ok {
			refs = append(refs, fields["ref"])
		}
	}
	ids, err = listValue(types.StringType, refs)
	return objects, ids, err
}

func listValue(element attr.Type, plain []any) (types.List, error) {
	elements := make([]attr.Value, 0, len(plain))
	for i, v := range plain {
		value, err := attrValue(element, v)
		if err != nil {
			return types.ListNull(element), fmt.Errorf("[%d]%w", i, err)
		}
		elements = append(elements, value)
	}
	return types.ListValueMust(element, elements), nil
}

// attrValue is the Terraform value of a decoded JSON value. A list that is null is empty.
func attrValue(typ attr.Type, v any) (attr.Value, error) {
	switch t := typ.(type) {
	case basetypes.StringType:
		if s, ok := v.(string); ok {
			return types.StringValue(s), nil
		}
	case basetypes.BoolType:
		if b, ok := v.(bool); ok {
			return types.BoolValue(b), nil
		}
	case basetypes.Int64Type:
		if n, ok := v.(json.Number); ok {
			i, err := n.Int64()
			return types.Int64Value(i), err
		}
	case basetypes.Float64Type:
		if n, ok := v.(json.Number); ok {
			f, err := n.Float64()
			return types.Float64Value(f), err
		}
	case basetypes.ListType:
		if list, ok := v.([]any); ok || v == nil {
			return listValue(t.ElemType, list)
		}
	case basetypes.ObjectType:
		if fields, ok := v.(map[string]any); ok {
			return objectValue(t, fields)
		}
	}
	return nil, fmt.Errorf(": %T does not fit %s", v, typ)
}

func objectValue(t basetypes.ObjectType, fields map[string]any) (attr.Value, error) {
	values := make(map[string]attr.Value, len(t.AttrTypes))
	for name, typ := range t.AttrTypes {
		key := name
		if name == "id" {
			key = "ref"
		}
		value, err := attrValue(typ, fields[key])
		if err != nil {
			return nil, fmt.Errorf(".%s%w", name, err)
		}
		values[name] = value
	}
	return types.ObjectValueMust(t.AttrTypes, values), nil
}

// The fields of listed objects, by type.

func textField(about string) schema.Attribute {
	return schema.StringAttribute{Computed: true, MarkdownDescription: about}
}

func numberField(about string) schema.Attribute {
	return schema.Int64Attribute{Computed: true, MarkdownDescription: about}
}

func flagField(about string) schema.Attribute {
	return schema.BoolAttribute{Computed: true, MarkdownDescription: about}
}
