package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/list"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ list.ListResourceWithConfigure = (*poolList)(nil)

// poolList lists the resource pools that can be managed: all but root pools, which belong to their cluster or host.
type poolList struct{ poolResource }

func newPoolList() list.ListResource { return &poolList{} }

// ListResourceConfigSchema describes the list block.
func (l *poolList) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = namedListSchema("Lists the resource pools of the vCenter, but for the root pools of clusters and hosts and for vApps.", "pools")
}

// List asks vCenter for all pools at once.
func (l *poolList) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var model namedListModel
	diags := req.Config.Get(ctx, &model)
	client, ok := l.vcenter(ctx, &diags)
	if !ok || diags.HasError() {
		listFailed(stream, diags)
		return
	}
	pools, err := client.ListResourcePools(ctx, model.Name.ValueString())
	if err != nil {
		diags.AddError("Cannot list resource pools", detail(err))
		listFailed(stream, diags)
		return
	}
	listed(req, stream, pools, func(pool vsphere.ResourcePool) (list.ListResult, bool) {
		return l.result(ctx, req, client, &pool), pool.Parent != ""
	})
}

func (l *poolList) result(ctx context.Context, req list.ListRequest, client *vsphere.Client, pool *vsphere.ResourcePool) list.ListResult {
	result := req.NewListResult(ctx)
	result.DisplayName = pool.Path
	l.identify(ctx, client, &poolModel{ID: types.StringValue(pool.Ref)}, result.Identity, &result.Diagnostics)
	if !req.IncludeResource {
		return result
	}
	var state poolModel
	result.Diagnostics.Append(result.Resource.SetAttribute(ctx, path.Root("id"), pool.Ref)...)
	result.Diagnostics.Append(result.Resource.Get(ctx, &state)...)
	state.set(ctx, client, pool, &result.Diagnostics)
	result.Diagnostics.Append(result.Resource.Set(ctx, &state)...)
	return result
}
