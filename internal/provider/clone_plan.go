package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// ModifyPlan says in the plan what apply would refuse, what replaces the VM and what goes on. It asks vCenter only when there
// is something to do, and looks only at what is known.
func (r *cloneResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.conns == nil {
		return
	}
	p := clonePlan{conns: r.conns, diags: &resp.Diagnostics}
	p.diags.Append(readModel(ctx, req.Config.Schema, req.Config.Raw, &p.config)...)
	p.diags.Append(readModel(ctx, req.Plan.Schema, req.Plan.Raw, &p.plan)...)
	if req.State.Raw.IsNull() {
		if !p.diags.HasError() {
			p.create(ctx, req.Config.Raw.IsFullyKnown())
		}
	} else {
		p.diags.Append(readModel(ctx, req.State.Schema, req.State.Raw, &p.state)...)
		if !p.diags.HasError() {
			resp.RequiresReplace = append(resp.RequiresReplace, p.update(ctx)...)
		}
	}
	if !p.diags.HasError() {
		p.diags.Append(writeModel(ctx, resp.Plan.Schema, &p.plan, &resp.Plan.Raw)...)
	}
}

// clonePlan is one plan being looked at.
type clonePlan struct {
	conns               *connections
	config, plan, state cloneModel
	diags               *diag.Diagnostics
}

// create plans a new VM.
func (p *clonePlan) create(ctx context.Context, known bool) {
	if p.config.Source.IsNull() {
		p.diags.AddAttributeError(path.Root("source"), "Clone what?", "source is needed to make a VM: give the inventory path, managed object id, instance UUID or unique "+
			"name of a VM or template. To manage a VM that exists, import it.")
		return
	}
	if p.config.Power.IsNull() {
		p.plan.Power = types.StringValue(powerOn)
	}
	p.planCloudInit(ctx)
	if known {
		spec := p.config.spec(ctx, p.diags)
		if err := spec.Validate(); err != nil {
			p.diags.AddError(fmt.Sprintf("Clone %q cannot be made so", p.config.Name.ValueString()), detail(err))
		}
	}
	if p.diags.HasError() || p.conns.get().vsphereUnknown || p.config.Source.IsUnknown() {
		return
	}
	client, ok := p.conns.client(ctx, p.diags)
	if !ok {
		return
	}
	places := p.findPlaces(ctx, client)
	source, err := p.conns.cloneSources.get(ctx, p.config.Source.ValueString(), func() (*vsphere.VM, error) {
		return client.GetVM(ctx, p.config.Source.ValueString())
	})
	found := places()
	if err != nil {
		p.diags.AddAttributeError(path.Root("source"), "Cannot find the source", detail(err)+
			"\n\nWhen this very run makes the source, refer to an attribute of its resource instead of writing its path.")
		return
	}
	p.checkSource(source)
	p.checkProperties(source)
	p.checkDisks(ctx, source)
	p.checkPlaces(found)
	p.checkTags(ctx, client)
}

// checkTags looks up the tags once all of them are known.
func (p *clonePlan) checkTags(ctx context.Context, client *vsphere.Client) {
	if len(listOf(p.config.Tags)) == len(p.config.Tags.Elements()) {
		p.config.labels().check(ctx, client, p.diags)
	}
}

// checkSource compares the request with what is to be cloned.
func (p *clonePlan) checkSource(source *vsphere.VM) {
	if source.Template && p.config.ResourcePool.IsNull() && p.config.Host.IsNull() {
		p.diags.AddAttributeError(path.Root("resource_pool"), "Which resource pool?", fmt.Sprintf("%s is a template and in no resource pool. Give resource_pool the path of a "+
			"pool or of a cluster.", source.Path))
	}
	if wanted := p.config.Snapshot; !wanted.IsUnknown() && wanted.ValueString() != "" && !hasSnapshot(source, wanted.ValueString()) {
		p.diags.AddAttributeWarning(path.Root("snapshot"), "There is no such snapshot yet", fmt.Sprintf("%s has %s. Apply fails unless it is taken before.", source.Path, snapshotNames(source)))
	} else if p.config.Linked.ValueBool() && wanted.IsNull() && len(source.Snapshots) == 0 {
		p.diags.AddAttributeWarning(path.Root("linked"), "The source has no snapshot", fmt.Sprintf("A linked clone holds the differences to a snapshot, and %s has none. Apply fails unless one is "+
			"taken before; a template gets one when it is made, by snapshot of hypersdk_template.", source.Path))
	}
}

// checkProperties refuses values for vApp properties that are not defined: only an OVF, or somebody in vCenter, defines one.
func (p *clonePlan) checkProperties(vm *vsphere.VM) {
	for key := range p.config.VAppProperties.Elements() {
		if _, defined := vm.VAppProperties[key]; defined {
			continue
		}
		defines := "none"
		if len(vm.VAppProperties) > 0 {
			defines = strings.Join(slices.Sorted(maps.Keys(vm.VAppProperties)), ", ")
		}
		p.diags.AddAttributeError(path.Root("vapp_properties").AtMapKey(key), "No such vApp property", fmt.Sprintf("%s defines %s.", vm.Path, defines))
	}
}

