package provider

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Read never waits. Refreshes that come together share one call to vCenter.
func (r *cloneResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state cloneModel
	resp.Diagnostics.Append(readModel(ctx, req.State.Schema, req.State.Raw, &state)...)
	if resp.Diagnostics.HasError() || r.conns.get().vsphereUnknown {
		return // which vCenter is not known before apply: the state stays as it is
	}
	timeout, d := state.Timeouts.Read(ctx, cloneReadTimeout)
	resp.Diagnostics.Append(d...)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	client, ok := r.vcenter(ctx, &resp.Diagnostics)
	if !ok {
		return
	}
	vm, err := client.RefreshVM(ctx, state.MOID.ValueString(), state.InstanceUUID.ValueString())
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		resp.Diagnostics.Append(setCloneIdentity(ctx, resp.Identity, client, &state)...) // asked for even now
		resp.State.RemoveResource(ctx)
		return
	case err != nil:
		resp.Diagnostics.AddError(fmt.Sprintf("Cannot read VM %q", state.Name.ValueString()), detail(err))
		return
	}
	if moved := state.BIOSUUID.ValueString(); state.InstanceUUID.IsNull() && moved != "" && !strings.EqualFold(moved, vm.BIOSUUID) {
		resp.Diagnostics.AddError("Another VM", fmt.Sprintf("The state that was moved is of the VM with BIOS UUID %s; %s is %q with %s. "+
			"Import the VM instead of moving it.", moved, vm.Ref, vm.Path, vm.BIOSUUID))
		return
	}
	state.observe(ctx, client, vm, &resp.Diagnostics)
	state.readTags(ctx, client, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(writeModel(ctx, resp.State.Schema, &state, &resp.State.Raw)...)
	resp.Diagnostics.Append(setCloneIdentity(ctx, resp.Identity, client, &state)...)
}

// observe takes over what vCenter says of the VM: everything that is shown, and of the lists what they name.
func (m *cloneModel) observe(ctx context.Context, client *vsphere.Client, vm *vsphere.VM, diags *diag.Diagnostics) {
	if m.Status.IsNull() { // imported, or moved from another resource
		m.Status, m.Ready = types.StringValue(cloneSucceeded), types.BoolValue(true)
		m.Recustomize, m.OnDestroy = types.StringValue(recustomizeWarn), types.StringValue(onDestroyDelete)
		m.AllowRestart = types.BoolValue(false)
	}
	m.ID, m.InstanceUUID = types.StringValue(vm.InstanceUUID), types.StringValue(vm.InstanceUUID)
	m.MOID, m.BIOSUUID = types.StringValue(vm.Ref), types.StringValue(vm.BIOSUUID)
	m.Name, m.Path, m.GuestID = types.StringValue(vm.Name), types.StringValue(vm.Path), textOrNull(vm.GuestID)

	m.Folder = sameReference(ctx, client, vsphere.KindFolder, m.Folder, vm.FolderRef, vm.Folder)
	m.ResourcePool = observedReference(ctx, client, vsphere.KindResourcePool, m.ResourcePool, vm.ResourcePoolRef, vm.ResourcePool)
	m.Host = observedReference(ctx, client, vsphere.KindHost, m.Host, vm.HostRef, vm.HostPath)
	m.Datastore = observedReference(ctx, client, vsphere.KindDatastore, m.Datastore, vm.DatastoreRef, vm.Datastore)
	if !m.DatastoreCluster.IsNull() {
		m.DatastoreCluster = sameNamed(ctx, client, vsphere.KindDatastoreCluster, m.DatastoreCluster, vm.DatastoreCluster)
	}

	m.CPUs, m.CoresPerSocket = types.Int64Value(int64(vm.CPUs)), types.Int64Value(int64(vm.CoresPerSocket))
	m.Memory, m.Annotation = types.Int64Value(vm.MemoryMB), types.StringValue(vm.Annotation)
	m.CPUAllocation = observedAllocation(ctx, m.CPUAllocation, vm.CPUAllocation, diags)
	m.MemoryAllocation = observedAllocation(ctx, m.MemoryAllocation, vm.MemoryAllocation, diags)
	m.Disks = observedDisks(ctx, client, m.Disks, vm, diags)
	m.Networks = observedNetworks(ctx, client, m.Networks, vm, diags)
	m.CDROM = observedCDROM(m.CDROM, vm, diags)
	m.ExtraConfig = observedTexts(m.ExtraConfig, vm.ExtraConfig, diags)
	m.VAppProperties = observedTexts(m.VAppProperties, vm.VAppProperties, diags)
	m.observeCloudInit(ctx, vm, diags)
	if m.Power.ValueString() != powerUnmanaged {
		m.Power = types.StringValue(powerWord(vm.PowerState))
	}
	what, _ := m.waitFor(ctx, diags)
	m.IPAddress, m.IPAddresses = guestAddresses(vm, what.IgnoreCIDRs)
}

