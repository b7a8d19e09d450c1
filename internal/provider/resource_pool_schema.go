package provider

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Schema is the contract with the user; docs/resources/resource_pool.md is generated from it.
func (r *poolResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "A resource pool: a part of a cluster's or host's CPU and memory, with what is guaranteed, what is never exceeded and how much it weighs " +
			"against its siblings. Every change is made in place and only what changed is sent; a new parent moves the pool with everything in it. " +
			"`moved` blocks take `vsphere_resource_pool` over.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true, Validators: []validator.String{poolName{}},
				MarkdownDescription: "Name of the pool, unique within its parent, at most 80 characters. Written as people see it: a `/` is a `/`, not `%2f`." + inPlace,
			},
			"parent": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "The pool it is in: an inventory path, managed object id or unique name; a cluster or host means its root pool. Left out, a new pool goes into the " +
					"root pool of the only cluster, and a later move is no difference. Another spelling of the same pool changes nothing. Another pool of the same cluster or host: moved in " +
					"place. One of another cluster **replaces**, since vCenter moves no pool between clusters.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				Validators:    []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"cpu":    allocationAttribute("CPU", "MHz", "2000, 4000 and 8000 shares"),
			"memory": allocationAttribute("memory", "MB", "81920, 163840 and 327680 shares"),
			"scale_descendants_shares": schema.StringAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "`scaleCpuAndMemoryShares` lets the shares of every pool below this one grow with the VMs that run in it, `disabled` does not. Needs vSphere 7.0; " +
					"below a pool that scales, vCenter lets it be set no more, so leave it out there. Left out: whatever is set is no difference." + inPlace,
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
				Validators:    []validator.String{stringvalidator.OneOf(vsphere.ScaleDisabled, vsphere.ScaleCPUAndMemory)},
			},
			"on_destroy": schema.StringAttribute{
				Optional: true, Computed: true, Default: stringdefault.StaticString(string(vsphere.RefuseUnlessEmpty)),
				MarkdownDescription: "What `terraform destroy` does with a pool that holds VMs or pools: `refuse` (default) stops and names them, `move_children` lets them move to the " +
					"parent. No value deletes a VM." + inPlace,
				Validators: []validator.String{stringvalidator.OneOf(string(vsphere.RefuseUnlessEmpty), string(vsphere.MoveChildren))},
			},
			"timeouts": poolTimeouts(ctx),
			"id": schema.StringAttribute{
				Computed: true, MarkdownDescription: "Managed object id, such as `resgroup-42`. It stays when the pool is renamed or moved.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"path":      schema.StringAttribute{Computed: true, MarkdownDescription: "Inventory path, such as `/DC1/host/C1/Resources/production`."},
			"parent_id": schema.StringAttribute{Computed: true, MarkdownDescription: "Managed object id of the pool it is in."},
		},
	}
	maps.Copy(resp.Schema.Attributes, labelAttributes("the pool"))
}

// poolTimeouts bounds the verbs.
func poolTimeouts(ctx context.Context) schema.Attribute {
	a := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long creating may take; default `5m`.",
		ReadDescription:   "How long a refresh may take; default `5m`.",
		UpdateDescription: "How long a change may take; default `5m`.",
		DeleteDescription: "How long deleting may take; default `5m`.",
	})
	if nested, ok := a.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long each verb may take, as durations such as `90s`. Changed in place."
		return nested
	}
	return a
}

// IdentitySchema tells a pool from all others.
func (r *poolResource) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Attributes: map[string]identityschema.Attribute{
		"vcenter": identityschema.StringAttribute{RequiredForImport: true, Description: "Instance UUID of the vCenter."},
		"moid":    identityschema.StringAttribute{RequiredForImport: true, Description: "Managed object id of the pool, such as resgroup-42."},
	}}
}

// poolName allows what vCenter takes as a name and gives back as it was.
type poolName struct{}

var escapedCharacter = regexp.MustCompile(`(?i)%(2f|5c|25)`)

// Description says what is allowed.
func (poolName) Description(context.Context) string {
	return "value must have 1 to 80 characters and no escapes such as %2f"
}

// MarkdownDescription says what is allowed.
func (n poolName) MarkdownDescription(ctx context.Context) string { return n.Description(ctx) }

// ValidateString refuses other names.
func (poolName) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	if !known(req.ConfigValue) {
		return
	}
	name := req.ConfigValue.ValueString()
	switch n := utf8.RuneCountInString(name); {
	case strings.TrimSpace(name) == "":
		resp.Diagnostics.AddAttributeError(req.Path, "A pool needs a name", "vCenter takes none that is empty or blank.")
	case n > 80:
		resp.Diagnostics.AddAttributeError(req.Path, "The name is too long", fmt.Sprintf("It has %d characters and vCenter allows 80.", n))
	case escapedCharacter.MatchString(name):
		plain := strings.NewReplacer("%2f", "/", "%2F", "/", "%5c", `\`, "%5C", `\`, "%25", "%").Replace(name)
		resp.Diagnostics.AddAttributeError(req.Path, "The name holds an escape", fmt.Sprintf(
			"%%2f, %%5c and %%25 are how vCenter stores /, \\ and %%. Write the name as it reads: %q.", plain))
	}
}
