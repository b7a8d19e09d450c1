package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// poolModel is the resource's configuration, plan and state.
type poolModel struct {
	Name                   types.String   `tfsdk:"name"`
	Parent                 types.String   `tfsdk:"parent"`
	CPU                    types.Object   `tfsdk:"cpu"`
	Memory                 types.Object   `tfsdk:"memory"`
	ScaleDescendantsShares types.String   `tfsdk:"scale_descendants_shares"`
	OnDestroy              types.String   `tfsdk:"on_destroy"`
	Timeouts               timeouts.Value `tfsdk:"timeouts"`
	labels

	ID       types.String `tfsdk:"id"`
	Path     types.String `tfsdk:"path"`
	ParentID types.String `tfsdk:"parent_id"`
}

// poolIdentity tells a pool from all others.
type poolIdentity struct {
	VCenter types.String `tfsdk:"vcenter"`
	MOID    types.String `tfsdk:"moid"`
}

func (m *poolModel) identity(ctx context.Context, client *vsphere.Client) (poolIdentity, error) {
	vc, err := client.GetVCenter(ctx)
	if err != nil {
		return poolIdentity{}, err
	}
	return poolIdentity{VCenter: types.StringValue(vc.InstanceUUID), MOID: m.ID}, nil
}

// spec asks the SDK for a new pool. Values that are not written are left to it.
func (m *poolModel) spec(ctx context.Context, diags *diag.Diagnostics) vsphere.ResourcePoolSpec {
	cpu, d := newAllocationModel(ctx, m.CPU)
	diags.Append(d...)
	memory, d := newAllocationModel(ctx, m.Memory)
	diags.Append(d...)
	return vsphere.ResourcePoolSpec{
		Name: m.Name.ValueString(), Parent: m.Parent.ValueString(), ScaleDescendantsShares: m.ScaleDescendantsShares.ValueString(),
		CPUReservationMHz: cpu.Reservation.ValueInt64(), CPULimitMHz: cpu.Limit.ValueInt64Pointer(), CPUExpandable: cpu.Expandable.ValueBoolPointer(),
		CPUShares: cpu.Shares.ValueString(), CPUShareCount: int32(cpu.ShareCount.ValueInt64()),
		MemoryReservationMB: memory.Reservation.ValueInt64(), MemoryLimitMB: memory.Limit.ValueInt64Pointer(),
		MemoryExpandable: memory.Expandable.ValueBoolPointer(), MemoryShares: memory.Shares.ValueString(), MemoryShareCount: int32(memory.ShareCount.ValueInt64()),
	}
}

// changes asks the SDK for what the plan changes, but for the parent.
func (m *poolModel) changes(ctx context.Context, state *poolModel, diags *diag.Diagnostics) vsphere.UpdateResourcePoolSpec {
	var spec vsphere.UpdateResourcePoolSpec
	if known(m.Name) && !m.Name.Equal(state.Name) {
		spec.Name = m.Name.ValueStringPointer()
	}
	if known(m.ScaleDescendantsShares) && !m.ScaleDescendantsShares.Equal(state.ScaleDescendantsShares) {
		spec.ScaleDescendantsShares = m.ScaleDescendantsShares.ValueStringPointer()
	}
	half := func(plan, state types.Object) allocationChanges {
		after, d := newAllocationModel(ctx, plan)
		diags.Append(d...)
		before, d := newAllocationModel(ctx, state)
		diags.Append(d...)
		return after.changes(before)
	}
	cpu, memory := half(m.CPU, state.CPU), half(m.Memory, state.Memory)
	spec.CPUReservationMHz, spec.CPULimitMHz, spec.CPUExpandable = cpu.reservation, cpu.limit, cpu.expandable
	spec.CPUShares, spec.CPUShareCount = cpu.shares, cpu.count
	spec.MemoryReservationMB, spec.MemoryLimitMB, spec.MemoryExpandable = memory.reservation, memory.limit, memory.expandable
	spec.MemoryShares, spec.MemoryShareCount = memory.shares, memory.count
	return spec
}

// set takes over what vCenter has. Words that were written and mean the same stay.
func (m *poolModel) set(ctx context.Context, client *vsphere.Client, pool *vsphere.ResourcePool, diags *diag.Diagnostics) {
	var d diag.Diagnostics
	m.ID, m.Name, m.Path = types.StringValue(pool.Ref), types.StringValue(pool.Name), types.StringValue(pool.Path)
	m.Parent = sameReference(ctx, client, vsphere.KindResourcePool, m.Parent, pool.Parent, pool.ParentPath)
	m.ParentID = types.StringValue(pool.Parent)
	m.CPU, d = readAllocation(ctx, pool.CPU(), m.CPU)
	diags.Append(d...)
	m.Memory, d = readAllocation(ctx, pool.Memory(), m.Memory)
	diags.Append(d...)
	switch scale := pool.ScaleDescendantsShares; {
	case scale != "":
		m.ScaleDescendantsShares = types.StringValue(scale)
	case m.ScaleDescendantsShares.ValueString() != vsphere.ScaleDisabled: // a vCenter that says nothing means disabled
		m.ScaleDescendantsShares = types.StringNull()
	}
	if m.OnDestroy.IsNull() {
		m.OnDestroy = types.StringValue(string(vsphere.RefuseUnlessEmpty))
	}
}

// unread is a pool that was made and cannot be read: its id is enough to destroy it.
func (m *poolModel) unread(ref string) {
	m.ID, m.Path, m.ParentID = types.StringValue(ref), types.StringNull(), types.StringNull()
	if m.Parent.IsUnknown() {
		m.Parent = types.StringNull()
	}
	if m.ScaleDescendantsShares.IsUnknown() {
		m.ScaleDescendantsShares = types.StringNull()
	}
	m.CPU, m.Memory = types.ObjectNull(allocationTypes()), types.ObjectNull(allocationTypes())
}
