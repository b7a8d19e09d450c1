package provider

import (
	"context"
	"fmt"
	"math"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	noLimit      = -1
	sharesNormal = "normal"
	sharesCustom = "custom"
)

// allocationModel is a share of CPU or memory that is guaranteed, bounded and weighed.
type allocationModel struct {
	Reservation types.Int64  `tfsdk:"reservation"`
	Limit       types.Int64  `tfsdk:"limit"`
	Expandable  types.Bool   `tfsdk:"expandable"`
	Shares      types.String `tfsdk:"shares"`
	ShareCount  types.Int64  `tfsdk:"share_count"`
}

func allocationTypes() map[string]attr.Type {
	return map[string]attr.Type{
		"reservation": types.Int64Type, "limit": types.Int64Type, "expandable": types.BoolType,
		"shares": types.StringType, "share_count": types.Int64Type,
	}
}

// allocationAttribute is the object cpu or memory: what is CPU or memory, unit is MHz or MB, counts tells the numbers behind
// the levels of shares.
func allocationAttribute(what, unit, counts string) schema.Attribute {
	return schema.SingleNestedAttribute{
		Optional: true, Computed: true,
		MarkdownDescription: fmt.Sprintf("The pool's %s. Left out, a new pool gets vCenter's defaults and later changes made elsewhere are no difference; "+
			"written, every value in it is managed, those left out with their defaults.", what) + inPlace,
		PlanModifiers: []planmodifier.Object{allocationPlan{}},
		Validators:    []validator.Object{allocationRules{what: what, unit: unit}},
		Attributes: map[string]schema.Attribute{
			"reservation": schema.Int64Attribute{
				Optional: true, Computed: true, Validators: []validator.Int64{int64validator.AtLeast(0)},
				MarkdownDescription: fmt.Sprintf("%s that is guaranteed, in %s. Default: `0`. More than the pools above can ever give is refused in the plan.", sentenceStart(what), unit) + inPlace,
			},
			"limit": schema.Int64Attribute{
				Optional: true, Computed: true, Validators: []validator.Int64{int64validator.AtLeast(noLimit)},
				MarkdownDescription: fmt.Sprintf("%s that is never exceeded, in %s; not below `reservation`. `-1` (default) is no limit, `0` is a real limit of nothing.",
					sentenceStart(what), unit) + inPlace,
			},
			"expandable": schema.BoolAttribute{
				Optional: true, Computed: true,
				MarkdownDescription: "Whether the pool may take more than its reservation from its parent when VMs in it need it to power on. Default: `true`. With `false` and a " +
					"reservation of 0 no VM in it powers on." + inPlace,
			},
			"shares": schema.StringAttribute{
				Optional: true, Computed: true, Validators: []validator.String{stringvalidator.OneOf("low", sharesNormal, "high", sharesCustom)},
				MarkdownDescription: "Weight against its siblings while resources are short: `low`, `normal` (default), `high` (" + counts + ") or `custom`, with `share_count`." + inPlace,
			},
			"share_count": schema.Int64Attribute{
				Optional: true, Computed: true, Validators: []validator.Int64{int64validator.Between(1, math.MaxInt32)},
				MarkdownDescription: "The weight as a number, without a unit: written for `custom` shares and only then, else what vCenter says." + inPlace,
			},
		},
	}
}

func sentenceStart(what string) string {
	if what == "memory" {
		return "Memory"
	}
	return what
}

func newAllocationModel(ctx context.Context, object types.Object) (allocationModel, diag.Diagnostics) {
	var m allocationModel
	if object.IsNull() || object.IsUnknown() {
		return m, nil
	}
	d := object.As(ctx, &m, basetypes.ObjectAsOptions{})
	return m, d
}

// allocationRules are the combinations that vCenter, or common sense, refuses.
type allocationRules struct{ what, unit string }

// Description says what is checked.
func (allocationRules) Description(context.Context) string {
	return "limit must not be below reservation; share_count goes with custom shares"
}

// MarkdownDescription says what is checked.
func (r allocationRules) MarkdownDescription(ctx context.Context) string { return r.Description(ctx) }

// ValidateObject checks what is known, and leaves the rest to a later look.
func (r allocationRules) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	m, d := newAllocationModel(ctx, req.ConfigValue)
	resp.Diagnostics.Append(d...)
	if d.HasError() || req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	r.amounts(req.Path, m, &resp.Diagnostics)
	r.shares(req.Path, m, &resp.Diagnostics)
}

func (r allocationRules) amounts(at path.Path, m allocationModel, diags *diag.Diagnostics) {
	reservation, limit := m.Reservation.ValueInt64(), m.Limit.ValueInt64()
	limited := !m.Limit.IsNull() && !m.Limit.IsUnknown() && limit != noLimit
	if limited && !m.Reservation.IsUnknown() && limit >= 0 && limit < reservation {
		diags.AddAttributeError(at.AtName("limit"), "The limit is below the reservation",
			fmt.Sprintf("A pool that is limited to %d %s cannot have %d %s reserved. Raise limit, lower reservation, or use limit = -1 for no limit.",
				limit, r.unit, reservation, r.unit))
	}
	if limited && limit == 0 {
		diags.AddAttributeWarning(at.AtName("limit"), "A limit of 0 is a limit of nothing",
			fmt.Sprintf("VMs in the pool get no %s at all. Use limit = -1, or leave it out, for no limit.", r.what))
	}
	if !m.Expandable.IsNull() && !m.Expandable.IsUnknown() && !m.Expandable.ValueBool() && !m.Reservation.IsUnknown() && reservation == 0 {
		diags.AddAttributeWarning(at.AtName("expandable"), "No VM in the pool can power on",
			fmt.Sprintf("Nothing is reserved and the reservation may not expand, so vCenter admits no VM that needs any %s reserved, and each VM needs some for its overhead. "+
				"Give the pool a reservation, or let it expand.", r.what))
	}
}

