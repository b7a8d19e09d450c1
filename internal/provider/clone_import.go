package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// ImportState takes an inventory path, managed object id, instance UUID or unique name, or an identity; Read does the rest.
// What only a creation knew stays null, and setting it later replaces nothing.
func (r *cloneResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	about, err := client.GetVCenter(ctx)
	if err != nil {
		resp.Diagnostics.AddError("Cannot tell which vCenter this is", detail(err))
		return
	}
	ref := req.ID
	if ref == "" {
		var who cloneIdentity
		resp.Diagnostics.Append(req.Identity.Get(ctx, &who)...)
		if other := who.VCenter.ValueString(); other != "" && !strings.EqualFold(other, about.InstanceUUID) {
			resp.Diagnostics.AddError("Another vCenter", fmt.Sprintf("The identity is of the vCenter %s; the provider is connected to %s.", other, about.InstanceUUID))
			return
		}
		ref = who.InstanceUUID.ValueString()
	}
	vm, err := client.GetVM(ctx, ref)
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot import %q", ref), detail(err))
		return
	}
	if vm.Template {
		resp.Diagnostics.AddError("A template is no clone", fmt.Sprintf("%s is a template. Import it as a hypersdk_template.", vm.Path))
		return
	}
	for attribute, value := range map[string]string{"moid": vm.Ref, "instance_uuid": vm.InstanceUUID} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	if resp.Identity != nil {
		resp.Diagnostics.Append(resp.Identity.Set(ctx, cloneIdentity{
			VCenter: types.StringValue(about.InstanceUUID), InstanceUUID: types.StringValue(vm.InstanceUUID),
		})...)
	}
}

// MoveState adopts the state of a vsphere_virtual_machine. The refresh after it fills what that state does not say.
func (r *cloneResource) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{StateMover: moveVirtualMachine}}
}

// moveVirtualMachine takes over which VM it is. Everything else is null, as after an import: nothing is replaced for it.
func moveVirtualMachine(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
	if req.SourceTypeName != "vsphere_virtual_machine" || !fromVSphere(req.SourceProviderAddress) || req.SourceRawState == nil {
		return
	}
	var was struct {
		MOID string `json:"moid"`
		UUID string `json:"uuid"`
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	if err := json.Unmarshal(req.SourceRawState.JSON, &was); err != nil {
		resp.Diagnostics.AddError("The state of the vsphere_virtual_machine cannot be read", detail(err))
		return
	}
	if was.UUID == "" {
		was.UUID = was.ID // both are the BIOS UUID
	}
	if was.MOID == "" {
		resp.Diagnostics.AddError("The state does not say which VM it is", fmt.Sprintf("The state of vsphere_virtual_machine %q has no moid. Refresh it with a current release of that provider "+
			"and try again, or take it out of the state and import the VM by its path.", was.Name))
		return
	}
	for attribute, value := range map[string]string{"moid": was.MOID, "bios_uuid": was.UUID, "name": was.Name} {
		if value != "" {
			resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root(attribute), value)...)
		}
	}
}
