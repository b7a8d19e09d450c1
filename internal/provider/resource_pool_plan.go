package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ModifyPlan tells what stays known, and looks at a parent that is named. It makes no call unless there is one that the state
// does not have.
func (r *poolResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() {
		return
	}
	var plan poolModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if req.State.Raw.IsNull() {
		if known(plan.Parent) {
			if client, parent := r.findParent(ctx, plan.Parent.ValueString(), resp); parent != "" {
				r.checkCapacity(ctx, client, parent, &plan, nil, &resp.Diagnostics)
			}
		}
		return
	}
	var state poolModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	sameWords := plan.Parent.Equal(state.Parent)
	parentID, inventoryPath := types.StringUnknown(), types.StringUnknown()
	if sameWords || known(plan.Parent) && r.planMove(ctx, &state, &plan, resp) {
		parentID = state.ParentID
	}
	r.planCapacity(ctx, &state, &plan, parentID, resp)
	if sameWords && plan.Name.Equal(state.Name) { // other words for the same parent may come of its new name
		inventoryPath = state.Path
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("parent_id"), parentID)...)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("path"), inventoryPath)...)
}

// planCapacity checks a change of the reservations under the parent that stays, and tells this run's children what the pool will be.
func (r *poolResource) planCapacity(ctx context.Context, state, plan *poolModel, parent types.String, resp *resource.ModifyPlanResponse) {
	if r.conns == nil || r.conns.get().vsphereUnknown {
		return
	}
	same := plan.CPU.Equal(state.CPU) && plan.Memory.Equal(state.Memory)
	if !same {
		r.conns.pools.add(plan)
	}
	if !known(parent) || same && r.conns.pools.get(parent.ValueString()) == nil {
		return
	}
	if client, err := r.conns.vsphere(ctx); err == nil {
		r.checkCapacity(ctx, client, parent.ValueString(), plan, state, &resp.Diagnostics)
	}
}

// planMove says whether the new words name the parent that the pool has already. A parent in another cluster replaces, one in
// the pool itself is refused.
func (r *poolResource) planMove(ctx context.Context, state, plan *poolModel, resp *resource.ModifyPlanResponse) bool {
	client, to := r.findParent(ctx, plan.Parent.ValueString(), resp)
	if to == "" {
		return false
	}
	if to == state.ParentID.ValueString() {
		return true
	}
	pool, err := client.ReadResourcePool(ctx, state.ID.ValueString())
	if err != nil {
		return false // apply meets it again
	}
	parent, err := client.ReadResourcePool(ctx, to)
	switch {
	case err != nil:
	case parent.Path == pool.Path || strings.HasPrefix(parent.Path, pool.Path+"/"):
		resp.Diagnostics.AddAttributeError(path.Root("parent"), "A pool cannot be its own parent",
			fmt.Sprintf("%s is, or lies below, the pool %s itself.", parent.Path, pool.Path))
	case parent.OwnerRef != pool.OwnerRef:
		resp.RequiresReplace = append(resp.RequiresReplace, path.Root("parent"))
		resp.Diagnostics.AddAttributeWarning(path.Root("parent"), "Another cluster: the pool is made anew there", fmt.Sprintf(
			"vCenter moves no pool between clusters, and %s divides the resources of %s while the pool is in %s. The pool here is deleted, as on_destroy says, and a new one is made.",
			parent.Path, parent.Owner, pool.Owner))
	}
	if err == nil {
		r.checkCapacity(ctx, client, to, plan, state, &resp.Diagnostics)
	}
	return false
}

// findParent finds the parent that the configuration names, once a run. One that is not there may be made in this very run,
// and a vCenter that does not answer is apply's to report; what cannot be a parent is an error.
func (r *poolResource) findParent(ctx context.Context, ref string, resp *resource.ModifyPlanResponse) (*vsphere.Client, string) {
	if r.conns == nil || r.conns.get().vsphereUnknown {
		return nil, ""
	}
	client, err := r.conns.vsphere(ctx)
	if err != nil {
		return nil, ""
	}
	found, err := client.Resolve(ctx, vsphere.KindResourcePool, ref)
	if errors.Is(err, sdk.ErrInvalid) {
		resp.Diagnostics.AddAttributeError(path.Root("parent"), "This cannot be the parent", detail(err))
	}
	if err != nil {
		return nil, ""
	}
	return client, found.Value
}
