package vsphere

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// customShape reads the custom attributes of any object of the inventory.
func customShape() shape {
	return shape{props: []types.PropertySpec{{Type: "ManagedEntity", PathSet: []string{"customValue"}}}}
}

// CustomAttributes reads the object's custom attributes that have a value, by name. Reads that come together share a call.
func (c *Client) CustomAttributes(ctx context.Context, ref types.ManagedObjectReference) (map[string]string, error) {
	values, err := c.customValues(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("read custom attributes: %w", err)
	}
	fields, err := c.customFields(ctx)
	if err != nil {
		return nil, fmt.Errorf("read custom attributes: %w", err)
	}
	for key := range values { // defined after the fields were read
		if !slices.ContainsFunc(fields, func(f types.CustomFieldDef) bool { return f.Key == key }) {
			if fields, err = c.customFieldsAnew(ctx); err != nil {
				return nil, fmt.Errorf("read custom attributes: %w", err)
			}
			break
		}
	}
	attributes := map[string]string{}
	for _, field := range fields {
		if v := values[field.Key]; v != "" {
			attributes[field.Name] = v
		}
	}
	return attributes, nil
}

// SetCustomAttributes gives the object the values in want and empties the attributes in remove; others stay. It sends only
// what differs. A name that vCenter does not define for the kind is sdk.ErrInvalid, and then nothing is changed.
func (c *Client) SetCustomAttributes(ctx context.Context, ref types.ManagedObjectReference, kind Kind, want map[string]string, remove []string) error {
	if len(want) == 0 && len(remove) == 0 {
		return nil
	}
	target := map[int32]string{}
	names := map[int32]string{}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		key, err := c.customField(ctx, ref, kind, name)
		if err != nil {
			return err
		}
		target[key], names[key] = want[name], name
	}
	for _, name := range remove {
		key, err := c.customField(ctx, ref, kind, name)
		if errors.Is(err, sdk.ErrInvalid) {
			continue // its definition is gone, and its values with it
		}
		if err != nil {
			return err
		}
		if _, wanted := target[key]; !wanted {
			target[key], names[key] = "", name
		}
	}
	has, err := c.customValues(ctx, ref)
	if err != nil {
		return fmt.Errorf("read custom attributes: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(target)) {
		if has[key] == target[key] {
			continue
		}
		_, err := methods.SetField(ctx, c.vim, &types.SetField{
			This: *c.vim.ServiceContent.CustomFieldsManager, Entity: ref, Key: key, Value: target[key],
		})
		if err != nil {
			return fmt.Errorf("set custom attribute %q: %w", names[key], err)
		}
	}
	return nil
}

func (c *Client) customValues(ctx context.Context, ref types.ManagedObjectReference) (map[int32]string, error) {
	content, err := c.customs.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	object, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	values := map[int32]string{}
	list, _ := properties(object)["customValue"].(types.ArrayOfCustomFieldValue)
	for _, v := range list.CustomFieldValue {
		if s, ok := v.(*types.CustomFieldStringValue); ok {
			values[s.Key] = s.Value
		}
	}
	return values, nil
}

// customField is the key of an attribute. One that is not known may have been defined since the fields were read.
func (c *Client) customField(ctx context.Context, ref types.ManagedObjectReference, kind Kind, name string) (int32, error) {
	var names []string
	for _, read := range []func(context.Context) ([]types.CustomFieldDef, error){c.customFields, c.customFieldsAnew} {
		fields, err := read(ctx)
		if err != nil {
			return 0, fmt.Errorf("read the definitions of custom attributes: %w", err)
		}
		names = nil
		for _, field := range fields {
			if field.ManagedObjectType != "" && field.ManagedObjectType != ref.Type {
				continue
			}
			if field.Name == name {
				return field.Key, nil
			}
			names = append(names, field.Name)
		}
	}
	err := didYouMean(sdk.Invalidf("vCenter has no custom attribute %q for a %s", name, kind), name, names)
	return 0, sdk.WithHint(err, "an administrator defines custom attributes in vCenter, for one kind of object or for all")
}

func (c *Client) customFields(ctx context.Context) ([]types.CustomFieldDef, error) {
	return c.fields.get(ctx, "", func() ([]types.CustomFieldDef, error) {
		manager := c.vim.ServiceContent.CustomFieldsManager
		if manager == nil {
			return nil, sdk.Invalidf("%s has no custom attributes; it is not a vCenter", c.vim.URL().Host)
		}
		content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: *manager}}, []types.PropertySpec{{Type: manager.Type, PathSet: []string{"field"}}})
		if err != nil {
			return nil, err
		}
		object, err := find(content, *manager)
		if err != nil {
			return nil, err
		}
		list, _ := properties(object)["field"].(types.ArrayOfCustomFieldDef)
		return list.CustomFieldDef, nil
	})
}

func (c *Client) customFieldsAnew(ctx context.Context) ([]types.CustomFieldDef, error) {
	c.fields.forget(func(string, []types.CustomFieldDef) bool { return true })
	return c.customFields(ctx)
}
