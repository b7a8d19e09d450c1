package provider

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var (
	_ resource.ResourceWithConfigure      = (*snapshotResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*snapshotResource)(nil)
	_ resource.ResourceWithValidateConfig = (*snapshotResource)(nil)
	_ resource.ResourceWithImportState    = (*snapshotResource)(nil)
	_ resource.ResourceWithIdentity       = (*snapshotResource)(nil)
)

// The bounds of the verbs when timeouts names none.
const (
	snapshotCreate = 30 * time.Minute
	snapshotUpdate = 5 * time.Minute
	snapshotDelete = 2 * time.Hour
)

func newSnapshotResource() resource.Resource { return &snapshotResource{} }

// snapshotResource is one snapshot of a VM.
type snapshotResource struct{ resourceBase }

// Metadata names the resource.
func (r *snapshotResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_snapshot"
}

// ValidateConfig refuses what contradicts itself.
func (r *snapshotResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var config snapshotModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if config.Memory.ValueBool() && config.Quiesce.ValueBool() {
		resp.Diagnostics.AddAttributeError(path.Root("quiesce"), "Memory and quiesce exclude each other",
			"A snapshot with memory holds the running guest as it is; one without is made consistent by quiesce. Keep one of them.")
	}
}

// ModifyPlan says what a change does: vCenter decides path, parent and current anew, and another VM needs another snapshot.
func (r *snapshotResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.State.Raw.IsNull() {
		return
	}
	var state, plan snapshotModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !plan.VM.Equal(state.VM) && r.otherVM(ctx, &state, &plan, &resp.Diagnostics) {
		resp.RequiresReplace.Append(path.Root("vm"))
		return
	}
	if plan.Name.Equal(state.Name) { // nothing of it moves
		plan.Path, plan.Parent, plan.Current = state.Path, state.Parent, state.Current
		resp.Diagnostics.Append(resp.Plan.Set(ctx, &plan)...)
	}
}

// otherVM says whether the configuration names another VM than the one in state.
func (r *snapshotResource) otherVM(ctx context.Context, state, plan *snapshotModel, diags *diag.Diagnostics) bool {
	if plan.VM.IsUnknown() {
		return true
	}
	client, ok := r.vcenter(ctx, diags)
	if !ok {
		return false
	}
	found, err := client.Resolve(ctx, vsphere.KindVM, plan.VM.ValueString())
	if errors.Is(err, sdk.ErrNotFound) {
		return false // it may get its name in this very apply; Update looks again
	}
	if err != nil {
		diags.AddAttributeError(path.Root("vm"), "Cannot find the VM", detail(err))
		return false
	}
	return found.Value != state.VMMoid.ValueString()
}

