package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// update plans a change of a VM that exists, and returns what replaces it.
func (p *clonePlan) update(ctx context.Context) path.Paths {
	if why := p.replaces(); len(why) > 0 {
		return why
	}
	p.keepSpelling(ctx)
	hardware := p.hardwareChanges()
	moves := p.openPlaces()
	if changed(p.state.Name, p.plan.Name) || !p.plan.Folder.Equal(p.state.Folder) {
		p.plan.Path = types.StringUnknown()
	}
	powers := !p.plan.Power.Equal(p.state.Power)
	waits := p.waits(ctx)
	goesOn := p.state.Status.ValueString() != cloneSucceeded
	if waits || goesOn {
		p.plan.Status, p.plan.Ready = types.StringUnknown(), types.BoolUnknown()
	}
	if waits || goesOn || powers || hardware || moves {
		p.plan.IPAddress, p.plan.IPAddresses = types.StringUnknown(), types.ListUnknown(types.StringType)
	}
	if goesOn {
		p.diags.AddAttributeWarning(path.Root("status"), "Will go on", fmt.Sprintf("VM %q is %s; apply goes on with it, in place.", p.state.Name.ValueString(), p.state.Status.ValueString()))
	}
	p.planCloudInit(ctx)
	p.checkRemovals()
	if hardware && !p.conns.get().vsphereUnknown {
		p.checkHardware(ctx)
	}
	if client := p.whenLabelled(ctx); client != nil {
		p.checkTags(ctx, client)
	}
	return nil
}

// whenLabelled is the session when other tags are asked for than there are.
func (p *clonePlan) whenLabelled(ctx context.Context) *vsphere.Client {
	if p.plan.Tags.Equal(p.state.Tags) || p.conns.get().vsphereUnknown {
		return nil
	}
	client, _ := p.conns.client(ctx, p.diags)
	return client
}

// replaces says which arguments make this another VM. What an import could not know changes nothing.
func (p *clonePlan) replaces() path.Paths {
	var why path.Paths
	if changed(p.state.Source, p.plan.Source) {
		why = append(why, path.Root("source"))
	}
	made := !p.state.SourceID.IsNull()
	if made && (p.plan.Linked.IsUnknown() || p.plan.Linked.ValueBool() != p.state.Linked.ValueBool()) {
		why = append(why, path.Root("linked"))
	}
	if made && !p.plan.Snapshot.Equal(p.state.Snapshot) {
		why = append(why, path.Root("snapshot"))
	}
	if p.plan.Customize.Equal(p.state.Customize) {
		return why
	}
	switch {
	case made && p.plan.Recustomize.ValueString() == recustomizeReplace:
		why = append(why, path.Root("customize"))
	case len(why) == 0 && !p.plan.Customize.IsNull():
		p.diags.AddAttributeWarning(path.Root("customize"), "No effect on this VM", fmt.Sprintf("A guest is customized once, when it first starts. The change is recorded and changes nothing in VM %q. "+
			"To make the VM anew with it, set recustomize = \"replace\".", p.state.Name.ValueString()))
	}
	return why
}

// keepSpelling leaves a place as it stands in the state when the configuration names the same object in other words.
func (p *clonePlan) keepSpelling(ctx context.Context) {
	if p.conns.get().vsphereUnknown {
		return
	}
	for _, ref := range p.references() {
		if ref.config.IsNull() || ref.config.IsUnknown() || ref.state.IsNull() || ref.config.Equal(ref.state) {
			continue
		}
		client, ok := p.conns.client(ctx, p.diags)
		if !ok {
			return
		}
		is, err := client.Resolve(ctx, ref.kind, ref.config.ValueString())
		if err != nil {
			p.diags.AddAttributeWarning(path.Root(ref.name), "Cannot be found", detail(err)+"\n\nApply fails unless it is made before.")
			continue
		}
		if was, err := client.Resolve(ctx, ref.kind, ref.state.ValueString()); err == nil && was == is {
			*ref.plan = ref.state
		}
	}
}

// openPlaces leaves open where a VM that moves ends up, as far as the configuration does not say, and tells whether it moves.
func (p *clonePlan) openPlaces() bool {
	moves := false
	for _, ref := range p.references() {
		moves = moves || ref.name != "folder" && !ref.plan.Equal(ref.state)
	}
	if !moves {
		return false
	}
	for _, ref := range p.references() {
		if ref.config.IsNull() && ref.name != "folder" && ref.name != "datastore_cluster" {
			*ref.plan = types.StringUnknown()
		}
	}
	return true
}