// powerWord is the resource's word for a power state; a suspended VM is neither on nor off, so that it shows as a difference.
func powerWord(state string) string {
	switch state {
	case "poweredOn":
		return powerOn
	case "poweredOff":
		return powerOff
	}
	return state
}

// observedReference is sameReference for what a VM may be without.
func observedReference(ctx context.Context, client *vsphere.Client, kind vsphere.Kind, written types.String, ref, path string) types.String {
	if ref == "" {
		return types.StringNull()
	}
	return sameReference(ctx, client, kind, written, ref, path)
}

// sameNamed keeps the words of the configuration while they name what is there, where a VM tells only its name or path.
func sameNamed(ctx context.Context, client *vsphere.Client, kind vsphere.Kind, written types.String, actual string) types.String {
	if written.IsNull() {
		return written
	}
	text := written.ValueString()
	if actual == "" {
		return types.StringNull()
	}
	if text == actual || strings.HasPrefix(text, "/") && path.Base(text) == path.Base(actual) && (text == actual || !strings.HasPrefix(actual, "/")) {
		return written
	}
	a, aerr := client.Resolve(ctx, kind, text)
	b, berr := client.Resolve(ctx, kind, actual)
	if aerr == nil && berr == nil && a == b || ctx.Err() != nil {
		return written
	}
	return types.StringValue(actual)
}

func observedAllocation(ctx context.Context, written types.Object, is vsphere.AllocationInfo, diags *diag.Diagnostics) types.Object {
	a := object[cloneAllocation](ctx, written, diags)
	if a == nil {
		return written
	}
	if !a.Reservation.IsNull() {
		a.Reservation = types.Int64Value(is.Reservation)
	}
	if !a.Limit.IsNull() {
		a.Limit = types.Int64Value(is.Limit)
	}
	if !a.Shares.IsNull() && is.Shares != "" {
		a.Shares = types.StringValue(is.Shares)
	}
	if !a.ShareCount.IsNull() {
		a.ShareCount = types.Int64Value(int64(is.ShareCount))
	}
	return objectFrom(ctx, cloneAllocationFields, a, diags)
}

// observedDisks follows the listed disks. One that is gone leaves the list, so that the plan adds it again.
func observedDisks(ctx context.Context, client *vsphere.Client, written types.Map, vm *vsphere.VM, diags *diag.Diagnostics) types.Map {
	if written.IsNull() {
		return written
	}
	disks := objects[cloneDisk](ctx, written, diags)
	for address, d := range disks {
		is := diskAt(vm, address)
		if is == nil {
			delete(disks, address)
			continue
		}
		if !d.Size.IsNull() {
			d.Size = types.Int64Value((is.CapacityBytes + gib - 1) / gib)
		}
		if !d.Mode.IsNull() {
			d.Mode = types.StringValue(is.Mode)
		}
		d.Datastore = sameNamed(ctx, client, vsphere.KindDatastore, d.Datastore, is.Datastore)
		disks[address] = d
	}
	return mapFrom(ctx, cloneDiskFields, disks, diags)
}

const gib = 1 << 30

func diskAt(vm *vsphere.VM, address string) *vsphere.Disk {
	i := slices.IndexFunc(vm.Disks, func(d vsphere.Disk) bool { return d.Address == address })
	if i < 0 {
		return nil
	}
	return &vm.Disks[i]
}

