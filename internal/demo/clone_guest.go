package demo

import (
	"fmt"
	"maps"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// defaultBoot is how long the guest of a clone takes until it has addresses.
const defaultBoot = 50 * time.Millisecond

// cloneGuest is what lives in a clone: it takes a while to boot, then asks DHCP for addresses, and at its first start does what the
// customization says (CustomizationSpec and GuestInfo.customizationInfo, "vSphere Web Services API").
type cloneGuest struct {
	v         *VCenter
	customize *types.CustomizationSpec // awaits the first start
	ordered   *types.CustomizationSpec // what was asked for, done or not
	fixed     map[int]string           // addresses by position of the adapter
	boots     int                      // guarded by the VM's lock, like the rest
}

// machine finds the guest in a VM; nil: none.
func (v *VCenter) machine(ref types.ManagedObjectReference) *machine {
	if m := v.machines[ref]; m != nil {
		return m
	}
	v.clones.mu.Lock()
	defer v.clones.mu.Unlock()
	return v.clones.machines[ref]
}

// addClone puts the source's guest, its bytes and its hostname, into the clone.
func (v *VCenter) addClone(ctx *simulator.Context, source, vm *simulator.VirtualMachine) {
	m := &machine{vm: vm, disks: map[int32]*image{}, flats: map[string]*image{}, clone: &cloneGuest{v: v, fixed: map[int]string{}}}
	if was := v.machine(source.Self); was != nil {
		m.guest = was.guest
		maps.Copy(m.disks, was.disks)
	}
	m.guest.IPs = nil
	ctx.WithLock(vm, func() {
		m.guest.GuestID = vm.Config.GuestId
		setFullName(vm, m.guest.GuestID)
		m.clone.publish(ctx, m, "", nil)
	})
	v.clones.mu.Lock()
	defer v.clones.mu.Unlock()
	if v.clones.machines == nil {
		v.clones.machines = map[types.ManagedObjectReference]*machine{}
	}
	v.clones.machines[vm.Self] = m
}

// checkNICs: "the number of network adapters in the specification must match the number in the virtual machine" (NicSettingMismatch).
func checkNICs(spec *types.CustomizationSpec, nics int) types.BaseMethodFault {
	if n := len(spec.NicSettingMap); n != nics {
		return &types.NicSettingMismatch{NumberOfNicsInSpec: int32(n), NumberOfNicsInVM: int32(nics)}
	}
	return nil
}

func (v *VCenter) awaitCustomization(ctx *simulator.Context, vm *simulator.VirtualMachine, spec *types.CustomizationSpec) {
	m := v.machine(vm.Self)
	ctx.WithLock(vm, func() {
		m.clone.customize, m.clone.ordered = spec, spec
		ctx.Update(vm, []types.PropertyChange{{Name: "config.tools.pendingCustomization", Val: randomID()}})
		m.clone.publish(ctx, m, types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_PENDING, nil)
	})
}

// Customization is the specification that came with the clone of a VM, as vCenter received it; nil: none. ref is the VM's moref value.
func (v *VCenter) Customization(ref string) *types.CustomizationSpec {
	m := v.machine(types.ManagedObjectReference{Type: "VirtualMachine", Value: ref})
	if m == nil || m.clone == nil {
		return nil
	}
	var spec *types.CustomizationSpec
	backgroundContext(v.model.Service).WithLock(m.vm, func() { spec = m.clone.ordered })
	return spec
}

// power follows the VM's power state. The caller holds the VM's lock.
func (g *cloneGuest) power(ctx *simulator.Context, m *machine) {
	g.boots++
	if m.vm.Runtime.PowerState != types.VirtualMachinePowerStatePoweredOn {
		g.publish(ctx, m, g.status(m), nil)
		return
	}
	status := g.status(m)
	if g.customize != nil {
		status = types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_RUNNING
	}
	g.publish(ctx, m, status, nil)
	boot, take := g.boots, g.v.faults.get().BootTime
	if take <= 0 {
		take = defaultBoot
	}
	g.v.goroutines.Go(func() {
		select {
		case <-g.v.done:
		case <-time.After(take):
			own := backgroundContext(g.v.model.Service)
			own.WithLock(m.vm, func() {
				if g.boots == boot {
					g.booted(own, m)
				}
			})
		}
	})
}

func (g *cloneGuest) status(m *machine) types.GuestInfoCustomizationStatus {
	if m.vm.Guest == nil || m.vm.Guest.CustomizationInfo == nil {
		return ""
	}
	return types.GuestInfoCustomizationStatus(m.vm.Guest.CustomizationInfo.CustomizationStatus)
}

// booted gives the guest its name and addresses.
func (g *cloneGuest) booted(ctx *simulator.Context, m *machine) {
	spec := g.customize
	if spec == nil {
		g.publish(ctx, m, g.status(m), g.addresses(m))
		return
	}
	g.customize = nil
	ctx.Update(m.vm, []types.PropertyChange{{Name: "config.tools.pendingCustomization", Val: ""}})
	event := types.CustomizationEvent{VmEvent: vmEvent(m.vm)}
	if reason := g.v.faults.get().FailCustomization; reason != "" {
		g.publish(ctx, m, types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_FAILED, g.addresses(m))
		g.v.postEvent(&types.CustomizationUnknownFailure{CustomizationFailed: types.CustomizationFailed{CustomizationEvent: event, Reason: reason}})
		return
	}
	m.guest.Hostname = customizedName(spec, m.vm.Name, m.guest.Hostname)
	for i, nic := range spec.NicSettingMap {
		if ip, ok := nic.Adapter.Ip.(*types.CustomizationFixedIp); ok {
			g.fixed[i] = ip.IpAddress
		}
	}
	g.publish(ctx, m, types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_SUCCEEDED, g.addresses(m))
	g.v.postEvent(&types.CustomizationSucceeded{CustomizationEvent: event})
}

func customizedName(spec *types.CustomizationSpec, vmName, was string) string {
	var name types.BaseCustomizationName
	switch identity := spec.Identity.(type) {
	case *types.CustomizationLinuxPrep:
		name = identity.HostName
	case *types.CustomizationSysprep:
		name = identity.UserData.ComputerName
	}
	switch n := name.(type) {
	case *types.CustomizationFixedName:
		return n.Name
	case *types.CustomizationVirtualMachineName:
		return vmName
	}
	return was
}

// addresses is one for each adapter: its fixed one, else one of 198.18.0.0/15 as from DHCP, which no two adapters share.
func (g *cloneGuest) addresses(m *machine) []string {
	var ips []string
	id := identity("dhcp", m.vm.Self.Value)
	for i := range cardsOf(m.vm) {
		if ip, ok := g.fixed[i]; ok {
			ips = append(ips, ip)
			continue
		}
		ips = append(ips, fmt.Sprintf("198.%d.%d.%d", 18+i%2, id[i], 1+id[i+1]%250))
	}
	return ips
}

func cardsOf(vm *simulator.VirtualMachine) object.VirtualDeviceList {
	return object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualEthernetCard)(nil))
}

// publish says what VMware Tools say now, with an address for each adapter or none yet. The caller holds the VM's lock.
func (g *cloneGuest) publish(ctx *simulator.Context, m *machine, status types.GuestInfoCustomizationStatus, ips []string) {
	var info *types.GuestInfoCustomizationInfo
	if status != "" {
		now := time.Now()
		info = &types.GuestInfoCustomizationInfo{CustomizationStatus: string(status), StartTime: &now}
		if status == types.GuestInfoCustomizationStatusTOOLSDEPLOYPKG_FAILED {
			info.ErrorMsg = g.v.faults.get().FailCustomization
		}
	}
	m.guest.NICs, m.guest.IPs = nil, nil
	for _, d := range cardsOf(m.vm) {
		card, _ := d.(types.BaseVirtualEthernetCard)
		m.guest.NICs = append(m.guest.NICs, GuestNIC{MAC: card.GetVirtualEthernetCard().MacAddress, Network: d.GetVirtualDevice().DeviceInfo.GetDescription().Summary})
	}
	m.publish(ctx, info, ips)
}
