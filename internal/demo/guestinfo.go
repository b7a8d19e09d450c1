package demo

import (
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// guestFullName is what vCenter calls a guest id (GuestOsDescriptor.fullName, "vSphere Web Services API"); an id that is not
// listed here stays itself.
func guestFullName(id string) string {
	names := map[string]string{
		"debian10_64Guest":           "Debian GNU/Linux 10 (64-bit)",
		"debian11_64Guest":           "Debian GNU/Linux 11 (64-bit)",
		"debian12_64Guest":           "Debian GNU/Linux 12 (64-bit)",
		"ubuntu64Guest":              "Ubuntu Linux (64-bit)",
		"rhel7_64Guest":              "Red Hat Enterprise Linux 7 (64-bit)",
		"rhel8_64Guest":              "Red Hat Enterprise Linux 8 (64-bit)",
		"rhel9_64Guest":              "Red Hat Enterprise Linux 9 (64-bit)",
		"rockylinux_64Guest":         "Rocky Linux (64-bit)",
		"almalinux_64Guest":          "AlmaLinux (64-bit)",
		"centos7_64Guest":            "CentOS 7 (64-bit)",
		"sles15_64Guest":             "SUSE Linux Enterprise 15 (64-bit)",
		"other5xLinux64Guest":        "Other 5.x or later Linux (64-bit)",
		"other6xLinux64Guest":        "Other 6.x or later Linux (64-bit)",
		"otherLinux64Guest":          "Other Linux (64-bit)",
		"otherGuest":                 "Other (32-bit)",
		"otherGuest64":               "Other (64-bit)",
		"freebsd14_64Guest":          "FreeBSD 14 or later versions (64-bit)",
		"windows9_64Guest":           "Microsoft Windows 10 (64-bit)",
		"windows11_64Guest":          "Microsoft Windows 11 (64-bit)",
		"windows2019srv_64Guest":     "Microsoft Windows Server 2019 (64-bit)",
		"windows2022srvNext_64Guest": "Microsoft Windows Server 2025 (64-bit)",
	}
	if name, ok := names[id]; ok {
		return name
	}
	return id
}

// setFullName replaces the guest id that the simulator puts in place of the full name.
func setFullName(vm *simulator.VirtualMachine, id string) {
	vm.Config.GuestFullName = guestFullName(id)
	vm.Summary.Config.GuestFullName = guestFullName(id)
}

// powerWatch follows the power state of our guests and lets VMware Tools say what they would: everything while the guest
// runs, only the last known hostname when it does not (VirtualMachine.guest, "vSphere Web Services API").
type powerWatch struct {
	self types.ManagedObjectReference
	find func(types.ManagedObjectReference) *machine
}

func newPowerWatch(find func(types.ManagedObjectReference) *machine) *powerWatch {
	return &powerWatch{self: types.ManagedObjectReference{Type: "PowerWatch", Value: "demo"}, find: find}
}

// Reference names the watch in the simulator's list of handlers.
func (w *powerWatch) Reference() types.ManagedObjectReference { return w.self }

// PutObject is called for each new object. Task.Execute is wrapped here, before its goroutine starts: see guardTask.
func (w *powerWatch) PutObject(_ *simulator.Context, obj mo.Reference) {
	if task, ok := obj.(*simulator.Task); ok {
		guardTask(task)
	}
}

// RemoveObject is called for each object that goes.
func (w *powerWatch) RemoveObject(*simulator.Context, types.ManagedObjectReference) {}

// UpdateObject is called, under the object's lock, after each change.
func (w *powerWatch) UpdateObject(ctx *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	for _, c := range changes {
		if c.Name != "runtime.powerState" {
			continue
		}
		if m := w.find(obj.Reference()); m != nil {
			m.report(ctx)
		}
	}
}

// report publishes what VMware Tools say in the VM's present power state. The caller holds the VM's lock.
func (m *machine) report(ctx *simulator.Context) {
	if m.clone != nil {
		m.clone.power(ctx, m)
		return
	}
	m.publish(ctx, nil, nil)
}

// publish is report with how the customization of a clone's guest is, and an address for each adapter in place of the guest's own.
func (m *machine) publish(ctx *simulator.Context, customization *types.GuestInfoCustomizationInfo, ips []string) {
	running := m.vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	hadRun := running || m.vm.Guest.HostName != ""
	guest := &types.GuestInfo{
		ToolsStatus:         types.VirtualMachineToolsStatusToolsNotRunning,
		ToolsVersionStatus:  string(types.VirtualMachineToolsVersionStatusGuestToolsUnmanaged),
		ToolsVersionStatus2: string(types.VirtualMachineToolsVersionStatusGuestToolsUnmanaged),
		ToolsRunningStatus:  string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning),
		ToolsVersion:        "12352",
		ToolsInstallType:    string(types.VirtualMachineToolsInstallTypeGuestToolsTypeOpenVMTools),
		GuestFamily:         guestFamily(m.guest.GuestID),
		GuestState:          string(types.VirtualMachineGuestStateNotRunning),
		CustomizationInfo:   customization,
	}
	if hadRun {
		guest.HostName = m.guest.Hostname
		guest.GuestId = m.guest.GuestID
		guest.GuestFullName = guestFullName(m.guest.GuestID)
	}
	if running {
		guest.ToolsStatus = types.VirtualMachineToolsStatusToolsOk
		guest.ToolsRunningStatus = string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
		guest.GuestState = string(types.VirtualMachineGuestStateRunning)
		guest.Net = m.nics(ips)
		if len(m.guest.IPs) > 0 {
			guest.IpAddress = m.guest.IPs[0]
		}
		if len(ips) > 0 {
			guest.IpAddress = ips[0]
		}
	}
	changes := []types.PropertyChange{
		{Name: "guest", Val: guest},
		{Name: "summary.guest", Val: &types.VirtualMachineGuestSummary{
			GuestId: guest.GuestId, GuestFullName: guest.GuestFullName, HostName: guest.HostName, IpAddress: guest.IpAddress,
			ToolsStatus: guest.ToolsStatus, ToolsRunningStatus: guest.ToolsRunningStatus,
			ToolsVersionStatus: guest.ToolsVersionStatus, ToolsVersionStatus2: guest.ToolsVersionStatus2,
		}},
		// The simulator tells a change only to those who asked for just that path.
		{Name: "guest.toolsRunningStatus", Val: guest.ToolsRunningStatus},
		{Name: "guest.hostName", Val: guest.HostName},
		{Name: "guest.ipAddress", Val: guest.IpAddress},
		{Name: "guest.net", Val: guest.Net},
	}
	if customization != nil {
		changes = append(changes, types.PropertyChange{Name: "guest.customizationInfo", Val: customization})
	}
	ctx.Update(m.vm, changes)
}

