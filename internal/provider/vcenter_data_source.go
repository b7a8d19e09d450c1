package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ datasource.DataSourceWithConfigure = (*vcenterDataSource)(nil)

func newVCenterDataSource() datasource.DataSource { return &vcenterDataSource{} }

// vcenterDataSource says which vCenter the provider speaks to.
type vcenterDataSource struct{ dataBase }

type vcenterModel struct {
	ID           types.String `tfsdk:"id"`
	Name         types.String `tfsdk:"name"`
	FullName     types.String `tfsdk:"full_name"`
	Version      types.String `tfsdk:"version"`
	Build        types.String `tfsdk:"build"`
	APIVersion   types.String `tfsdk:"api_version"`
	APIType      types.String `tfsdk:"api_type"`
	OSType       types.String `tfsdk:"os_type"`
	InstanceUUID types.String `tfsdk:"instance_uuid"`
	URL          types.String `tfsdk:"url"`
}

// Metadata names the data source.
func (d *vcenterDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_vcenter"
}

// Schema is the contract with the user.
func (d *vcenterDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The vCenter that the provider speaks to. It costs no call beyond the login, which all data sources and resources share.",
		Attributes: map[string]schema.Attribute{
			"id":            textField("The same as `instance_uuid`."),
			"name":          textField("Name of the product."),
			"full_name":     textField("Name of the product with version and build."),
			"version":       textField("Version, such as `8.0.3`."),
			"build":         textField("Build number."),
			"api_version":   textField("Version of the API, such as `8.0.3.0`."),
			"api_type":      textField("`VirtualCenter`, or `HostAgent` for an ESXi host that is addressed directly."),
			"os_type":       textField("Operating system that it runs on, such as `linux-x64`."),
			"instance_uuid": textField("UUID of this vCenter: what an import by identity names."),
			"url":           textField("Address of its API."),
		},
	}
}

// Read answers from what the login told.
func (d *vcenterDataSource) Read(ctx context.Context, _ datasource.ReadRequest, resp *datasource.ReadResponse) {
	if !d.known(&resp.Diagnostics) {
		return
	}
	client, ok := d.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	v, err := client.GetVCenter(ctx)
	if err != nil {
		resp.Diagnostics.AddError("Cannot describe the vCenter", detail(err))
		return
	}
	text := types.StringValue
	resp.Diagnostics.Append(resp.State.Set(ctx, vcenterModel{
		ID: text(v.InstanceUUID), Name: text(v.Name), FullName: text(v.FullName), Version: text(v.Version), Build: text(v.Build),
		APIVersion: text(v.APIVersion), APIType: text(v.APIType), OSType: text(v.OSType), InstanceUUID: text(v.InstanceUUID), URL: text(v.URL),
	})...)
}
