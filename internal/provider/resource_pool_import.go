package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ImportState takes an inventory path, a managed object id or an identity; Read does the rest.
func (r *poolResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	ref := req.ID
	if ref == "" {
		if !samePoolVCenter(ctx, client, req.Identity, &resp.Diagnostics) {
			return
		}
		var who poolIdentity
		resp.Diagnostics.Append(req.Identity.Get(ctx, &who)...)
		ref = "ResourcePool:" + who.MOID.ValueString()
	}
	pool, err := client.GetResourcePool(ctx, ref)
	if err != nil {
		resp.Diagnostics.AddError("Cannot find the resource pool", detail(err))
		return
	}
	if pool.Parent == "" {
		resp.Diagnostics.AddError("A root pool cannot be managed", fmt.Sprintf("%s belongs to its cluster or host. Import a pool below it.", pool.Path))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), pool.Ref)...)
	r.identify(ctx, client, &poolModel{ID: types.StringValue(pool.Ref)}, resp.Identity, &resp.Diagnostics)
}

// samePoolVCenter refuses an object of another vCenter: ids are the same everywhere and mean other things.
func samePoolVCenter(ctx context.Context, client *vsphere.Client, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) bool {
	if identity == nil || identity.Raw.IsNull() {
		return true
	}
	var who poolIdentity
	diags.Append(identity.Get(ctx, &who)...)
	vc, err := client.GetVCenter(ctx)
	if err != nil {
		diags.AddError("Cannot tell which vCenter this is", detail(err))
	}
	if diags.HasError() || !known(who.VCenter) || strings.EqualFold(who.VCenter.ValueString(), vc.InstanceUUID) {
		return !diags.HasError()
	}
	diags.AddError("Another vCenter", fmt.Sprintf("The pool %s is of the vCenter with the instance UUID %s, and the provider is logged in to %s (%s). "+
		"Point the provider at the former.", who.MOID.ValueString(), who.VCenter.ValueString(), vc.URL, vc.InstanceUUID))
	return false
}

// MoveState takes over resources of the vSphere provider by moved blocks.
func (r *poolResource) MoveState(ctx context.Context) []resource.StateMover {
	var schema resource.SchemaResponse
	r.Schema(ctx, resource.SchemaRequest{}, &schema)
	durations, _ := schema.Schema.Attributes["timeouts"].GetType().(timeouts.Type)
	return []resource.StateMover{{StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
		if req.SourceTypeName != "vsphere_resource_pool" || !fromVSphere(req.SourceProviderAddress) || req.SourceRawState == nil {
			return
		}
		var from peerPool
		if err := json.Unmarshal(req.SourceRawState.JSON, &from); err != nil || from.ID == "" {
			resp.Diagnostics.AddError("The state of the vsphere_resource_pool cannot be read", fmt.Sprintf(
				"It has no id, or is not what that provider writes (%v). Remove it from the state and import the pool instead.", err))
			return
		}
		model := from.model(ctx, &resp.Diagnostics)
		model.Timeouts = timeouts.Value{Object: types.ObjectNull(durations.AttrTypes)}
		resp.Diagnostics.Append(resp.TargetState.Set(ctx, &model)...)
	}}}
}

// fromVSphere says whether a provider's address, whatever its host, is that of the vSphere provider.
func fromVSphere(address string) bool {
	return strings.HasSuffix(address, "/hashicorp/vsphere") || strings.HasSuffix(address, "/vmware/vsphere")
}

// peerPool is what the state of a vsphere_resource_pool holds of ours.
type peerPool struct {
	ID               string `json:"id"`
	Name             string `json:"name"`
	Parent           string `json:"parent_resource_pool_id"`
	CPUReservation   int64  `json:"cpu_reservation"`
	CPULimit         int64  `json:"cpu_limit"`
	CPUExpandable    bool   `json:"cpu_expandable"`
	CPUShareLevel    string `json:"cpu_share_level"`
	CPUShares        int64  `json:"cpu_shares"`
	MemoryRes        int64  `json:"memory_reservation"`
	MemoryLimit      int64  `json:"memory_limit"`
	MemoryExpandable bool   `json:"memory_expandable"`
	MemoryShareLevel string `json:"memory_share_level"`
	MemoryShares     int64  `json:"memory_shares"`
	Scale            string `json:"scale_descendants_shares"`
}

// model is the state as far as it is known; the refresh that follows completes it.
func (p peerPool) model(ctx context.Context, diags *diag.Diagnostics) poolModel {
	half := func(reservation, limit int64, expandable bool, shares string, count int64) types.Object {
		object, d := types.ObjectValueFrom(ctx, allocationTypes(), allocationModel{
			Reservation: types.Int64Value(reservation), Limit: types.Int64Value(limit), Expandable: types.BoolValue(expandable),
			Shares: types.StringValue(shares), ShareCount: types.Int64Value(count),
		})
		diags.Append(d...)
		return object
	}
	m := poolModel{
		labels: noLabels(), // its tags are ids that may not be wanted here, and stay as they are
		ID:     types.StringValue(p.ID), Name: types.StringValue(p.Name), ParentID: types.StringValue(p.Parent), Parent: types.StringValue(p.Parent),
		CPU:       half(p.CPUReservation, p.CPULimit, p.CPUExpandable, p.CPUShareLevel, p.CPUShares),
		Memory:    half(p.MemoryRes, p.MemoryLimit, p.MemoryExpandable, p.MemoryShareLevel, p.MemoryShares),
		OnDestroy: types.StringValue(string(vsphere.RefuseUnlessEmpty)),
	}
	if p.Scale != "" {
		m.ScaleDescendantsShares = types.StringValue(p.Scale)
	}
	return m
}