// nics is GuestInfo.net: all the guest's addresses are on its first adapter, unless there is one for each.
func (m *machine) nics(each []string) []types.GuestNicInfo {
	var nics []types.GuestNicInfo
	for i, n := range m.guest.NICs {
		info := types.GuestNicInfo{
			Network: n.Network, MacAddress: n.MAC, Connected: true, DeviceConfigId: int32(4000 + i),
			IpConfig: new(types.NetIpConfigInfo),
		}
		switch {
		case i < len(each):
			info.IpAddress = each[i : i+1]
		case i == 0 && len(each) == 0:
			info.IpAddress = m.guest.IPs
		}
		for _, ip := range info.IpAddress {
			info.IpConfig.IpAddress = append(info.IpConfig.IpAddress, types.NetIpConfigInfoIpAddress{
				IpAddress: ip, PrefixLength: prefixLength(ip), State: string(types.NetIpConfigInfoIpAddressStatusPreferred),
			})
		}
		nics = append(nics, info)
	}
	return nics
}

func prefixLength(ip string) int32 {
	if strings.Contains(ip, ":") {
		return 64
	}
	return 24
}

func guestFamily(id string) string {
	if strings.HasPrefix(id, "win") {
		return string(types.VirtualMachineGuestOsFamilyWindowsGuest)
	}
	return string(types.VirtualMachineGuestOsFamilyLinuxGuest)
}
