package provider

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var (
	_ resource.ResourceWithConfigure      = (*cloneResource)(nil)
	_ resource.ResourceWithValidateConfig = (*cloneResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*cloneResource)(nil)
	_ resource.ResourceWithImportState    = (*cloneResource)(nil)
	_ resource.ResourceWithIdentity       = (*cloneResource)(nil)
	_ resource.ResourceWithMoveState      = (*cloneResource)(nil)
)

// The bounds of the verbs when timeouts names none.
const (
	cloneCreateTimeout = time.Hour
	cloneReadTimeout   = 2 * time.Minute
	cloneUpdateTimeout = 30 * time.Minute
	cloneDeleteTimeout = 10 * time.Minute
)

func newCloneResource() resource.Resource { return &cloneResource{} }

// cloneResource makes and manages one VM.
type cloneResource struct{ resourceBase }

// Metadata names the resource.
func (r *cloneResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_clone"
}

// Create clones. A VM that exists at the end is in the state whatever happened to it afterwards, untainted, so that the
// next apply goes on in place; an error means that there is none.
func (r *cloneResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var config, plan cloneModel
	resp.Diagnostics.Append(readModel(ctx, req.Config.Schema, req.Config.Raw, &config)...)
	resp.Diagnostics.Append(readModel(ctx, req.Plan.Schema, req.Plan.Raw, &plan)...)
	timeout, d := plan.Timeouts.Create(ctx, cloneCreateTimeout)
	resp.Diagnostics.Append(d...)
	spec := config.spec(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	result, err := r.clone(ctx, client, spec)
	if result == nil {
		resp.Diagnostics.Append(cloneFailed(ctx, plan.Name.ValueString(), err)...)
		return
	}
	for _, warning := range result.Warnings {
		resp.Diagnostics.AddWarning(fmt.Sprintf("Clone %q", plan.Name.ValueString()), sentence(warning))
	}
	plan.SourceID = textOrNull(result.SourceInstanceUUID)
	plan.UserDataDigest = config.handedOver(ctx, result.VM, &resp.Diagnostics)
	if err == nil {
		err = config.writeTags(ctx, client, result.VM, noLabels())
	}
	vm := r.finish(ctx, client, &config, &plan, result.VM, err, &resp.Diagnostics)
	r.save(ctx, client, &plan, vm, &resp.State, resp.Identity, &resp.Diagnostics)
}

// clone waits for a place among the clones of this vCenter and makes the VM.
func (r *cloneResource) clone(ctx context.Context, client *vsphere.Client, spec vsphere.CloneSpec) (*vsphere.CloneResult, error) {
	release, err := r.conns.enterClones(ctx, spec.TargetName)
	if err != nil {
		return nil, fmt.Errorf("clone %q: it was never begun: %w", spec.TargetName, err)
	}
	defer release()
	return client.Clone(ctx, spec, cloneProgress(ctx, spec.TargetName))
}

// cloneProgress writes reports to Terraform's log, a line for each tenth.
func cloneProgress(ctx context.Context, vm string) sdk.ProgressFunc {
	last := make(chan int64, 1)
	last <- -1
	return func(p sdk.Progress) {
		tenth := int64(-1)
		if p.Total > 0 {
			tenth = 10 * p.Done / p.Total
		}
		was := <-last
		last <- tenth
		if tenth != was || p.Message != "" {
			tflog.Info(ctx, "VM "+vm, map[string]any{"stage": p.Stage, "percent": 10 * tenth, "message": p.Message})
		}
	}
}

// interrupted tells Ctrl-C, which cancels Terraform's own context, from the end of the time that timeouts gives.
func interrupted(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// cloneFailed explains why there is no VM.
func cloneFailed(ctx context.Context, name string, err error) diag.Diagnostics {
	var diags diag.Diagnostics
	switch {
	case interrupted(ctx):
		diags.AddError(fmt.Sprintf("Clone %q was interrupted", name), detail(err)+"\n\nApply again: a clone that vCenter made meanwhile is found and taken over, not made twice.")
	case errors.Is(err, context.DeadlineExceeded):
		diags.AddError(fmt.Sprintf("Clone %q ran out of time", name), detail(err)+"\n\nRaise timeouts.create and apply again: a clone that vCenter made meanwhile is found and "+
			"taken over, not made twice.")
	default:
		diags.AddError(fmt.Sprintf("Cannot clone %q", name), detail(err))
	}
	return diags
}

// finish waits for a VM that exists, unless something failed before. The VM stays whatever happens; the plan's status and
// ready say whether something is left to do.
func (r *cloneResource) finish(
	ctx context.Context, client *vsphere.Client, config, plan *cloneModel, vm *vsphere.VM, failed error, diags *diag.Diagnostics,
) *vsphere.VM {
	plan.Status, plan.Ready = types.StringValue(cloneSucceeded), types.BoolValue(false)
	switch {
	case failed != nil && interrupted(ctx):
		plan.Status = types.StringValue(cloneInterrupted)
		diags.AddWarning(fmt.Sprintf("VM %q was interrupted", vm.Name), fmt.Sprintf(
			"The VM exists (%s) and stays. %s\n\nApply again and it goes on from there, in place.", vm.Path, sentence(failed.Error())))
		return vm
	case failed != nil:
		plan.Status = types.StringValue(cloneIncomplete)
		diags.AddWarning(fmt.Sprintf("VM %q is not complete", vm.Name), strings.Join(append([]string{fmt.Sprintf(
			"The VM exists (%s) and stays, so that nothing is lost. %s", vm.Path, sentence(failed.Error()))}, sdk.Hints(failed)...), "\n\n")+
			"\n\nRepair the cause and apply again: it goes on from there, in place.")
		return vm
	}
	ready, err := r.wait(ctx, client, config, vm, diags)
	plan.Ready = types.BoolValue(err == nil)
	switch {
	case err == nil:
		return ready
	case interrupted(ctx):
		plan.Status = types.StringValue(cloneInterrupted)
		diags.AddAttributeWarning(path.Root("wait_for"), fmt.Sprintf("VM %q was interrupted", vm.Name),
			"The VM is made; the wait for it was stopped. Apply again and it waits again, in place.")
	default:
		diags.AddAttributeWarning(path.Root("wait_for"), fmt.Sprintf("VM %q is not ready", vm.Name),
			detail(err)+"\n\nThe VM is made and stays. Apply again to wait again; timeouts.create and timeouts.update say how long.")
	}
	return ready
}

// wait waits for what wait_for names, unless the VM is to be off.
func (r *cloneResource) wait(ctx context.Context, client *vsphere.Client, config *cloneModel, vm *vsphere.VM, diags *diag.Diagnostics) (*vsphere.VM, error) {
	what, waits := config.waitFor(ctx, diags)
	if !waits || config.Power.ValueString() == powerOff {
		return vm, nil
	}
	seen, err := client.WaitReady(ctx, vm, what, cloneProgress(ctx, vm.Name))
	if seen == nil {
		seen = vm
	}
	return seen, err
}

// save completes the plan with what is so and makes it the state. What the plan promised it keeps: Terraform insists, and a
// difference shows at the next refresh.
func (r *cloneResource) save(
	ctx context.Context, client *vsphere.Client, plan *cloneModel, vm *vsphere.VM, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics,
) {
	plan.settle(context.WithoutCancel(ctx), client, vm, diags)
	diags.Append(writeModel(ctx, state.Schema, plan, &state.Raw)...)
	diags.Append(setCloneIdentity(ctx, identity, client, plan)...)
}

// setCloneIdentity tells Terraform which VM this is.
func setCloneIdentity(ctx context.Context, identity *tfsdk.ResourceIdentity, client *vsphere.Client, m *cloneModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if identity == nil {
		return diags
	}
	about, err := client.GetVCenter(ctx)
	if err != nil {
		diags.AddError("Cannot tell which vCenter this is", detail(err))
		return diags
	}
	return identity.Set(ctx, cloneIdentity{VCenter: types.StringValue(about.InstanceUUID), InstanceUUID: m.InstanceUUID})
}

// settle fills what the plan left open.
func (m *cloneModel) settle(ctx context.Context, client *vsphere.Client, vm *vsphere.VM, diags *diag.Diagnostics) {
	seen := *m
	for _, lists := range []*types.Map{&seen.Disks, &seen.Networks} { // their values are the plan's
		*lists = types.MapNull(lists.ElementType(ctx))
	}
	seen.observe(ctx, client, vm, diags)
	for _, f := range []struct{ plan, seen *types.String }{
		{&m.Folder, &seen.Folder}, {&m.ResourcePool, &seen.ResourcePool}, {&m.Host, &seen.Host}, {&m.Datastore, &seen.Datastore},
		{&m.Annotation, &seen.Annotation}, {&m.Power, &seen.Power}, {&m.ID, &seen.ID}, {&m.MOID, &seen.MOID},
		{&m.InstanceUUID, &seen.InstanceUUID}, {&m.BIOSUUID, &seen.BIOSUUID}, {&m.Path, &seen.Path}, {&m.GuestID, &seen.GuestID},
		{&m.IPAddress, &seen.IPAddress},
	} {
		if f.plan.IsUnknown() {
			*f.plan = *f.seen
		}
	}
	for _, f := range []struct{ plan, seen *types.Int64 }{
		{&m.CPUs, &seen.CPUs}, {&m.CoresPerSocket, &seen.CoresPerSocket}, {&m.Memory, &seen.Memory},
	} {
		if f.plan.IsUnknown() {
			*f.plan = *f.seen
		}
	}
	if m.IPAddresses.IsUnknown() {
		m.IPAddresses = seen.IPAddresses
	}
	if m.SourceID.IsUnknown() {
		m.SourceID = types.StringNull()
	}
}

// Delete does what on_destroy says. A VM that is gone already is fine.
func (r *cloneResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state cloneModel
	resp.Diagnostics.Append(readModel(ctx, req.State.Schema, req.State.Raw, &state)...)
	timeout, d := state.Timeouts.Delete(ctx, cloneDeleteTimeout)
	resp.Diagnostics.Append(d...)
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
		return
	}
	if err == nil {
		err = destroyClone(ctx, client, vm, &state, timeout, &resp.Diagnostics)
	}
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot destroy VM %q", state.Name.ValueString()), detail(err))
	}
}

func destroyClone(ctx context.Context, client *vsphere.Client, vm *vsphere.VM, state *cloneModel, timeout time.Duration, diags *diag.Diagnostics) error {
	gently := vsphere.PowerOffPolicy{ShutdownTimeout: min(shutdownIn, timeout/2), Force: true}
	switch state.OnDestroy.ValueString() {
	case onDestroyPowerOff:
		return client.PowerOffVM(ctx, vm, gently)
	case onDestroyUnregister:
		return client.UnregisterVM(ctx, vm, gently)
	}
	var kept []string
	for address, d := range objects[cloneDisk](ctx, state.Disks, diags) {
		if disk := diskAt(vm, address); disk != nil && d.OnRemove.ValueString() == string(vsphere.KeepDisk) {
			kept = append(kept, address)
			diags.AddWarning("A disk stays", fmt.Sprintf("disks[%q] says on_remove = \"keep\": its file %s is not deleted with VM %q.", address, disk.File, vm.Name))
		}
	}
	return client.DeleteVM(ctx, vm, vsphere.PowerOffPolicy{Force: true}, kept)
}