// Create takes the snapshot.
func (r *snapshotResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan snapshotModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Create(ctx, snapshotCreate)
	resp.Diagnostics.Append(d...)
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	made, of, err := client.CreateSnapshot(ctx, vsphere.SnapshotSpec{
		VM: plan.VM.ValueString(), Name: plan.Name.ValueString(), Description: plan.Description.ValueString(),
		Memory: plan.Memory.ValueBool(), Quiesce: plan.Quiesce.ValueBool(),
	}, newProgress(ctx).report)
	if err != nil {
		resp.Diagnostics.AddAttributeError(snapshotErrorPath(err), "Cannot take the snapshot", detail(err))
		return
	}
	plan.Memory, plan.Quiesce = types.BoolValue(plan.Memory.ValueBool()), types.BoolValue(plan.Quiesce.ValueBool())
	plan.set(of, made)
	r.store(ctx, client, &plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

// snapshotErrorPath is the argument that most likely has to change.
func snapshotErrorPath(err error) path.Path {
	if errors.Is(err, vsphere.ErrNameTaken) {
		return path.Root("name")
	}
	return path.Root("vm")
}

// store writes state and identity.
func (r *snapshotResource) store(ctx context.Context, client *vsphere.Client, model *snapshotModel, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	diags.Append(state.Set(ctx, model)...)
	r.identify(ctx, client, model, identity, diags)
}

// identify writes the identity. Read does it first: a Terraform that keeps none asks for it even of a resource that is gone.
func (r *snapshotResource) identify(ctx context.Context, client *vsphere.Client, model *snapshotModel, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	if identity == nil {
		return
	}
	about, err := client.GetVCenter(ctx)
	if err != nil {
		diags.AddError("Cannot tell the vCenter", detail(err))
		return
	}
	diags.Append(identity.Set(ctx, snapshotIdentity{VCenter: types.StringValue(about.InstanceUUID), Moid: model.ID})...)
}

// set takes over what vCenter says. What only matters to create stays as it is.
func (m *snapshotModel) set(of *vsphere.VMSnapshots, s *vsphere.Snapshot) {
	m.ID, m.VMID, m.VMMoid = types.StringValue(s.Ref), types.StringValue(of.InstanceUUID), types.StringValue(of.VM)
	m.Name, m.Description = types.StringValue(s.Name), types.StringValue(s.Description)
	m.Path, m.Current = types.StringValue(s.Path), types.BoolValue(s.Current)
	m.Created = types.StringValue(s.Created.UTC().Format(time.RFC3339))
	m.Parent = types.StringNull()
	if s.Parent != "" {
		m.Parent = types.StringValue(s.Parent)
	}
}

// Read follows the snapshot by its managed object id; one that was removed leaves the state.
func (r *snapshotResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state snapshotModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, d := state.Timeouts.Read(ctx, defaultRead)
	resp.Diagnostics.Append(d...)
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	r.identify(ctx, client, &state, resp.Identity, &resp.Diagnostics)
	list, err := client.ReadSnapshots(ctx, state.VMMoid.ValueString())
	var found *vsphere.Snapshot
	if err == nil {
		found, err = list.Find(state.ID.ValueString())
	}
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.AddError("Cannot read the snapshot", detail(err))
		return
	}
	if state.Memory.IsNull() { // imported
		state.Memory, state.Quiesce = types.BoolValue(found.Memory), types.BoolValue(found.Quiesced)
	}
	state.set(list, found)
	state.VM = sameReference(ctx, client, vsphere.KindVM, state.VM, list.VM, list.Path)
	r.store(ctx, client, &state, &resp.State, resp.Identity, &resp.Diagnostics)
}

// Update renames and describes anew.
func (r *snapshotResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var state, plan snapshotModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Update(ctx, snapshotUpdate)
	resp.Diagnostics.Append(d...)
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if !plan.VM.Equal(state.VM) && !r.stillTheVM(ctx, client, &state, &plan, &resp.Diagnostics) {
		return
	}
	var update vsphere.SnapshotUpdate
	if !plan.Name.Equal(state.Name) {
		update.Name = plan.Name.ValueStringPointer()
	}
	if !plan.Description.Equal(state.Description) {
		update.Description = plan.Description.ValueStringPointer()
	}
	if err := client.UpdateSnapshot(ctx, state.VMMoid.ValueString(), state.ID.ValueString(), update); err != nil {
		resp.Diagnostics.AddAttributeError(snapshotErrorPath(err), "Cannot change the snapshot", detail(err))
		return
	}
	if update.Name != nil { // vCenter says the path anew
		list, err := client.ReadSnapshots(ctx, state.VMMoid.ValueString())
		var found *vsphere.Snapshot
		if err == nil {
			found, err = list.Find(state.ID.ValueString())
		}
		if err != nil {
			resp.Diagnostics.AddError("The snapshot is renamed and cannot be read back", detail(err))
			return
		}
		plan.set(list, found)
	}
	r.store(ctx, client, &plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

// stillTheVM says whether the new words name the VM in state, which the plan could not always tell.
func (r *snapshotResource) stillTheVM(ctx context.Context, client *vsphere.Client, state, plan *snapshotModel, diags *diag.Diagnostics) bool {
	found, err := client.Resolve(ctx, vsphere.KindVM, plan.VM.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("vm"), "Cannot find the VM", detail(err))
		return false
	}
	if found.Value != state.VMMoid.ValueString() {
		diags.AddAttributeError(path.Root("vm"), "Another VM", fmt.Sprintf("Snapshot %q is one of %s, and vm names %s. Apply again: the plan will replace it.",
			state.Path.ValueString(), state.VMMoid.ValueString(), found.Value))
		return false
	}
	return true
}

// Delete removes the snapshot; the VM goes on.
func (r *snapshotResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state snapshotModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, d := state.Timeouts.Delete(ctx, snapshotDelete)
	resp.Diagnostics.Append(d...)
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	consolidate, err := client.RemoveSnapshot(ctx, state.VMMoid.ValueString(), state.ID.ValueString(),
		state.RemoveChildren.ValueBool(), newProgress(ctx).report)
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot remove snapshot %q", state.Path.ValueString()), detail(err))
		return
	}
	if consolidate {
		resp.Diagnostics.AddWarning("The VM's disks need consolidation", fmt.Sprintf(
			"Snapshot %q is gone, but vCenter could not merge all of its delta disks, often because a backup holds one. They go on growing: "+
				"consolidate the disks of %s in the vSphere Client (Snapshots, Consolidate).", state.Path.ValueString(), state.VM.ValueString()))
	}
}
