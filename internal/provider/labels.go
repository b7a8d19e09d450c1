package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// labels are the tags and custom attributes of an object of vCenter. What is null is not managed and costs no call.
type labels struct {
	Tags             types.Set `tfsdk:"tags"`
	CustomAttributes types.Map `tfsdk:"custom_attributes"`
}

func noLabels() labels {
	return labels{Tags: types.SetNull(types.StringType), CustomAttributes: types.MapNull(types.StringType)}
}

// labelAttributes are the attributes tags and custom_attributes of what is named, in words such as "the pool".
func labelAttributes(what string) map[string]schema.Attribute {
	return map[string]schema.Attribute{
		"tags": schema.SetAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: fmt.Sprintf("Tags of %s, each an id (`urn:vmomi:InventoryServiceTag:…`), `category/name` or a name that only one tag has. Tags that others attached stay; one "+
				"that is taken out of the set is detached. Left out: tags are not looked at, and vCenter's tag service is not asked.", what) + inPlace,
			Validators: []validator.Set{setvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		},
		"custom_attributes": schema.MapAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: fmt.Sprintf("Values of custom attributes of %s, by the name of the attribute, which an administrator defines in vCenter. Others stay; one that is taken out of the "+
				"map is emptied. Left out: not looked at.", what) + inPlace,
		},
	}
}

func (l labels) tags() []string {
	var names []string
	for _, v := range l.Tags.Elements() {
		if s, ok := v.(types.String); ok {
			names = append(names, s.ValueString())
		}
	}
	return names
}

func (l labels) attributes() map[string]string {
	values := map[string]string{}
	for name, v := range l.CustomAttributes.Elements() {
		if s, ok := v.(types.String); ok {
			values[name] = s.ValueString()
		}
	}
	return values
}

// check finds out, before anything is made, whether the tags exist.
func (l labels) check(ctx context.Context, client *vsphere.Client, diags *diag.Diagnostics) {
	if _, err := client.ResolveTags(ctx, l.tags()); err != nil {
		diags.AddAttributeError(path.Root("tags"), "A tag cannot be found", detail(err))
	}
}

// write sets what is wanted; before is what this resource had set.
func (l labels) write(ctx context.Context, client *vsphere.Client, ref vsphere.Reference, kind vsphere.Kind, before labels, diags *diag.Diagnostics) {
	if known(l.Tags) && !l.Tags.Equal(before.Tags) {
		if err := client.SetTags(ctx, ref, l.tags(), before.tags()); err != nil {
			diags.AddAttributeError(path.Root("tags"), "Cannot set the tags", detail(err))
		}
	}
	if known(l.CustomAttributes) && !l.CustomAttributes.Equal(before.CustomAttributes) {
		want := l.attributes()
		remove := slices.DeleteFunc(slices.Sorted(maps.Keys(before.attributes())), func(name string) bool { _, stays := want[name]; return stays })
		if err := client.SetCustomAttributes(ctx, ref, kind, want, remove); err != nil {
			diags.AddAttributeError(path.Root("custom_attributes"), "Cannot set the custom attributes", detail(err))
		}
	}
}

// read keeps of what was written what is still there, in the words it was written in.
func (l *labels) read(ctx context.Context, client *vsphere.Client, ref vsphere.Reference, diags *diag.Diagnostics) {
	if known(l.Tags) && len(l.Tags.Elements()) > 0 {
		l.readTags(ctx, client, ref, diags)
	}
	if !known(l.CustomAttributes) || len(l.CustomAttributes.Elements()) == 0 {
		return
	}
	has, err := client.CustomAttributes(ctx, ref)
	if err != nil {
		diags.AddAttributeError(path.Root("custom_attributes"), "Cannot read the custom attributes", detail(err))
		return
	}
	values := map[string]string{}
	for name, written := range l.attributes() {
		if value, ok := has[name]; ok || written == "" {
			values[name] = value
		}
	}
	var d diag.Diagnostics
	l.CustomAttributes, d = types.MapValueFrom(ctx, types.StringType, values)
	diags.Append(d...)
}

func (l *labels) readTags(ctx context.Context, client *vsphere.Client, ref vsphere.Reference, diags *diag.Diagnostics) {
	attached, err := client.AttachedTags(ctx, ref)
	if err != nil {
		diags.AddAttributeError(path.Root("tags"), "Cannot read the tags", detail(err))
		return
	}
	still := []string{}
	for _, name := range l.tags() {
		found := slices.ContainsFunc(attached[ref], func(t vsphere.Tag) bool { return name == t.ID || name == t.String() || name == t.Name })
		if found {
			still = append(still, name)
		}
	}
	var d diag.Diagnostics
	l.Tags, d = types.SetValueFrom(ctx, types.StringType, still)
	diags.Append(d...)
}
