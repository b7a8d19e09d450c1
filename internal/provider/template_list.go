package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ list.ListResourceWithConfigure = (*templateList)(nil)

// templateList lists the templates of the vCenter.
type templateList struct{ templateResource }

func newTemplateList() list.ListResource { return &templateList{} }

// namedListModel is the configuration of lists that know a name only.
type namedListModel struct {
	Name types.String `tfsdk:"name"`
}

// namedListSchema describes it.
func namedListSchema(description, things string) schema.Schema {
	return schema.Schema{
		MarkdownDescription: description + " Needs Terraform 1.14.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "Only " + things + " whose name or inventory path fits the pattern, with `*`, `?` and `[…]`; a `*` ends at a `/`. Default: all.",
				Validators:          []validator.String{listPattern{}},
			},
		},
	}
}

// ListResourceConfigSchema describes the list block.
func (l *templateList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = namedListSchema("Lists the templates of the vCenter, whoever made them.", "templates")
}

// List asks vCenter for all templates at once.
func (l *templateList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var model namedListModel
	diags := req.Config.Get(ctx, &model)
	client, ok := l.vcenter(ctx, &diags)
	if !ok || diags.HasError() {
		listFailed(stream, diags)
		return
	}
	templates, err := client.ListTemplates(ctx, model.Name.ValueString())
	if err != nil {
		diags.AddError("Cannot list templates", detail(err))
		listFailed(stream, diags)
		return
	}
	listed(req, stream, templates, func(t vsphere.Template) (list.ListResult, bool) {
		return l.result(ctx, req, client, &t), true
	})
}

func (l *templateList) result(ctx context.Context, req list.ListRequest, client *vsphere.Client, t *vsphere.Template) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = t.Path
	l.identify(ctx, client, &templateModel{ID: types.StringValue(t.InstanceUUID)}, result.Identity, &result.Diagnostics)
	if !req.IncludeResource {
		return result
	}
	var state templateModel
	result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("id"), t.InstanceUUID)...)
	result.Diagnostics.Append(result.Resource.Get(ctx, &state)...)
	state.setDefaults()
	state.OnDestroy = types.StringValue(destroyDelete) // as after an import
	state.set(t)
	state.Folder = types.StringValue(t.Folder)
	result.Diagnostics.Append(result.Resource.Set(ctx, &state)...)
	return result
}
