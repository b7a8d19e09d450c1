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
	_ resource.ResourceWithConfigure      = (*templateResource)(nil)
	_ resource.ResourceWithModifyPlan     = (*templateResource)(nil)
	_ resource.ResourceWithValidateConfig = (*templateResource)(nil)
	_ resource.ResourceWithImportState    = (*templateResource)(nil)
	_ resource.ResourceWithIdentity       = (*templateResource)(nil)
)

// The bounds of the verbs when timeouts names none.
const (
	templateCreate = 2 * time.Hour
	templateUpdate = 10 * time.Minute
	templateDelete = 30 * time.Minute
)

func newTemplateResource() resource.Resource { return &templateResource{} }

// templateResource is one template.
type templateResource struct{ resourceBase }

// Metadata names the resource.
func (r *templateResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_template"
}

// Create makes the template, or goes on with what an interrupted apply left.
func (r *templateResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan templateModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Create(ctx, templateCreate)
	resp.Diagnostics.Append(d...)
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	plan.setDefaults()
	if !plan.findPlaces(ctx, client, &resp.Diagnostics) {
		return
	}
	made, err := r.make(ctx, client, plan.spec())
	if err != nil {
		resp.Diagnostics.AddAttributeError(templateErrorPath(err), "Cannot make the template", detail(err))
		return
	}
	plan.SourceID, plan.SnapshotID = types.StringValue(made.SourceUUID), types.StringNull()
	if made.SnapshotID != "" {
		plan.SnapshotID = types.StringValue(made.SnapshotID)
	}
	plan.set(&made.Template)
	if plan.Folder.IsUnknown() {
		plan.Folder = types.StringValue(made.Template.Folder)
	}
	r.store(ctx, client, &plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

// make waits for a place among the clones of this vCenter, since a template is one too, and makes it.
func (r *templateResource) make(ctx context.Context, client *vsphere.Client, spec vsphere.TemplateSpec) (*vsphere.TemplateResult, error) {
	release, err := r.conns.enterClones(ctx, spec.Name)
	if err != nil {
		return nil, fmt.Errorf("template %q: it was never begun: %w", spec.Name, err)
	}
	defer release()
	return client.CreateTemplate(ctx, spec, newProgress(ctx).report)
}

// templateErrorPath is the argument that most likely has to change.
func templateErrorPath(err error) path.Path {
	if errors.Is(err, vsphere.ErrNameTaken) {
		return path.Root("name")
	}
	return path.Root("source")
}

// findPlaces looks the places up first, so that an error sits on its argument. The client remembers what it found.
func (m *templateModel) findPlaces(ctx context.Context, client *vsphere.Client, diags *diag.Diagnostics) bool {
	for _, place := range []struct {
		attribute string
		kind      vsphere.Kind
		words     types.String
	}{
		{"folder", vsphere.KindFolder, m.Folder}, {"resource_pool", vsphere.KindResourcePool, m.ResourcePool},
		{"host", vsphere.KindHost, m.Host}, {"datastore", vsphere.KindDatastore, m.Datastore},
	} {
		if place.words.IsNull() || place.words.IsUnknown() {
			continue
		}
		if _, err := client.Resolve(ctx, place.kind, place.words.ValueString()); err != nil {
			diags.AddAttributeError(path.Root(place.attribute), "Cannot find the "+string(place.kind), detail(err))
		}
	}
	return !diags.HasError()
}

// store writes state and identity.
func (r *templateResource) store(ctx context.Context, client *vsphere.Client, model *templateModel, state *tfsdk.State, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	diags.Append(state.Set(ctx, model)...)
	r.identify(ctx, client, model, identity, diags)
}

// identify writes the identity. Read does it first: a Terraform that keeps none asks for it even of a resource that is gone.
func (r *templateResource) identify(ctx context.Context, client *vsphere.Client, model *templateModel, identity *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	if identity == nil {
		return
	}
	about, err := client.GetVCenter(ctx)
	if err != nil {
		diags.AddError("Cannot tell the vCenter", detail(err))
		return
	}
	diags.Append(identity.Set(ctx, templateIdentity{VCenter: types.StringValue(about.InstanceUUID), InstanceUUID: model.ID})...)
}

// Read follows the template by its managed object id, else by its instance UUID; one that was deleted leaves the state.
func (r *templateResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state templateModel
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
	now, err := client.ReadTemplate(ctx, state.Moid.ValueString(), state.ID.ValueString())
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.AddError("Cannot read the template", detail(err))
		return
	}
	state.set(now)
	state.Folder = sameReference(ctx, client, vsphere.KindFolder, state.Folder, now.FolderRef, now.Folder)
	if !state.SnapshotID.IsNull() && !stillHas(now.Snapshots, state.SnapshotID.ValueString()) {
		state.Snapshot, state.SnapshotID = types.StringNull(), types.StringNull()
	}
	r.store(ctx, client, &state, &resp.State, resp.Identity, &resp.Diagnostics)
}

func stillHas(all []vsphere.Snapshot, ref string) bool {
	for _, s := range all {
		if s.Ref == ref {
			return true
		}
	}
	return false
}

// Update renames, moves and annotates, and marks again what somebody turned into a VM.
func (r *templateResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var state, plan templateModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Update(ctx, templateUpdate)
	resp.Diagnostics.Append(d...)
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	plan.setDefaults()
	if r.otherSource(ctx, &state, &plan, true, &resp.Diagnostics) || resp.Diagnostics.HasError() {
		return
	}
	if !plan.Folder.Equal(state.Folder) && !plan.findPlaces(ctx, client, &resp.Diagnostics) {
		return
	}
	now, err := client.UpdateTemplate(ctx, state.Moid.ValueString(), plan.change(&state))
	if err != nil {
		resp.Diagnostics.AddAttributeError(changeErrorPath(err), "Cannot change the template", detail(err))
		return
	}
	if plan.SnapshotID.IsUnknown() && !plan.adoptSnapshot(now, &resp.Diagnostics) {
		return
	}
	plan.set(now)
	r.store(ctx, client, &plan, &resp.State, resp.Identity, &resp.Diagnostics)
}

// changeErrorPath is the argument that has to change, or the one whose drift could not be put right.
func changeErrorPath(err error) path.Path {
	if errors.Is(err, vsphere.ErrNameTaken) {
		return path.Root("name")
	}
	return path.Root("template")
}

// adoptSnapshot takes over a snapshot of an imported template. It cannot make one.
func (m *templateModel) adoptSnapshot(now *vsphere.Template, diags *diag.Diagnostics) bool {
	m.SnapshotID = types.StringNull()
	if m.Snapshot.IsNull() {
		return true
	}
	list := vsphere.VMSnapshots{Snapshots: now.Snapshots}
	found, err := list.Find(m.Snapshot.ValueString())
	if err != nil {
		diags.AddAttributeError(path.Root("snapshot"), "The template has no such snapshot",
			detail(sdk.WithHint(err, "a template takes no snapshot: leave snapshot out, or make the template anew with -replace")))
		return false
	}
	m.SnapshotID = types.StringValue(found.Ref)
	return true
}

// Delete does what on_destroy says.
func (r *templateResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state templateModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, d := state.Timeouts.Delete(ctx, templateDelete)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	policy := state.OnDestroy.ValueString()
	if policy == destroyKeep {
		resp.Diagnostics.AddWarning("The template stays", fmt.Sprintf("on_destroy is keep: %s is only forgotten.", state.Path.ValueString()))
		return
	}
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	moid := state.Moid.ValueString()
	if policy == destroyDelete {
		if err := client.DeleteTemplate(ctx, moid); err != nil {
			resp.Diagnostics.AddError("Cannot delete the template", detail(err))
		}
		return
	}
	if err := client.RevertTemplate(ctx, moid, state.ResourcePool.ValueString(), state.Host.ValueString()); err != nil {
		resp.Diagnostics.AddAttributeError(path.Root("resource_pool"), "Cannot turn the template back into a VM", detail(err))
	}
}
