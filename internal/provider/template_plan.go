package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const madeByUsText = "replaces, unless the template was imported or the argument is left out"

// madeByUs replaces what this resource made: the arguments of the making are unknown of an imported template, and one that is
// not in the configuration any more is not managed.
func madeByUs(ctx context.Context, req planmodifier.StringRequest, resp *stringplanmodifier.RequiresReplaceIfFuncResponse) {
	var source types.String
	resp.Diagnostics.Append(req.State.GetAttribute(ctx, path.Root("source_id"), &source)...)
	resp.RequiresReplace = !source.IsNull() && !req.PlanValue.IsNull()
}

// ValidateConfig refuses what contradicts itself.
func (r *templateResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config templateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() || config.Method.IsUnknown() {
		return
	}
	converts := config.Method.ValueString() == string(vsphere.TemplateByConvert)
	if converts && !config.Datastore.IsNull() {
		resp.Diagnostics.AddAttributeError(path.Root("datastore"), "A conversion copies nothing",
			"The VM stays on its datastore when it is converted in place. Leave datastore out, or use method = \"clone\".")
	}
	if !converts && config.OnDestroy.ValueString() == destroyRevert {
		resp.Diagnostics.AddAttributeError(path.Root("on_destroy"), "A clone has nothing to go back to",
			"revert turns a converted VM back into a VM. For a clone use delete or keep.")
	}
}

// ModifyPlan fills in the defaults that depend on the method, says what another source means, and plans to mark again what
// somebody turned into a VM.
func (r *templateResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var plan templateModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var config templateModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if req.State.Raw.IsNull() {
		r.planCreate(&config, &plan, &resp.Diagnostics)
	} else {
		var state templateModel
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
		if r.otherSource(ctx, &state, &plan, false, &resp.Diagnostics) {
			resp.RequiresReplace.Append(path.Root("source"))
		}
		plan.follow(&state)
	}
	if config.OnDestroy.IsNull() && !plan.Method.IsUnknown() {
		plan.OnDestroy = types.StringValue(defaultOnDestroy(plan.Method))
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
}

func (r *templateResource) planCreate(config, plan *templateModel, diags *diag.Diagnostics) {
	if config.Source.IsNull() {
		diags.AddAttributeError(path.Root("source"), "Which VM is it to be made of?", "Set source to create a template; only an imported one can do without.")
	}
	if config.Method.IsNull() {
		plan.Method = types.StringValue(string(vsphere.TemplateByClone))
	}
	plan.Template = types.BoolValue(true)
	if config.Snapshot.IsNull() {
		plan.SnapshotID = types.StringNull()
	}
}

// follow plans what vCenter will say after the change.
func (m *templateModel) follow(state *templateModel) {
	m.Template = types.BoolValue(true)
	m.Path = types.StringUnknown()
	if m.Name.Equal(state.Name) && m.Folder.Equal(state.Folder) {
		m.Path = state.Path
	}
	switch {
	case m.Snapshot.IsNull():
		m.SnapshotID = types.StringNull()
	case !m.Snapshot.Equal(state.Snapshot):
		m.SnapshotID = types.StringUnknown()
	}
}

func defaultOnDestroy(method types.String) string {
	if method.ValueString() == string(vsphere.TemplateByConvert) {
		return destroyRevert
	}
	return destroyDelete
}

// otherSource says whether the configuration's words name another VM than the template was made of. What they name may not exist
// before the apply: then the plan says nothing, and the apply refuses.
func (r *templateResource) otherSource(ctx context.Context, state, plan *templateModel, applying bool, diags *diag.Diagnostics) bool {
	switch {
	case plan.Source.Equal(state.Source) || plan.Source.IsNull() || state.SourceID.IsNull():
		return false
	case plan.Source.IsUnknown():
		return true
	}
	client, ok := r.vcenter(ctx, diags)
	if !ok {
		return false
	}
	source, err := client.GetTemplate(ctx, plan.Source.ValueString())
	if errors.Is(err, sdk.ErrNotFound) && !applying {
		return false
	}
	if err != nil {
		diags.AddAttributeError(path.Root("source"), "Cannot find the source", detail(err))
		return false
	}
	other := source.InstanceUUID != state.SourceID.ValueString()
	if other && applying {
		diags.AddAttributeError(path.Root("source"), "Another source", fmt.Sprintf(
			"%s is not the VM that the template was made of. Apply again: the plan will replace it.", source.Path))
	}
	return other
}
