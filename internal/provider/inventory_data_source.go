package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/datasource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ datasource.DataSourceWithConfigure = (*inventoryDataSource[vsphere.Host])(nil)

// defaultList bounds the read of a list when timeouts names none.
const defaultList = 5 * time.Minute

// inventoryDataSource lists inventory objects of one kind. Its attributes have the names of the fields of T in JSON, but for
// id, which is there called ref.
type inventoryDataSource[T any] struct {
	dataBase
	name    string                      // of the data source and of the list in it: hosts
	about   string                      // what it is for, in Markdown
	filters map[string]schema.Attribute // arguments beside name, tags and timeouts
	fields  map[string]schema.Attribute // of each object
	list    func(*vsphere.Client, context.Context, vsphere.Filter) ([]T, error)
}

// Metadata names the data source.
func (d *inventoryDataSource[T]) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_" + d.name
}

// Schema is the contract with the user.
func (d *inventoryDataSource[T]) Schema(ctx context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attributes := map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Only those whose name or inventory path matches this glob: `*` is any text, `?` one character, `[a-z]` one of them, and " +
				"`\\` takes the next character as it is. A pattern with a slash is held against the whole path, whose slashes `*` does not cross. Default: all.",
			Validators: []validator.String{glob{}},
		},
		"tags": schema.ListAttribute{
			Optional: true, ElementType: types.StringType,
			MarkdownDescription: "Only those that have all of these tags, each a tag id or `category/name`. Left out: vCenter's REST service, which keeps " +
				"tags, is not asked.",
			Validators: []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1))},
		},
		"timeouts": readTimeoutAttribute(ctx),
		"ids": schema.ListAttribute{
			Computed: true, ElementType: types.StringType,
			MarkdownDescription: fmt.Sprintf("Managed object ids of the %s, in the order of `%s`.", d.noun(), d.name),
		},
		d.name: schema.ListNestedAttribute{
			Computed:            true,
			MarkdownDescription: fmt.Sprintf("The %s that all the arguments choose, sorted by path. None is an empty list and no error.", d.noun()),
			NestedObject:        schema.NestedAttributeObject{Attributes: d.fields},
		},
	}
	for name, filter := range d.filters {
		attributes[name] = filter
	}
	resp.Schema = schema.Schema{MarkdownDescription: d.about, Attributes: attributes}
}

// noun is the list in words: the name, but for VMs.
func (d *inventoryDataSource[T]) noun() string { return strings.Replace(d.name, "vms", "VMs", 1) }

// readTimeoutAttribute is the attribute timeouts of a data source.
func readTimeoutAttribute(ctx context.Context) schema.Attribute {
	a := timeouts.AttributesWithOpts(ctx, timeouts.Opts{ReadDescription: "How long the read may take, as a duration such as `90s`; default `5m`."})
	if nested, ok := a.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long a read may take."
		return nested
	}
	return a
}

// Read makes the list: one view and one paged retrieve, besides one call for each path in the arguments.
func (d *inventoryDataSource[T]) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	filter := d.filter(ctx, req.Config, &resp.Diagnostics)
	ctx, cancel := withReadTimeout(ctx, req.Config, &resp.Diagnostics)
	defer cancel()
	if resp.Diagnostics.HasError() || !d.known(&resp.Diagnostics) {
		return
	}
	client, ok := d.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	items, err := d.list(client, ctx, filter)
	if err != nil {
		d.refuse(err, &resp.Diagnostics)
		return
	}
	objects, ids, err := objectList(d.fields, items)
	if err != nil {
		resp.Diagnostics.AddError("Cannot show the "+d.noun(), err.Error())
		return
	}
	resp.State.Raw = req.Config.Raw
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(d.name), objects)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("ids"), ids)...)
}

// known says whether the provider block says which vCenter; a data source is read in the plan, and cannot wait for apply.
func (b *dataBase) known(diags *diag.Diagnostics) bool {
	unknown := b.conns.get().vsphereUnknown
	if unknown {
		diags.AddError("vCenter is not known yet", "A value in the provider block's vsphere comes from a resource that does not exist yet, and a data source is "+
			"read in the plan. Apply that resource first, with terraform apply -target, or take the value from a variable.")
	}
	return !unknown
}

// withReadTimeout bounds a read as timeouts says.
func withReadTimeout(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) (context.Context, context.CancelFunc) {
	var bound timeouts.Value
	diags.Append(config.GetAttribute(ctx, path.Root("timeouts"), &bound)...)
	timeout := defaultList
	if !diags.HasError() {
		var d diag.Diagnostics
		timeout, d = bound.Read(ctx, defaultList)
		diags.Append(d...)
	}
	return context.WithTimeout(ctx, timeout)
}

// filter reads those of a filter's arguments that this data source has.
func (d *inventoryDataSource[T]) filter(ctx context.Context, config tfsdk.Config, diags *diag.Diagnostics) vsphere.Filter {
	var f vsphere.Filter
	texts := map[string]*string{"name": &f.Name, "datacenter": &f.Datacenter, "cluster": &f.Cluster, "folder": &f.Folder, "guest": &f.Guest}
	for name, into := range texts {
		var v types.String
		if d.has(name) {
			diags.Append(config.GetAttribute(ctx, path.Root(name), &v)...)
		}
		*into = v.ValueString()
	}
	for name, into := range map[string]*[]string{"states": &f.States, "tags": &f.Tags} {
		if d.has(name) {
			diags.Append(config.GetAttribute(ctx, path.Root(name), into)...)
		}
	}
	if d.has("templates") {
		diags.Append(config.GetAttribute(ctx, path.Root("templates"), &f.Templates)...)
	}
	return f
}

func (d *inventoryDataSource[T]) has(name string) bool {
	_, ok := d.filters[name]
	return ok || name == "name" || name == "tags"
}

// refuse puts an error on the argument that it is about.
func (d *inventoryDataSource[T]) refuse(err error, diags *diag.Diagnostics) {
	summary := "Cannot list the " + d.noun()
	switch filter, ok := errors.AsType[*vsphere.FilterError](err); {
	case ok:
		diags.AddAttributeError(path.Root(filter.Field), summary, detail(err))
	case errors.Is(err, context.DeadlineExceeded):
		diags.AddAttributeError(path.Root("timeouts"), summary, detail(err)+"\n\nvCenter was too slow for timeouts.read; give it more, or choose fewer objects.")
	default:
		diags.AddError(summary, detail(err))
	}
}

// place is an argument that names where to look.
func place(kind, text string) schema.Attribute {
	return schema.StringAttribute{
		Optional: true,
		MarkdownDescription: "Only those " + text + ": inventory path, managed object id, or name when no other " + kind + " has it. One that does not exist is " +
			"an error.",
		Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
	}
}

// stateWords is an argument that names states.
func stateWords(about string, allowed []string) schema.Attribute {
	return schema.ListAttribute{
		Optional: true, ElementType: types.StringType,
		MarkdownDescription: "Only those in one of these states: `" + strings.Join(allowed, "`, `") + "`. " + about + "Default: all.",
		Validators:          []validator.List{listvalidator.SizeAtLeast(1), listvalidator.ValueStringsAre(words{allowed: allowed})},
	}
}

// glob allows what vsphere.CheckGlob reads.
type glob struct{}

// Description says what is allowed.
func (glob) Description(context.Context) string { return "value must be a glob" }

// MarkdownDescription says what is allowed.
func (g glob) MarkdownDescription(ctx context.Context) string { return g.Description(ctx) }

// ValidateString refuses what is no glob.
func (glob) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if err := vsphere.CheckGlob(req.ConfigValue.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Not a glob", detail(err))
	}
}
