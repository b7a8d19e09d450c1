package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/action"
	"github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var _ action.ActionWithConfigure = (*vmPowerAction)(nil)

// powerTimeout is how long the action waits unless it is told otherwise.
const powerTimeout = 10 * time.Minute

type vmPowerAction struct{ actionBase }

func newVMPowerAction() action.Action { return &vmPowerAction{} }

type vmPowerModel struct {
	VM      types.String `tfsdk:"vm"`
	Power   types.String `tfsdk:"power"`
	Wait    types.Bool   `tfsdk:"wait"`
	Timeout types.String `tfsdk:"timeout"`
}

// Metadata names the action.
func (a *vmPowerAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_vm_power"
}

// Schema describes the action.
func (a *vmPowerAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	var allowed []string
	for _, word := range vsphere.PowerActions() {
		allowed = append(allowed, string(word))
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Switches a VM on or off, or restarts or suspends it. A VM that is in the state already is left alone. " +
			"Needs Terraform 1.14.",
		Attributes: map[string]schema.Attribute{
			"vm": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The VM: inventory path, managed object id, instance UUID, or a name that only one VM has.",
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"power": schema.StringAttribute{
				Required: true,
				MarkdownDescription: "`on`, `shutdown` or `reboot` (both through the guest, which needs VMware Tools), `off` or `reset` " +
					"(both hard: the guest is not asked), `suspend`.",
				Validators: []validator.String{words{allowed: allowed}},
			},
			"wait": schema.BoolAttribute{
				Optional: true,
				MarkdownDescription: "`true` waits until it is done: after `shutdown` the VM is off, after `reboot` VMware Tools run again. " +
					"`false` goes on once vCenter took the request. Default: `true`.",
			},
			"timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How long to wait, a duration such as `90s` or `10m`. Default: `10m`.",
				Validators:          []validator.String{duration{}},
			},
		},
	}
}

// Invoke does the action.
func (a *vmPowerAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var model vmPowerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	client, ok := a.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	vm, err := client.GetVM(ctx, model.VM.ValueString())
	if err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("vm"), "Cannot find the VM", detail(err))
		return
	}
	wait := model.timeout()
	resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf("%s: %s, from %s", vm.Path, model.Power.ValueString(), vm.PowerState)})
	err = client.PowerVM(ctx, vm, vsphere.PowerAction(model.Power.ValueString()), wait)
	switch {
	case errors.Is(err, sdk.ErrInvalid):
		resp.Diagnostics.AddAttributeError(path.Root("power"), "Cannot change the VM's power", detail(err))
	case err != nil:
		resp.Diagnostics.AddError("Cannot change the VM's power", detail(err))
	}
}

// timeout is how long to wait; 0 is not at all.
func (m vmPowerModel) timeout() time.Duration {
	if !m.Wait.IsNull() && !m.Wait.ValueBool() {
		return 0
	}
	d, err := time.ParseDuration(m.Timeout.ValueString())
	if err != nil { // the validator let no other text through than none
		return powerTimeout
	}
	return d
}
