package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/boolplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// snapshotModel is the resource's configuration, plan and state.
type snapshotModel struct {
	VM             types.String   `tfsdk:"vm"`
	Name           types.String   `tfsdk:"name"`
	Description    types.String   `tfsdk:"description"`
	Memory         types.Bool     `tfsdk:"memory"`
	Quiesce        types.Bool     `tfsdk:"quiesce"`
	RemoveChildren types.Bool     `tfsdk:"remove_children"`
	Timeouts       timeouts.Value `tfsdk:"timeouts"`

	ID      types.String `tfsdk:"id"`
	VMID    types.String `tfsdk:"vm_id"`
	VMMoid  types.String `tfsdk:"vm_moid"`
	Path    types.String `tfsdk:"path"`
	Parent  types.String `tfsdk:"parent"`
	Created types.String `tfsdk:"created"`
	Current types.Bool   `tfsdk:"current"`
}

type snapshotIdentity struct {
	VCenter types.String `tfsdk:"vcenter"`
	Moid    types.String `tfsdk:"moid"`
}

// Schema is the contract with the user; docs/resources/snapshot.md is generated from it.
func (r *snapshotResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A snapshot of a VM: taken on create, removed on destroy, its changes merged into the disks that stay. A snapshot is " +
			"no backup; one that is kept for long grows and slows the VM.\n\nTo go **back** to a snapshot is no state to be declared, and no " +
			"argument does it: it would throw data away at an apply. Terraform 1.14 has the action `hypersdk_snapshot_revert` for it; with an older " +
			"one revert in the vSphere Client, then run `terraform apply -refresh-only`.",
		Attributes: map[string]schema.Attribute{
			"vm": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "The VM: inventory path (`/DC1/vm/web-01`), managed object id (`vm-42`), instance UUID or unique name. Another spelling of " +
					"the same VM changes nothing; another VM **replaces**.",
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"name": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "Name, up to 80 characters. vSphere lets two snapshots of a VM have one name; this provider does not make a second one, since " +
					"a linked clone could not tell them apart." + inPlace,
				Validators: []validator.String{stringvalidator.LengthBetween(1, 80)},
			},
			"description": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "What it is for. Left out: not managed. vSphere can change a description and cannot clear one." + inPlace,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"memory": schema.BoolAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "`true` saves the memory of a running VM as well, so that a revert makes it run again where it was. Default: `false`. " +
					"Excludes `quiesce`. Another value **replaces**.",
				PlanModifiers: []planmodifier.Bool{boolplanmodifier.UseStateForUnknown(), boolplanmodifier.RequiresReplaceIfConfigured()},
			},
			"quiesce": schema.BoolAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "`true` lets VMware Tools bring the guest's file systems into a consistent state first. Default: `false`. Another value **replaces**.",
				PlanModifiers:       []planmodifier.Bool{boolplanmodifier.UseStateForUnknown(), boolplanmodifier.RequiresReplaceIfConfigured()},
			},
			"remove_children": schema.BoolAttribute{
				Optional: true, Computed: true, Default: booldefault.StaticBool(false),
				MarkdownDescription: "Whether destroy removes the snapshots below this one too. Default: `false`: they stay, and hang where this one hung." + inPlace,
			},
			"timeouts": verbTimeouts(ctx, "30m", "5m", "2h"),
			"id":       computedText("Managed object id of the snapshot: `snapshot-42`."),
			"vm_id":    computedText("Instance UUID of the VM."),
			"vm_moid":  computedText("Managed object id of the VM."),
			"path": schema.StringAttribute{
				Computed:            true,
				MarkdownDescription: "Names of the snapshots above it and its own, joined by `/`; a `/` inside a name is written `%2f`.",
			},
			"parent":  schema.StringAttribute{Computed: true, MarkdownDescription: "Managed object id of the snapshot that it was taken on top of; null for the first."},
			"created": computedText("When it was taken, in UTC (RFC 3339)."),
			"current": schema.BoolAttribute{Computed: true, MarkdownDescription: "Whether the VM runs on top of it."},
		},
	}
}

// IdentitySchema tells a snapshot from all others.
func (r *snapshotResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"vcenter": identityschema.StringAttribute{RequiredForImport: true, Description: "Instance UUID of the vCenter."},
		"moid":    identityschema.StringAttribute{RequiredForImport: true, Description: "Managed object id of the snapshot."},
	}}
}

// computedText is an attribute that vCenter decides once and for all.
func computedText(description string) schema.Attribute {
	return schema.StringAttribute{
		Computed: true, MarkdownDescription: description,
		PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
	}
}

// verbTimeouts is the timeouts attribute with the defaults named.
func verbTimeouts(ctx context.Context, create, update, del string) schema.Attribute {
	a := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long create may take, such as `90m`; default `" + create + "`.",
		ReadDescription:   "How long a refresh may ask vCenter; default `1m`.",
		UpdateDescription: "How long a change may take; default `" + update + "`.",
		DeleteDescription: "How long destroy may take; default `" + del + "`.",
	})
	if nested, ok := a.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long each verb may take, as durations such as `90m`. Changed in place."
		return nested
	}
	return a
}
