package provider

import (
	"context"
	"errors"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// resourceBase is what every resource embeds: the process's connections, and how to get at vCenter.
type resourceBase struct{ conns *connections }

// Configure takes the process's connections over.
func (b *resourceBase) Configure(_ context.Context, req resource.ConfigureRequest, _ *resource.ConfigureResponse) {
	if conns, ok := req.ProviderData.(*connections); ok {
		b.conns = conns
	}
}

func (b *resourceBase) vcenter(ctx context.Context, diags *diag.Diagnostics) (*vsphere.Client, bool) {
	return b.conns.client(ctx, diags)
}

// dataBase is what every data source embeds.
type dataBase struct{ conns *connections }

// Configure takes the process's connections over.
func (b *dataBase) Configure(_ context.Context, req datasource.ConfigureRequest, _ *datasource.ConfigureResponse) {
	if conns, ok := req.ProviderData.(*connections); ok {
		b.conns = conns
	}
}

func (b *dataBase) vcenter(ctx context.Context, diags *diag.Diagnostics) (*vsphere.Client, bool) {
	return b.conns.client(ctx, diags)
}

// client is the process's vCenter session, or the diagnostic that says why there is none.
func (c *connections) client(ctx context.Context, diags *diag.Diagnostics) (*vsphere.Client, bool) {
	client, err := c.vsphere(ctx)
	if err != nil {
		diags.AddError("Cannot reach vCenter", detail(err))
		return nil, false
	}
	return client, true
}

// sameReference keeps the words of the configuration while they name the object that is there: a path, a managed object id
// and a name of one thing are no difference. Otherwise it gives the object's path. ref is the id of what is there.
func sameReference(ctx context.Context, client *vsphere.Client, kind vsphere.Kind, written types.String, ref, path string) types.String {
	if written.IsNull() || written.IsUnknown() {
		return types.StringValue(path)
	}
	text := written.ValueString()
	if text == path || text == ref {
		return written
	}
	found, err := client.Resolve(ctx, kind, text)
	if err == nil && found.Value == ref {
		return written
	}
	if err != nil && errors.Is(err, context.Canceled) {
		return written
	}
	return types.StringValue(path)
}
