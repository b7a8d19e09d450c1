package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ImportState takes a template's path, managed object id, instance UUID or unique name, or an identity; Read does the rest.
func (r *templateResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	ref := req.ID
	if ref == "" {
		var who templateIdentity
		resp.Diagnostics.Append(req.Identity.Get(ctx, &who)...)
		if resp.Diagnostics.HasError() || !sameVCenterUUID(ctx, client, who.VCenter, &resp.Diagnostics) {
			return
		}
		ref = who.InstanceUUID.ValueString()
	}
	found, err := client.GetTemplate(ctx, ref)
	if err != nil {
		resp.Diagnostics.AddError("Cannot import the template", detail(err))
		return
	}
	if !found.Template {
		resp.Diagnostics.AddError("Not a template", fmt.Sprintf("%s is a VM. To make a template of it, create the resource with method = \"convert\".", found.Path))
		return
	}
	for attribute, value := range map[string]string{
		"id": found.InstanceUUID, "moid": found.Ref, "method": string(vsphere.TemplateByClone), "on_destroy": destroyDelete,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
}

// sameVCenterUUID refuses an identity of another vCenter.
func sameVCenterUUID(ctx context.Context, client *vsphere.Client, want types.String, diags *diag.Diagnostics) bool {
	about, err := client.GetVCenter(ctx)
	if err != nil {
		diags.AddError("Cannot tell the vCenter", detail(err))
		return false
	}
	if !strings.EqualFold(want.ValueString(), about.InstanceUUID) {
		diags.AddError("Another vCenter", fmt.Sprintf("The identity is of the vCenter %s, and the provider is connected to %s.", want.ValueString(), about.InstanceUUID))
		return false
	}
	return true
}
