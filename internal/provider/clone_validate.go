package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ValidateConfig refuses combinations that cannot be right in any vCenter. It says nothing of what is not known yet.
func (r *cloneResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var m cloneModel
	resp.Diagnostics.Append(readModel(ctx, req.Config.Schema, req.Config.Raw, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	diags := &resp.Diagnostics
	if cpus, cores := m.CPUs.ValueInt64(), m.CoresPerSocket.ValueInt64(); cpus > 0 && cores > 0 && cpus%cores != 0 {
		diags.AddAttributeError(path.Root("cores_per_socket"), "Sockets are not whole", fmt.Sprintf("%d CPUs do not fill sockets of %d cores; make cpus a multiple of cores_per_socket.", cpus, cores))
	}
	validateAllocation(ctx, path.Root("cpu_allocation"), m.CPUAllocation, diags)
	validateAllocation(ctx, path.Root("memory_allocation"), m.MemoryAllocation, diags)
	if cd := object[cloneCDROM](ctx, m.CDROM, diags); cd != nil && cd.Client.Equal(types.BoolValue(false)) {
		diags.AddAttributeError(path.Root("cdrom").AtName("client"), "Neither a file nor the client's drive", "client = false says nothing; name an iso, write client = true, or leave cdrom out.")
	}
	if !m.Snapshot.IsNull() && !m.Linked.IsUnknown() && m.Source.IsNull() {
		diags.AddAttributeError(path.Root("snapshot"), "A snapshot of what?", "snapshot is one of the source's; give source too.")
	}
	if w := object[cloneWaitFor](ctx, m.WaitFor, diags); w != nil && w.Customization.ValueBool() && m.Customize.IsNull() {
		diags.AddAttributeError(path.Root("wait_for").AtName("customization"), "There is no customization to wait for", "Add customize, or take customization out of wait_for.")
	}
	m.validateCustomize(ctx, diags)
}

func validateAllocation(ctx context.Context, at path.Path, v types.Object, diags *diag.Diagnostics) {
	a := object[cloneAllocation](ctx, v, diags)
	if a == nil {
		return
	}
	custom := a.Shares.ValueString() == "custom"
	switch {
	case a.Shares.IsUnknown() || a.ShareCount.IsUnknown():
	case custom && a.ShareCount.IsNull():
		diags.AddAttributeError(at.AtName("share_count"), "How many shares?", "shares = \"custom\" needs share_count.")
	case !custom && !a.ShareCount.IsNull():
		diags.AddAttributeError(at.AtName("share_count"), "The number of shares is set by the level", "share_count counts only with shares = \"custom\"; set that, or leave share_count out.")
	}
	if limit, reserved := a.Limit.ValueInt64(), a.Reservation.ValueInt64(); !a.Limit.IsNull() && !a.Limit.IsUnknown() && limit >= 0 && limit < reserved {
		diags.AddAttributeError(at.AtName("limit"), "The limit is below the reservation", fmt.Sprintf("limit is %d and reservation %d; raise the limit, lower the reservation, or write -1 for no limit.", limit, reserved))
	}
}

func (m *cloneModel) validateCustomize(ctx context.Context, diags *diag.Diagnostics) {
	c := object[cloneCustomize](ctx, m.Customize, diags)
	if c == nil {
		return
	}
	at := path.Root("customize")
	if m.Power.ValueString() == powerOff || m.Power.ValueString() == powerUnmanaged {
		diags.AddAttributeWarning(at, "Customized later", "A guest is customized when it first starts, and power does not start it.")
	}
	for slot, i := range objects[cloneInterface](ctx, c.Interfaces, diags) {
		if len(listOf(i.Gateways)) > 0 && i.IPv4.IsNull() && i.IPv6.IsNull() {
			diags.AddAttributeError(at.AtName("interfaces").AtMapKey(slot).AtName("gateways"), "A gateway without an address",
				"DHCP brings its own gateway; give the adapter an ipv4 or ipv6 address, or leave gateways out.")
		}
	}
}
