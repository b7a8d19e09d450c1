package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ list.ListResourceWithConfigure = (*cloneList)(nil)

// cloneList lists the VMs of the vCenter, for any of them can be managed as a clone.
type cloneList struct{ cloneResource }

func newCloneList() list.ListResource { return &cloneList{} }

// ListResourceConfigSchema describes the list block.
func (l *cloneList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = namedListSchema("Lists the VMs of the vCenter, whoever made them; templates are a list of their own.", "VMs")
}

// List asks vCenter for all VMs at once. A VM's whole configuration is read only when it is asked for.
func (l *cloneList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var model namedListModel
	diags := req.Config.Get(ctx, &model)
	client, ok := l.vcenter(ctx, &diags)
	if !ok || diags.HasError() {
		listFailed(stream, diags)
		return
	}
	noTemplates := false
	vms, err := client.ListVMs(ctx, vsphere.Filter{Name: model.Name.ValueString(), Templates: &noTemplates})
	if err != nil {
		diags.AddError("Cannot list VMs", detail(err))
		listFailed(stream, diags)
		return
	}
	listed(req, stream, vms, func(vm vsphere.VMSummary) (list.ListResult, bool) { return l.result(ctx, req, client, &vm), true })
}

func (l *cloneList) result(ctx context.Context, req list.ListRequest, client *vsphere.Client, vm *vsphere.VMSummary) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = vm.Path
	uuid := types.StringValue(vm.InstanceUUID)
	result.Diagnostics.Append(setCloneIdentity(ctx, result.Identity, client, &cloneModel{InstanceUUID: uuid})...)
	if !req.IncludeResource {
		return result
	}
	var state cloneModel
	result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("moid"), vm.Ref)...) // an object now, its attributes null
	result.Diagnostics.Append(result.Resource.Get(ctx, &state)...)
	whole, err := client.RefreshVM(ctx, vm.Ref, vm.InstanceUUID)
	if err != nil {
		result.Diagnostics.AddError("Cannot read "+vm.Path, detail(err))
		return result
	}
	state.observe(ctx, client, whole, &result.Diagnostics) // as after an import
	result.Diagnostics.Append(result.Resource.Set(ctx, &state)...)
	return result
}
