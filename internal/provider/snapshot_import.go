package provider

import (
	"context"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ImportState takes VM#SNAPSHOT, a snapshot's managed object id, or an identity; Read does the rest.
func (r *snapshotResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	id := req.ID
	if id == "" {
		var who snapshotIdentity
		resp.Diagnostics.Append(req.Identity.Get(ctx, &who)...)
		if resp.Diagnostics.HasError() || !sameVCenterUUID(ctx, client, who.VCenter, &resp.Diagnostics) {
			return
		}
		id = who.Moid.ValueString()
	}
	vm, snapshot, err := findImportedSnapshot(ctx, client, id)
	if err != nil {
		resp.Diagnostics.AddError("Cannot import the snapshot", detail(err))
		return
	}
	for attribute, value := range map[string]any{"id": snapshot, "vm_moid": vm, "remove_children": false} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
}

// findImportedSnapshot is the morefs of VM and snapshot. A snapshot's name may hold a #, a VM's reference does not.
func findImportedSnapshot(ctx context.Context, client *vsphere.Client, id string) (vm, snapshot string, err error) {
	of, which, both := strings.Cut(id, "#")
	if !both {
		if !strings.HasPrefix(id, "snapshot-") {
			return "", "", sdk.WithHint(sdk.Invalidf("%q names no snapshot", id),
				"write the VM, a # and the snapshot: /DC1/vm/web-01#base, vm-42#base/before-upgrade; a snapshot's managed object id alone will do, too")
		}
		vm, err = client.VMOfSnapshot(ctx, id)
		return vm, id, err
	}
	list, err := client.ListSnapshots(ctx, of)
	if err != nil {
		return "", "", err
	}
	found, err := list.Find(which)
	if err != nil {
		return "", "", err
	}
	return list.VM, found.Ref, nil
}