func (r allocationRules) shares(at path.Path, m allocationModel, diags *diag.Diagnostics) {
	if m.Shares.IsUnknown() || m.ShareCount.IsUnknown() {
		return
	}
	switch custom, counted := m.Shares.ValueString() == sharesCustom, !m.ShareCount.IsNull(); {
	case custom && !counted:
		diags.AddAttributeError(at.AtName("share_count"), "Custom shares without a count", "With shares = \"custom\" say how many: share_count = 5000, for example.")
	case !custom && counted:
		diags.AddAttributeError(at.AtName("share_count"), "A share count without custom shares",
			"vCenter ignores the number unless shares is \"custom\". Write shares = \"custom\", or leave share_count out.")
	}
}

// allocationPlan fills in the defaults of an object that is written, and keeps what is there when none is.
type allocationPlan struct{}

// Description says what is planned.
func (allocationPlan) Description(context.Context) string {
	return "values left out of a written object have their defaults"
}

// MarkdownDescription says what is planned.
func (p allocationPlan) MarkdownDescription(ctx context.Context) string { return p.Description(ctx) }

// PlanModifyObject plans the object.
func (allocationPlan) PlanModifyObject(ctx context.Context, req planmodifier.ObjectRequest, resp *planmodifier.ObjectResponse) {
	if req.ConfigValue.IsUnknown() {
		return
	}
	if req.ConfigValue.IsNull() {
		if !req.StateValue.IsNull() {
			resp.PlanValue = req.StateValue
		}
		return
	}
	plan, d := newAllocationModel(ctx, req.ConfigValue)
	resp.Diagnostics.Append(d...)
	state, d := newAllocationModel(ctx, req.StateValue)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.complete(state)
	resp.PlanValue, d = types.ObjectValueFrom(ctx, allocationTypes(), plan)
	resp.Diagnostics.Append(d...)
}

func (m *allocationModel) complete(state allocationModel) {
	if m.Reservation.IsNull() {
		m.Reservation = types.Int64Value(0)
	}
	if m.Limit.IsNull() {
		m.Limit = types.Int64Value(noLimit)
	}
	if m.Expandable.IsNull() {
		m.Expandable = types.BoolValue(true)
	}
	if m.Shares.IsNull() {
		m.Shares = types.StringValue(sharesNormal)
	}
	if m.ShareCount.IsNull() {
		m.ShareCount = types.Int64Unknown()
		if m.Shares.Equal(state.Shares) {
			m.ShareCount = state.ShareCount
		}
	}
}

// readAllocation is what vCenter has, in the words that were written where they mean the same: a custom count that is a
// level's own may be answered as that level.
func readAllocation(ctx context.Context, a vsphere.Allocation, written types.Object) (types.Object, diag.Diagnostics) {
	m := allocationModel{
		Reservation: types.Int64Value(a.Reservation), Limit: types.Int64Value(a.Limit), Expandable: types.BoolValue(a.Expandable),
		Shares: types.StringValue(a.Shares), ShareCount: types.Int64Value(int64(a.ShareCount)),
	}
	before, d := newAllocationModel(ctx, written)
	if before.Shares.ValueString() == sharesCustom && before.ShareCount.Equal(m.ShareCount) {
		m.Shares = before.Shares
	}
	object, more := types.ObjectValueFrom(ctx, allocationTypes(), m)
	return object, append(d, more...)
}

// allocationChanges are the values that a plan changes; nil is no change.
type allocationChanges struct {
	reservation, limit *int64
	expandable         *bool
	shares             *string
	count              *int32
}

func (m allocationModel) changes(state allocationModel) allocationChanges {
	var c allocationChanges
	if known(m.Reservation) && !m.Reservation.Equal(state.Reservation) {
		c.reservation = m.Reservation.ValueInt64Pointer()
	}
	if known(m.Limit) && !m.Limit.Equal(state.Limit) {
		c.limit = m.Limit.ValueInt64Pointer()
	}
	if known(m.Expandable) && !m.Expandable.Equal(state.Expandable) {
		c.expandable = m.Expandable.ValueBoolPointer()
	}
	custom := m.Shares.ValueString() == sharesCustom
	if known(m.Shares) && (!m.Shares.Equal(state.Shares) || custom && !m.ShareCount.Equal(state.ShareCount)) {
		c.shares = m.Shares.ValueStringPointer()
		if custom {
			count := int32(m.ShareCount.ValueInt64()) // the validator bounds it
			c.count = &count
		}
	}
	return c
}

func known(v attr.Value) bool { return !v.IsNull() && !v.IsUnknown() }
