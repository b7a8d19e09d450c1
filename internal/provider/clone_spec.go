package provider

import (
	"context"
	"net/netip"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// The specs are made from the configuration, not from the plan: what the configuration leaves out is not managed, and the
// secrets are nowhere else.

// spec asks the SDK for the VM that the configuration describes.
func (m *cloneModel) spec(ctx context.Context, diags *diag.Diagnostics) vsphere.CloneSpec {
	return vsphere.CloneSpec{
		SourceVM:         m.Source.ValueString(),
		TargetName:       m.Name.ValueString(),
		Folder:           m.Folder.ValueString(),
		ResourcePool:     m.ResourcePool.ValueString(),
		Datastore:        m.Datastore.ValueString(),
		DatastoreCluster: m.DatastoreCluster.ValueString(),
		Host:             m.Host.ValueString(),
		Snapshot:         m.Snapshot.ValueString(),
		LinkedClone:      m.Linked.ValueBool(),
		PowerOn:          m.Power.IsNull() || m.Power.ValueString() == powerOn,
		VMSettings:       m.settings(ctx, diags),
		Customization:    m.customization(ctx, diags),
		CloudInit:        m.cloudInit(ctx, diags),
	}
}

// settings are the managed ones.
func (m *cloneModel) settings(ctx context.Context, diags *diag.Diagnostics) vsphere.VMSettings {
	s := vsphere.VMSettings{
		CPUs: int(m.CPUs.ValueInt64()), CoresPerSocket: int(m.CoresPerSocket.ValueInt64()), MemoryMB: m.Memory.ValueInt64(),
		CPUAllocation:    allocationSpec(ctx, m.CPUAllocation, diags),
		MemoryAllocation: allocationSpec(ctx, m.MemoryAllocation, diags),
		ExtraConfig:      texts(m.ExtraConfig),
		VAppProperties:   texts(m.VAppProperties),
		Disks:            map[string]vsphere.DiskSettings{},
		NICs:             map[string]vsphere.NICSettings{},
	}
	for address, d := range objects[cloneDisk](ctx, m.Disks, diags) {
		s.Disks[address] = vsphere.DiskSettings{
			SizeGB: d.Size.ValueInt64(), Provisioning: d.Provisioning.ValueString(), Datastore: d.Datastore.ValueString(), Mode: d.Mode.ValueString(),
		}
	}
	for slot, n := range objects[cloneNetwork](ctx, m.Networks, diags) {
		s.NICs[slot] = vsphere.NICSettings{Network: n.Network.ValueString(), Type: n.Type.ValueString(), MAC: n.MAC.ValueString()}
	}
	if cd := object[cloneCDROM](ctx, m.CDROM, diags); cd != nil {
		s.CDROM = &vsphere.CDROMSettings{ISO: cd.ISO.ValueString(), Client: cd.Client.ValueBool()}
	}
	if !m.Annotation.IsNull() && !m.Annotation.IsUnknown() {
		s.Annotation = m.Annotation.ValueStringPointer()
	}
	return s
}

func allocationSpec(ctx context.Context, v types.Object, diags *diag.Diagnostics) *vsphere.VMAllocation {
	a := object[cloneAllocation](ctx, v, diags)
	if a == nil {
		return nil
	}
	return &vsphere.VMAllocation{
		Reservation: knownInt(a.Reservation), Limit: knownInt(a.Limit),
		Shares: a.Shares.ValueString(), ShareCount: int32(a.ShareCount.ValueInt64()), //nolint:gosec // bounded by the schema
	}
}

func knownInt(v types.Int64) *int64 {
	if v.IsNull() || v.IsUnknown() {
		return nil
	}
	return v.ValueInt64Pointer()
}

func (m *cloneModel) cloudInit(ctx context.Context, diags *diag.Diagnostics) *vsphere.CloudInit {
	c := object[cloneCloudInit](ctx, m.CloudInit, diags)
	if c == nil {
		return nil
	}
	return &vsphere.CloudInit{Metadata: c.Metadata.ValueString(), UserData: vsphere.Secret(c.UserData.ValueString())}
}

func (m *cloneModel) customization(ctx context.Context, diags *diag.Diagnostics) *vsphere.Customization {
	c := object[cloneCustomize](ctx, m.Customize, diags)
	if c == nil {
		return nil
	}
	spec := &vsphere.Customization{
		Spec: c.Spec.ValueString(), DNSServers: listOf(c.DNS), DNSDomains: listOf(c.DNSSearch),
		Linux:      linuxSpec(object[cloneLinux](ctx, c.Linux, diags)),
		Windows:    windowsSpec(object[cloneWindows](ctx, c.Windows, diags)),
		Interfaces: map[string]vsphere.InterfaceSettings{},
	}
	for _, gateway := range []types.String{c.Gateway, c.GatewayIPv6} {
		if gateway.ValueString() != "" {
			spec.Gateways = append(spec.Gateways, gateway.ValueString())
		}
	}
	for slot, i := range objects[cloneInterface](ctx, c.Interfaces, diags) {
		spec.Interfaces[slot] = vsphere.InterfaceSettings{
			IPv4: i.IPv4.ValueString(), IPv6: listOf(i.IPv6), Gateways: listOf(i.Gateways), DNSServers: listOf(i.DNS), DNSDomain: i.DNSDomain.ValueString(),
		}
	}
	return spec
}

func linuxSpec(l *cloneLinux) *vsphere.LinuxCustomization {
	if l == nil {
		return nil
	}
	return &vsphere.LinuxCustomization{
		Hostname: l.Hostname.ValueString(), Domain: l.Domain.ValueString(), TimeZone: l.TimeZone.ValueString(),
		HWClockUTC: l.HWClockUTC.ValueBoolPointer(), Script: vsphere.Secret(l.Script.ValueString()),
	}
}

// greenwich is Microsoft's index of GMT without daylight saving time.
const greenwich = 85

func windowsSpec(w *cloneWindows) *vsphere.WindowsCustomization {
	if w == nil {
		return nil
	}
	zone := w.TimeZone
	if zone.IsNull() {
		zone = types.Int64Value(greenwich)
	}
	return &vsphere.WindowsCustomization{
		ComputerName: w.ComputerName.ValueString(), FullName: w.FullName.ValueString(), Organization: w.Organization.ValueString(),
		ProductKey: vsphere.Secret(w.ProductKey.ValueString()), AdminPassword: vsphere.Secret(w.AdminPassword.ValueString()),
		TimeZone:       int32(zone.ValueInt64()),             //nolint:gosec // bounded by the schema
		AutoLogonCount: int32(w.AutoLogonCount.ValueInt64()), //nolint:gosec // a small number
		RunOnce:        listOf(w.RunOnce), Workgroup: w.Workgroup.ValueString(), Domain: w.JoinDomain.ValueString(), DomainOU: w.DomainOU.ValueString(),
		DomainAdmin: w.DomainAdmin.ValueString(), DomainAdminPassword: vsphere.Secret(w.DomainAdminPassword.ValueString()),
	}
}

// waitFor is what to wait for; false when nothing.
func (m *cloneModel) waitFor(ctx context.Context, diags *diag.Diagnostics) (vsphere.WaitFor, bool) {
	w := object[cloneWaitFor](ctx, m.WaitFor, diags)
	if w == nil {
		return vsphere.WaitFor{}, false
	}
	what := vsphere.WaitFor{IP: w.IP.ValueBool(), Customization: w.Customization.ValueBool()}
	for _, text := range listOf(w.IgnoreCIDRs) {
		if prefix, err := netip.ParsePrefix(text); err == nil { // validated
			what.IgnoreCIDRs = append(what.IgnoreCIDRs, prefix)
		}
	}
	return what, what.IP || what.Customization
}

// update asks the SDK for what the configuration says of a VM that is there. prior is what was managed before.
func (m *cloneModel) update(ctx context.Context, prior *cloneModel, diags *diag.Diagnostics) vsphere.UpdateVMSpec {
	spec := vsphere.UpdateVMSpec{
		Name:             m.Name.ValueString(),
		Folder:           m.Folder.ValueString(),
		ResourcePool:     m.ResourcePool.ValueString(),
		Datastore:        m.Datastore.ValueString(),
		DatastoreCluster: m.DatastoreCluster.ValueString(),
		Host:             m.Host.ValueString(),
		VMSettings:       m.settings(ctx, diags),
		RemoveDisks:      map[string]vsphere.DiskRemoval{},
		AllowRestart:     m.AllowRestart.ValueBool(),
	}
	disks := objects[cloneDisk](ctx, prior.Disks, diags)
	for _, address := range removedKeys(prior.Disks, m.Disks) {
		spec.RemoveDisks[address] = vsphere.KeepDisk
		if disks[address].OnRemove.ValueString() == string(vsphere.DeleteDisk) {
			spec.RemoveDisks[address] = vsphere.DeleteDisk
		}
	}
	spec.RemoveNICs = removedKeys(prior.Networks, m.Networks)
	for _, key := range removedKeys(prior.ExtraConfig, m.ExtraConfig) {
		spec.ExtraConfig[key] = ""
	}
	if handsOver(ctx, prior, m, diags) {
		spec.CloudInit = m.cloudInit(ctx, diags)
	}
	return spec
}

// removedKeys are those taken off a list that is still there. Without a list nothing is managed, and so nothing is removed.
func removedKeys(was, is types.Map) []string {
	if is.IsNull() || is.IsUnknown() {
		return nil
	}
	var gone []string
	for key := range was.Elements() {
		if _, kept := is.Elements()[key]; !kept {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	return gone
}