// waits says whether apply waits for the guest.
func (p *clonePlan) waits(ctx context.Context) bool {
	_, waits := p.plan.waitFor(ctx, p.diags)
	if p.plan.WaitFor.IsUnknown() {
		return true
	}
	if !waits {
		return !p.state.Ready.ValueBool()
	}
	started := p.plan.Power.ValueString() == powerOn && p.state.Power.ValueString() != powerOn
	return !p.state.Ready.ValueBool() || started || !p.plan.WaitFor.Equal(p.state.WaitFor) || p.hardwareChanges()
}

// hardwareChanges says whether anything changes that a running VM might not take.
func (p *clonePlan) hardwareChanges() bool {
	a, b := &p.state, &p.plan
	return !a.CPUs.Equal(b.CPUs) || !a.CoresPerSocket.Equal(b.CoresPerSocket) || !a.Memory.Equal(b.Memory) ||
		!a.CPUAllocation.Equal(b.CPUAllocation) || !a.MemoryAllocation.Equal(b.MemoryAllocation) || !a.Disks.Equal(b.Disks) ||
		!a.Networks.Equal(b.Networks) || !a.CDROM.Equal(b.CDROM) || !a.ExtraConfig.Equal(b.ExtraConfig) || !a.VAppProperties.Equal(b.VAppProperties)
}

// checkHardware compares the configuration with the VM as it is.
func (p *clonePlan) checkHardware(ctx context.Context) {
	client, ok := p.conns.client(ctx, p.diags)
	if !ok {
		return
	}
	vm, err := client.RefreshVM(ctx, p.state.MOID.ValueString(), p.state.InstanceUUID.ValueString())
	if err != nil {
		p.diags.AddError(fmt.Sprintf("Cannot read VM %q", p.state.Name.ValueString()), detail(err))
		return
	}
	p.checkDisks(ctx, vm)
	p.checkProperties(vm)
	p.checkProvisioning(ctx)
	if p.plan.AllowRestart.ValueBool() || p.config.Power.ValueString() == powerOff {
		return
	}
	change := p.config.update(ctx, &p.state, p.diags)
	for _, setting := range append(vsphere.NeedsRestart(vm, change.VMSettings), vsphere.NeedsRestartToRemove(vm, change.RemoveDisks, false)...) {
		p.diags.AddAttributeError(settingPath(setting), "Needs a restart", fmt.Sprintf("VM %q runs and takes this change only while it is off. Set allow_restart = true to let apply shut it down and "+
			"start it again, or power it off first.", vm.Name))
	}
}

// checkProvisioning refuses to turn a disk that exists into one of another kind.
func (p *clonePlan) checkProvisioning(ctx context.Context) {
	before := objects[cloneDisk](ctx, p.state.Disks, p.diags)
	for address, d := range objects[cloneDisk](ctx, p.config.Disks, p.diags) {
		was, known := before[address]
		if known && changed(was.Provisioning, d.Provisioning) {
			p.diags.AddAttributeError(path.Root("disks").AtMapKey(address).AtName("provisioning"), "A disk keeps how it is provisioned", fmt.Sprintf(
				"The disk at %s was made %s. Write that, or leave provisioning out.", address, was.Provisioning.ValueString()))
		}
	}
}

// checkRemovals tells what leaves the VM, and refuses what would change the meaning of the slots that stay.
func (p *clonePlan) checkRemovals() {
	for _, address := range removedKeys(p.state.Disks, p.plan.Disks) {
		p.diags.AddAttributeWarning(path.Root("disks"), "A disk leaves the VM", fmt.Sprintf("disks[%q] is not listed any more: apply detaches the disk, and %s. To leave it attached and "+
			"unmanaged, leave disks out altogether.", address, p.fileFate(address)))
	}
	gone := removedKeys(p.state.Networks, p.plan.Networks)
	for key := range p.plan.Networks.Elements() {
		if i := slices.IndexFunc(gone, func(g string) bool { return g < key }); i >= 0 {
			p.diags.AddAttributeError(path.Root("networks").AtMapKey(key), "The adapters would change places", fmt.Sprintf(
				"Adapters are told by their order, and networks[%q] leaves while networks[%q] stays. Remove the last ones first, or point %q at another network instead.", gone[i], key, gone[i]))
			return
		}
	}
}

func (p *clonePlan) fileFate(address string) string {
	if o, ok := p.state.Disks.Elements()[address].(types.Object); ok {
		if word, ok := o.Attributes()["on_remove"].(types.String); ok && word.ValueString() == string(vsphere.DeleteDisk) {
			return "deletes its file"
		}
	}
	return "its file stays"
}