func hasSnapshot(vm *vsphere.VM, ref string) bool {
	for _, s := range vm.Snapshots {
		if s.Name == ref || s.Path == ref || s.Ref == ref {
			return true
		}
	}
	return false
}

func snapshotNames(vm *vsphere.VM) string {
	if len(vm.Snapshots) == 0 {
		return "no snapshot"
	}
	var names []string
	for _, s := range vm.Snapshots {
		names = append(names, s.Path)
	}
	return "the snapshots " + strings.Join(names, ", ")
}

// checkDisks refuses sizes that no disk of the VM can take.
func (p *clonePlan) checkDisks(ctx context.Context, vm *vsphere.VM) {
	for address, d := range objects[cloneDisk](ctx, p.config.Disks, p.diags) {
		at := path.Root("disks").AtMapKey(address).AtName("size")
		is, size := diskAt(vm, address), d.Size.ValueInt64()*gib
		linked := p.config.Linked.ValueBool() && p.state.ID.IsNull()
		switch {
		case d.Size.IsUnknown() || is != nil && d.Size.IsNull():
		case is == nil && d.Size.IsNull():
			p.diags.AddAttributeError(at, "How large?", fmt.Sprintf("%s has no disk at %s, so a new one is made: give its size in GB.", vm.Path, address))
		case is == nil:
		case size < is.CapacityBytes:
			p.diags.AddAttributeError(at, "A disk cannot shrink", fmt.Sprintf("The disk at %s of %s has %s and size asks for %d. Give that or more, or leave size out.",
				address, vm.Path, inGB(is.CapacityBytes), d.Size.ValueInt64()))
		case size > is.CapacityBytes && (linked || is.HasParent):
			p.diags.AddAttributeError(at, "A linked disk keeps its size", fmt.Sprintf("The disk at %s holds the differences to a snapshot and has %s for ever. Leave size out, or make a full clone.",
				address, inGB(is.CapacityBytes)))
		}
	}
}

// inGB is a size in the unit of the size attribute.
func inGB(bytes int64) string {
	if bytes%gib == 0 {
		return fmt.Sprintf("%d GB", bytes/gib)
	}
	return fmt.Sprintf("%.3g GB", float64(bytes)/gib)
}

// findPlaces begins to look up where the VM is to go, all at once and while the source is read: over a long wire each costs a moment.
// The function it returns waits for them, and tells for each known place the error.
func (p *clonePlan) findPlaces(ctx context.Context, client *vsphere.Client) func() map[string]error {
	var work sync.WaitGroup
	var mu sync.Mutex
	found := map[string]error{}
	for _, ref := range p.references() {
		if ref.config.IsNull() || ref.config.IsUnknown() {
			continue
		}
		work.Go(func() {
			_, err := client.Resolve(ctx, ref.kind, ref.config.ValueString())
			mu.Lock()
			defer mu.Unlock()
			found[ref.name] = err
		})
	}
	return func() map[string]error {
		work.Wait()
		return found
	}
}

// checkPlaces says where the VM cannot go, so that a typing error shows before anything is made. What does not exist may still be made by
// this run, and is a warning.
func (p *clonePlan) checkPlaces(found map[string]error) {
	for _, ref := range p.references() {
		err := found[ref.name]
		switch {
		case errors.Is(err, sdk.ErrNotFound):
			p.diags.AddAttributeWarning(path.Root(ref.name), "Not there yet", detail(err)+"\n\nApply fails unless it is made before.")
		case err != nil:
			p.diags.AddAttributeError(path.Root(ref.name), "Cannot be used", detail(err))
		}
	}
}

type cloneReference struct {
	name   string
	kind   vsphere.Kind
	config types.String
	plan   *types.String
	state  types.String
}

// references are the attributes that name a place in the inventory.
func (p *clonePlan) references() []cloneReference {
	return []cloneReference{
		{"folder", vsphere.KindFolder, p.config.Folder, &p.plan.Folder, p.state.Folder},
		{"resource_pool", vsphere.KindResourcePool, p.config.ResourcePool, &p.plan.ResourcePool, p.state.ResourcePool},
		{"host", vsphere.KindHost, p.config.Host, &p.plan.Host, p.state.Host},
		{"datastore", vsphere.KindDatastore, p.config.Datastore, &p.plan.Datastore, p.state.Datastore},
		{"datastore_cluster", vsphere.KindDatastoreCluster, p.config.DatastoreCluster, &p.plan.DatastoreCluster, p.state.DatastoreCluster},
	}
}
