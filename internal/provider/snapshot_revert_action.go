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

var _ action.ActionWithConfigure = (*snapshotRevertAction)(nil)

// revertTimeout is how long the action waits unless it is told otherwise.
const revertTimeout = 30 * time.Minute

func newSnapshotRevertAction() action.Action { return &snapshotRevertAction{} }

// snapshotRevertAction brings a VM back to a snapshot. It is an action, not an argument: what it throws away nobody gets back.
type snapshotRevertAction struct{ actionBase }

type snapshotRevertModel struct {
	VM              types.String `tfsdk:"vm"`
	Snapshot        types.String `tfsdk:"snapshot"`
	SuppressPowerOn types.Bool   `tfsdk:"suppress_power_on"`
	Timeout         types.String `tfsdk:"timeout"`
}

// Metadata names the action.
func (a *snapshotRevertAction) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_snapshot_revert"
}

// Schema describes the action.
func (a *snapshotRevertAction) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	filled := []validator.String{stringvalidator.LengthAtLeast(1)}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Brings a VM back to a snapshot: configuration and disks become what they were. **What was written since is lost.** The VM is off afterwards, " +
			"unless the snapshot holds its memory: then it runs where it ran. Needs Terraform 1.14; with an older one revert in the vSphere Client, then " +
			"run `terraform apply -refresh-only`.",
		Attributes: map[string]schema.Attribute{
			"vm": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The VM: inventory path, managed object id, instance UUID, or a name that only one VM has.",
				Validators:          filled,
			},
			"snapshot": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "The snapshot: its managed object id, its path (`base/before-upgrade`), or a name that only one snapshot of the VM has.",
				Validators:          filled,
			},
			"suppress_power_on": schema.BoolAttribute{
				Optional:            true,
				MarkdownDescription: "`true` leaves the VM off even when the snapshot holds its memory. Default: `false`.",
			},
			"timeout": schema.StringAttribute{
				Optional:            true,
				MarkdownDescription: "How long it may take, a duration such as `10m`. Default: `30m`.",
				Validators:          []validator.String{duration{}},
			},
		},
	}
}

// Invoke reverts.
func (a *snapshotRevertAction) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var model snapshotRevertModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &model)...)
	if resp.Diagnostics.HasError() {
		return
	}
	client, ok := a.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	timeout, err := time.ParseDuration(model.Timeout.ValueString())
	if err != nil { // the validator let no other text through than none
		timeout = revertTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	spec := vsphere.RevertSpec{
		VM: model.VM.ValueString(), Snapshot: model.Snapshot.ValueString(), SuppressPowerOn: model.SuppressPowerOn.ValueBool(),
	}
	resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf("%s: back to %s", spec.VM, spec.Snapshot)})
	err = client.RevertSnapshot(ctx, spec, func(p sdk.Progress) {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf("%s: %d %%", spec.VM, p.Done)})
	})
	if err == nil {
		return
	}
	at := path.Root("vm")
	if errors.Is(err, sdk.ErrNotFound) || errors.Is(err, sdk.ErrInvalid) {
		at = path.Root("snapshot")
	}
	resp.Diagnostics.AddAttributeError(at, "Cannot revert the VM", detail(err))
}
