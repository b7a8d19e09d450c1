package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Update makes the VM what the configuration says, in place, and goes on with one that was interrupted.
func (r *cloneResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var config, plan, state cloneModel
	resp.Diagnostics.Append(readModel(ctx, req.Config.Schema, req.Config.Raw, &config)...)
	resp.Diagnostics.Append(readModel(ctx, req.Plan.Schema, req.Plan.Raw, &plan)...)
	resp.Diagnostics.Append(readModel(ctx, req.State.Schema, req.State.Raw, &state)...)
	timeout, d := plan.Timeouts.Update(ctx, cloneUpdateTimeout)
	resp.Diagnostics.Append(d...)
	spec := config.update(ctx, &state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	vm, err := client.RefreshVM(ctx, state.MOID.ValueString(), state.InstanceUUID.ValueString())
	if errors.Is(err, sdk.ErrNotFound) {
		resp.Diagnostics.AddError(fmt.Sprintf("VM %q is gone", state.Name.ValueString()), "It was deleted after the plan was made. Plan again: it will be created.")
		return
	}
	if err == nil {
		vm, err = changeClone(ctx, client, vm, spec, config.Power.ValueString(), timeout, cloneProgress(ctx, vm.Name))
	}
	if err == nil {
		err = config.writeTags(ctx, client, vm, state.labels())
	}
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot change VM %q", state.Name.ValueString()), detail(err)+
			"\n\nWhat was changed stays; the next plan shows what is left.")
		return // the state stays as it was, and the next refresh tells what is so
	}
	if plan.UserDataDigest.IsUnknown() {
		plan.UserDataDigest = config.handedOver(ctx, vm, &resp.Diagnostics)
	}
	vm = r.finish(ctx, client, &config, &plan, vm, nil, &resp.Diagnostics)
	r.save(ctx, client, &plan, vm, &resp.State, resp.Identity, &resp.Diagnostics)
}

// changeClone brings a VM to what is asked, in the order that needs no restart where there is one: off before, on afterwards.
func changeClone(
	ctx context.Context, client *vsphere.Client, vm *vsphere.VM, spec vsphere.UpdateVMSpec, power string, timeout time.Duration, report sdk.ProgressFunc,
) (*vsphere.VM, error) {
	policy := vsphere.PowerOffPolicy{ShutdownTimeout: min(shutdownIn, timeout/2), Force: spec.AllowRestart}
	if power == powerOff && vm.PowerState != "poweredOff" {
		if err := client.PowerOffVM(ctx, vm, policy); err != nil {
			return vm, sdk.WithHint(err, "set allow_restart = true to power it off when the guest does not heed")
		}
		off := *vm
		off.PowerState = "poweredOff"
		vm = &off
	}
	spec.PowerOff = policy
	changed, err := client.UpdateVM(ctx, vm, spec, report)
	if err != nil {
		return vm, err
	}
	if power != powerOn || changed.PowerState == "poweredOn" {
		return changed, nil
	}
	if err := client.PowerOnVM(ctx, changed); err != nil {
		return changed, err
	}
	return client.RefreshVM(ctx, changed.Ref, changed.InstanceUUID)
}

// settingPath is the attribute behind a setting's name in the SDK: memory_mb, disks.scsi0:1, networks.0.type.
func settingPath(name string) path.Path {
	group, key, nested := strings.Cut(name, ".")
	switch group {
	case "memory_mb":
		return path.Root("memory")
	case "disks", "networks", "extra_config", "vapp_properties":
		if nested {
			slot, field, inner := strings.Cut(key, ".")
			if group == "extra_config" || group == "vapp_properties" || !inner {
				return path.Root(group).AtMapKey(key)
			}
			return path.Root(group).AtMapKey(slot).AtName(fieldName(field))
		}
	}
	return path.Root(group)
}

func fieldName(json string) string {
	if json == "size_gb" {
		return "size"
	}
	return json
}
