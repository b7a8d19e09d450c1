package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// The words of on_destroy.
const (
	destroyDelete = "delete"
	destroyKeep   = "keep"
	destroyRevert = "revert"
)

// templateModel is the resource's configuration, plan and state.
type templateModel struct {
	Name         types.String   `tfsdk:"name"`
	Source       types.String   `tfsdk:"source"`
	Method       types.String   `tfsdk:"method"`
	Folder       types.String   `tfsdk:"folder"`
	Snapshot     types.String   `tfsdk:"snapshot"`
	ResourcePool types.String   `tfsdk:"resource_pool"`
	Host         types.String   `tfsdk:"host"`
	Datastore    types.String   `tfsdk:"datastore"`
	Annotation   types.String   `tfsdk:"annotation"`
	OnDestroy    types.String   `tfsdk:"on_destroy"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`

	ID         types.String `tfsdk:"id"`
	Moid       types.String `tfsdk:"moid"`
	Path       types.String `tfsdk:"path"`
	SourceID   types.String `tfsdk:"source_id"`
	SnapshotID types.String `tfsdk:"snapshot_id"`
	Template   types.Bool   `tfsdk:"template"`
}

// templateIdentity tells a template from all others.
type templateIdentity struct {
	VCenter      types.String `tfsdk:"vcenter"`
	InstanceUUID types.String `tfsdk:"instance_uuid"`
}

// Schema is the contract with the user; docs/resources/template.md is generated from it.
func (r *templateResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	keep := []planmodifier.String{stringplanmodifier.UseStateForUnknown()}
	attributes := map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Required:            true,
			MarkdownDescription: "Name, up to 80 characters, unique in its folder." + inPlace,
			Validators:          []validator.String{stringvalidator.LengthBetween(1, 80)},
		},
		"source": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "The VM or template to make it of: inventory path (`/DC1/vm/build/golden`), managed object id, instance UUID or unique name. " +
				"Needed to create; may be left out for an imported template. It is looked up once and kept in `source_id`: another VM behind the same words " +
				"changes nothing. Words that name another VM **replace**; other words for the same one change nothing.",
			Validators: filled,
		},
		"method": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "`clone` (default): a copy of the source becomes the template. `convert`: the source itself does, in place and without a copy; it has to " +
				"be off. Another value **replaces**.",
			Validators:    []validator.String{stringvalidator.OneOf(string(vsphere.TemplateByClone), string(vsphere.TemplateByConvert))},
			PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown(), stringplanmodifier.RequiresReplaceIf(madeByUs, madeByUsText, madeByUsText)},
		},
		"folder": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "VM folder: inventory path (`/DC1/vm/templates`), managed object id or unique name. Default: the source's. A template that somebody moved is moved back." + inPlace,
			Validators:          filled, PlanModifiers: keep,
		},
		"snapshot": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Name of a snapshot to take before the VM becomes a template: linked clones hang on it, and a template itself takes none. With `convert`, a snapshot of that " +
				"name that the VM runs on top of is used as it is. Left out: none. Another name **replaces**.",
			Validators: []validator.String{stringvalidator.LengthBetween(1, 80)},
			PlanModifiers: []planmodifier.String{
				stringplanmodifier.RequiresReplaceIf(madeByUs, madeByUsText, madeByUsText),
			},
		},
		"resource_pool": schema.StringAttribute{
			Optional: true,
			MarkdownDescription: "Resource pool by path or managed object id; a cluster or a host means its root pool. A clone is made in it: needed when the source is a template, else the " +
				"default is the source's. `on_destroy = \"revert\"` puts the VM into it; default: the pool it came from. A template itself has no pool: a change moves nothing." + inPlace,
			Validators: filled,
		},
		"host": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Host by path or managed object id, for `clone` and for `revert` where a cluster has no DRS. Default: vCenter's choice. A change moves nothing." + inPlace,
			Validators:          filled,
		},
		"datastore": schema.StringAttribute{
			Optional:            true,
			MarkdownDescription: "Datastore by path, managed object id or unique name that a clone's disks go to. Default: the source's. Not with `convert`. Another value **replaces**.",
			Validators:          filled,
			PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplaceIf(madeByUs, madeByUsText, madeByUsText)},
		},
		"annotation": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "Notes. Left out: the source's, and not managed. vSphere can change notes and cannot clear them." + inPlace,
			Validators:          filled, PlanModifiers: keep,
		},
		"on_destroy": schema.StringAttribute{
			Optional: true, Computed: true,
			MarkdownDescription: "What `terraform destroy` does. For a clone `delete` (default: the template and its disks go) or `keep` (it is only forgotten). For a conversion `revert` " +
				"(default: it becomes the VM that it was, with its old name, folder and resource pool), `keep`, or `delete` (**the VM that was converted and its disks go**)." + inPlace,
			Validators: []validator.String{stringvalidator.OneOf(destroyDelete, destroyKeep, destroyRevert)},
		},
		"timeouts":    verbTimeouts(ctx, "2h", "10m", "30m"),
		"id":          computedText("Instance UUID of the template."),
		"moid":        computedText("Managed object id of the template: `vm-42`."),
		"path":        schema.StringAttribute{Computed: true, MarkdownDescription: "Inventory path of the template."},
		"source_id":   computedText("Instance UUID of the VM that it was made of; null for an imported template."),
		"snapshot_id": computedText("Managed object id of the snapshot `snapshot`; null without one."),
		"template": schema.BoolAttribute{
			Computed: true, PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown()},
			MarkdownDescription: "Whether it is a template. One that somebody turned back into a VM is marked again, in place, when it is off.",
		},
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "A template, made of a VM by copying it or by converting it in place, with the snapshot that linked clones need. Marking is the last step: nobody sees a template half " +
			"made, and an interrupted apply goes on where it stopped.",
		Attributes: attributes,
	}
}

// IdentitySchema tells a template from all others.
func (r *templateResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"vcenter":       identityschema.StringAttribute{RequiredForImport: true, Description: "Instance UUID of the vCenter."},
		"instance_uuid": identityschema.StringAttribute{RequiredForImport: true, Description: "Instance UUID of the template."},
	}}
}
