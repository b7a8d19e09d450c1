package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/provider"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ provider.ProviderWithActions = (*Provider)(nil)

// Actions lists the actions, which Terraform 1.14 and newer know.
func (p *Provider) Actions(context.Context) []func() action.Action {
	return []func() action.Action{
		newSnapshotRevertAction,
		newVMPowerAction,
	}
}

// actionBase is what every action embeds.
type actionBase struct{ conns *connections }

// Configure takes the process's connections over.
func (b *actionBase) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	if conns, ok := req.ProviderData.(*connections); ok {
		b.conns = conns
	}
}

func (b *actionBase) vcenter(ctx context.Context, diags *diag.Diagnostics) (*vsphere.Client, bool) {
	return b.conns.client(ctx, diags)
}
