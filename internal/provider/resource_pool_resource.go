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

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

var (
	_ resource.ResourceWithConfigure   = (*poolResource)(nil)
	_ resource.ResourceWithModifyPlan  = (*poolResource)(nil)
	_ resource.ResourceWithImportState = (*poolResource)(nil)
	_ resource.ResourceWithIdentity    = (*poolResource)(nil)
	_ resource.ResourceWithMoveState   = (*poolResource)(nil)
)

// poolTimeout bounds each verb when timeouts names none.
const poolTimeout = 5 * time.Minute

func newPoolResource() resource.Resource { return &poolResource{} }

// poolResource is one resource pool.
type poolResource struct{ resourceBase }

// Metadata names the resource.
func (r *poolResource) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_resource_pool"
}

// Create makes the pool.
func (r *poolResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan poolModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Create(ctx, poolTimeout)
	resp.Diagnostics.Append(d...)
	spec := plan.spec(ctx, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	if plan.check(ctx, client, &resp.Diagnostics); resp.Diagnostics.HasError() {
		return
	}
	pool, err := client.CreateResourcePool(ctx, spec)
	if err != nil {
		resp.Diagnostics.AddError("Cannot create the resource pool", detail(err))
		if pool != nil {
			plan.unread(pool.Ref)
			resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
		}
		return
	}
	plan.write(ctx, client, pool.Reference(), vsphere.KindResourcePool, noLabels(), &resp.Diagnostics)
	plan.set(ctx, client, pool, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	r.identify(ctx, client, &plan, resp.Identity, &resp.Diagnostics)
}

// Read asks for the pool; reads that come together share a call. A pool that does not exist is removed from the state.
func (r *poolResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state poolModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, d := state.Timeouts.Read(ctx, poolTimeout)
	resp.Diagnostics.Append(d...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok || !samePoolVCenter(ctx, client, req.Identity, &resp.Diagnostics) {
		return
	}
	r.identify(ctx, client, &state, resp.Identity, &resp.Diagnostics) // Terraform asks for it even of what is gone
	pool, err := client.ReadResourcePool(ctx, state.ID.ValueString())
	if errors.Is(err, sdk.ErrNotFound) {
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.AddError("Cannot read the resource pool", detail(err))
		return
	}
	state.set(ctx, client, pool, &resp.Diagnostics)
	state.read(ctx, client, pool.Reference(), &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &state)...)
}

// Update sends what changed, and moves the pool when its parent did.
func (r *poolResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var state, plan poolModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	timeout, d := plan.Timeouts.Update(ctx, poolTimeout)
	resp.Diagnostics.Append(d...)
	spec := plan.changes(ctx, &state, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	if known(plan.Parent) && !plan.Parent.Equal(state.Parent) {
		to, err := client.Resolve(ctx, vsphere.KindResourcePool, plan.Parent.ValueString())
		if err != nil {
			resp.Diagnostics.AddAttributeError(path.Root("parent"), "Cannot find the parent", detail(err))
			return
		}
		if to.Value != state.ParentID.ValueString() {
			spec.Parent = plan.Parent.ValueStringPointer()
		}
	}
	pool, err := client.UpdateResourcePool(ctx, typedPool(&state), spec)
	if err != nil {
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot change the resource pool %q", state.Name.ValueString()), detail(err))
		return
	}
	plan.write(ctx, client, pool.Reference(), vsphere.KindResourcePool, state.labels, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		plan.labels = state.labels
	}
	plan.set(ctx, client, pool, &resp.Diagnostics)
	resp.Diagnostics.Append(resp.State.Set(ctx, &plan)...)
	r.identify(ctx, client, &plan, resp.Identity, &resp.Diagnostics)
}

// Delete deletes the pool. One that is gone already is fine.
func (r *poolResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state poolModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	timeout, d := state.Timeouts.Delete(ctx, poolTimeout)
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
	policy := vsphere.RefuseUnlessEmpty
	if known(state.OnDestroy) {
		policy = vsphere.PoolRemoval(state.OnDestroy.ValueString())
	}
	err := client.DeleteResourcePool(ctx, typedPool(&state), policy)
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		resp.Diagnostics.AddAttributeError(path.Root("on_destroy"), fmt.Sprintf("Cannot delete the resource pool %q", state.Name.ValueString()), detail(err))
	}
}

// typedPool is the pool's reference in the form that needs no call to find.
func typedPool(m *poolModel) string { return "ResourcePool:" + m.ID.ValueString() }

func (r *poolResource) identify(ctx context.Context, client *vsphere.Client, m *poolModel, to *tfsdk.ResourceIdentity, diags *diag.Diagnostics) {
	who, err := m.identity(ctx, client)
	if err != nil {
		diags.AddError("Cannot tell which vCenter this is", detail(err))
		return
	}
	if to != nil {
		diags.Append(to.Set(ctx, who)...)
	}
}
