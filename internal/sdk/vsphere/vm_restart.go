package vsphere

import (
	"maps"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"
)

// NeedsRestart names, by JSON path (cpus, memory_mb, disks.ide0:0, networks.0.type), the settings that differ from the VM's
// and that vCenter cannot change while it runs. It is empty for a VM that is off. Where VMware's documents are silent about a
// hot change, it is taken to need a restart.
func NeedsRestart(vm *VM, s VMSettings) []string {
	if vm.PowerState == string(types.VirtualMachinePowerStatePoweredOff) {
		return nil
	}
	var names []string
	add := func(needs bool, name string) {
		if needs {
			names = append(names, name)
		}
	}
	add(s.CPUs > vm.CPUs && !vm.CPUHotAdd || s.CPUs > 0 && s.CPUs < vm.CPUs && !vm.CPUHotRemove, "cpus")
	add(s.CoresPerSocket > 0 && s.CoresPerSocket != vm.CoresPerSocket, "cores_per_socket")
	add(memoryNeedsRestart(vm, s.MemoryMB), "memory_mb")
	for _, name := range slices.SortedFunc(maps.Keys(s.Disks), compareAddresses) {
		names = append(names, diskNeedsRestart(vm, name, s.Disks[name])...)
	}
	for _, key := range slices.Sorted(maps.Keys(s.NICs)) {
		if at, err := position(key); err == nil && at < len(vm.NICs) {
			want, has := s.NICs[key], vm.NICs[at]
			add(want.Type != "" && want.Type != has.Type, "networks."+key+".type")
			add(want.MAC != "" && !strings.EqualFold(want.MAC, has.MAC), "networks."+key+".mac")
		}
	}
	add(s.CDROM != nil && len(vm.CDROMs) == 0, "cdrom")
	for _, id := range slices.Sorted(maps.Keys(s.VAppProperties)) {
		add(s.VAppProperties[id] != vm.VAppProperties[id], "vapp_properties."+id)
	}
	return names
}

// NeedsRestartToRemove names what of a removal a running VM cannot do: IDE devices.
func NeedsRestartToRemove(vm *VM, disks map[string]DiskRemoval, cdrom bool) []string {
	if vm.PowerState == string(types.VirtualMachinePowerStatePoweredOff) {
		return nil
	}
	var names []string
	for _, name := range slices.SortedFunc(maps.Keys(disks), compareAddresses) {
		if strings.HasPrefix(name, "ide") && slices.ContainsFunc(vm.Disks, func(d Disk) bool { return d.Address == name }) {
			names = append(names, "disks."+name)
		}
	}
	if cdrom && len(vm.CDROMs) > 0 {
		names = append(names, "cdrom")
	}
	return names
}

// memoryNeedsRestart: memory is added to a running VM when hot-add was enabled before it was started, up to a bound that vCenter names;
// it is never taken away.
func memoryNeedsRestart(vm *VM, want int64) bool {
	switch {
	case want == 0 || want == vm.MemoryMB:
		return false
	case want < vm.MemoryMB || !vm.MemoryHotAdd:
		return true
	}
	return vm.MemoryHotAddMax > 0 && want > vm.MemoryHotAddMax
}

// diskNeedsRestart: SCSI and NVMe disks come and grow while the VM runs; IDE and SATA disks, new SATA and NVMe controllers, and modes
// wait until it is off ("vSphere Virtual Machine Administration", hot-adding and hot-extending disks).
func diskNeedsRestart(vm *VM, name string, want DiskSettings) []string {
	a, err := parseAddress(name)
	if err != nil {
		return nil
	}
	path := "disks." + name
	cold := a.kind == "ide" || a.kind == "sata"
	controller := false
	for _, d := range vm.Disks {
		if d.Address == name {
			var names []string
			if cold && want.SizeGB*gigabyte > d.CapacityBytes {
				names = append(names, path+".size_gb")
			}
			if want.Mode != "" && want.Mode != d.Mode {
				names = append(names, path+".mode")
			}
			return names
		}
		if there, err := parseAddress(d.Address); err == nil && there.kind == a.kind && there.bus == a.bus {
			controller = true
		}
	}
	if a.kind == "ide" || a.kind != "scsi" && !controller {
		return []string{path}
	}
	return nil
}