// observedNetworks follows the listed adapters, as observedDisks does with disks.
func observedNetworks(ctx context.Context, client *vsphere.Client, written types.Map, vm *vsphere.VM, diags *diag.Diagnostics) types.Map {
	if written.IsNull() {
		return written
	}
	networks := objects[cloneNetwork](ctx, written, diags)
	for slot, n := range networks {
		is := nicAt(vm, slot)
		if is == nil {
			delete(networks, slot)
			continue
		}
		n.Network = sameNamed(ctx, client, vsphere.KindNetwork, n.Network, is.Network)
		if !n.Type.IsNull() {
			n.Type = types.StringValue(is.Type)
		}
		if !n.MAC.IsNull() {
			n.MAC = types.StringValue(is.MAC)
		}
		networks[slot] = n
	}
	return mapFrom(ctx, cloneNetworkFields, networks, diags)
}

// nicAt is the adapter in a slot: slots are single digits, as the schema says.
func nicAt(vm *vsphere.VM, slot string) *vsphere.NIC {
	if i := int(slot[0] - '0'); i < len(vm.NICs) {
		return &vm.NICs[i]
	}
	return nil
}

func observedCDROM(written types.Object, vm *vsphere.VM, diags *diag.Diagnostics) types.Object {
	if written.IsNull() {
		return written
	}
	if len(vm.CDROMs) == 0 {
		return types.ObjectNull(cloneCDROMFields)
	}
	client := types.BoolNull()
	if was, ok := written.Attributes()["client"].(types.Bool); ok && !was.IsNull() || vm.CDROMs[0].Client {
		client = types.BoolValue(vm.CDROMs[0].Client)
	}
	o, d := types.ObjectValue(cloneCDROMFields, map[string]attr.Value{"iso": textOrNull(vm.CDROMs[0].ISO), "client": client})
	diags.Append(d...)
	return o
}

// observedTexts follows the listed keys. A key that was set to empty is not there, and that is no difference.
func observedTexts(written types.Map, is map[string]string, diags *diag.Diagnostics) types.Map {
	if written.IsNull() {
		return written
	}
	all := map[string]attr.Value{}
	for key, was := range texts(written) {
		if value, there := is[key]; there || was == "" {
			all[key] = types.StringValue(value)
		}
	}
	m, d := types.MapValue(types.StringType, all)
	diags.Append(d...)
	return m
}

// guestAddresses are those that mean something to others, IPv4 first.
func guestAddresses(vm *vsphere.VM, ignore []netip.Prefix) (types.String, types.List) {
	var found []string
	var primary string
	for _, text := range append([]string{vm.IPAddress}, toolsAddresses(vm)...) {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || slices.Contains(found, ip.String()) ||
			slices.ContainsFunc(ignore, func(p netip.Prefix) bool { return p.Contains(ip) }) {
			continue
		}
		if text == vm.IPAddress && ip.Is4() {
			primary = ip.String()
		}
		found = append(found, ip.String())
	}
	slices.SortStableFunc(found, func(a, b string) int { return min(1, strings.Count(a, ":")) - min(1, strings.Count(b, ":")) })
	if primary == "" && len(found) > 0 {
		primary = found[0]
	}
	values := make([]attr.Value, len(found))
	for i, text := range found {
		values[i] = types.StringValue(text)
	}
	return textOrNull(primary), types.ListValueMust(types.StringType, values)
}

func toolsAddresses(vm *vsphere.VM) []string {
	var all []string
	for _, nic := range vm.GuestNICs {
		all = append(all, nic.IPs...)
	}
	return all
}

func objectFrom(ctx context.Context, fields map[string]attr.Type, v any, diags *diag.Diagnostics) types.Object {
	o, d := types.ObjectValueFrom(ctx, fields, v)
	diags.Append(d...)
	return o
}

func mapFrom[T any](ctx context.Context, fields map[string]attr.Type, v map[string]T, diags *diag.Diagnostics) types.Map {
	m, d := types.MapValueFrom(ctx, types.ObjectType{AttrTypes: fields}, v)
	diags.Append(d...)
	return m
}
