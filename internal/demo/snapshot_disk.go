package demo

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// deltaName is the name of a delta disk: web-01-000002.vmdk, beside its base.
var deltaName = regexp.MustCompile(`-[0-9]{6}\.vmdk$`)

type flatBacking = types.VirtualDiskFlatVer2BackingInfo

// flatDisks are a configuration's disks that have part in snapshots: an independent one has not ("VirtualDiskMode").
func flatDisks(devices []types.BaseVirtualDevice) map[*types.VirtualDisk]*flatBacking {
	disks := map[*types.VirtualDisk]*flatBacking{}
	for _, d := range object.VirtualDeviceList(devices).SelectByType((*types.VirtualDisk)(nil)) {
		disk, ok := d.(*types.VirtualDisk)
		if !ok {
			continue
		}
		backing, ok := disk.Backing.(*flatBacking)
		if ok && backing.FileName != "" && !strings.HasPrefix(backing.DiskMode, "independent") {
			disks[disk] = backing
		}
	}
	return disks
}

// newDeltas puts a delta on top of each disk of the VM.
func (v *VCenter) newDeltas(ctx *simulator.Context, vm *simulator.VirtualMachine) {
	v.setDisks(ctx, vm, func(below *flatBacking) *flatBacking {
		top := *below
		top.Parent, top.FileName = below, v.freeDelta(below.FileName)
		return &top
	})
}

// freeDelta names the next delta disk and makes its descriptor, so that the next one gets another name.
func (v *VCenter) freeDelta(below string) string {
	var p object.DatastorePath
	if !p.FromString(below) {
		return below
	}
	base := strings.TrimSuffix(deltaName.ReplaceAllString(p.Path, ".vmdk"), ".vmdk")
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s-%06d.vmdk", base, n)
		f, err := v.datastore.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		switch {
		case os.IsExist(err) && n < 999999:
			continue
		case err == nil:
			_, _ = fmt.Fprintf(f, "# Disk DescriptorFile\nparentFileNameHint=%q\n", path.Base(p.Path))
			_ = f.Close()
		}
		return (&object.DatastorePath{Datastore: p.Datastore, Path: name}).String()
	}
}

// setDisks gives each disk of the VM another backing and publishes them.
func (v *VCenter) setDisks(ctx *simulator.Context, vm *simulator.VirtualMachine, change func(*flatBacking) *flatBacking) {
	devices := make([]types.BaseVirtualDevice, len(vm.Config.Hardware.Device))
	copy(devices, vm.Config.Hardware.Device)
	changed := flatDisks(devices)
	for i, d := range devices {
		disk, ok := d.(*types.VirtualDisk)
		if !ok || changed[disk] == nil {
			continue
		}
		with := *disk // readers may still hold the old one
		with.Backing = change(changed[disk])
		devices[i] = &with
	}
	ctx.Update(vm, []types.PropertyChange{{Name: "config.hardware.device", Val: devices}})
	vm.RefreshStorageInfo(ctx, nil)
}

// merge takes away the delta disks that a removed snapshot leaves: the one delta above a frozen disk is merged into it. Where
// several branches stand on the frozen disk it has to stay ("RemoveSnapshot_Task", consolidation).
func (v *VCenter) merge(ctx *simulator.Context, vm *simulator.VirtualMachine, others []*simulator.VirtualMachineSnapshot, frozen []types.BaseVirtualDevice) {
	for _, base := range flatDisks(frozen) {
		above := map[string]bool{}
		v.eachChain(vm, others, func(b *flatBacking) {
			if b.Parent != nil && b.Parent.FileName == base.FileName {
				above[b.FileName] = true
			}
		})
		if len(above) == 0 && !v.inUse(vm, others, base.FileName) {
			v.removeDelta(base.FileName)
		}
		if len(above) != 1 || v.frozenBy(others, base.FileName) {
			continue
		}
		shorten := func(b *flatBacking) *flatBacking { return withoutDelta(b, above, base) }
		v.setDisks(ctx, vm, shorten)
		for _, other := range others {
			for disk, backing := range flatDisks(other.Config.Hardware.Device) {
				disk.Backing = shorten(backing)
			}
		}
		for file := range above {
			v.removeDelta(file)
		}
	}
}

// inUse says whether a file is in any chain that is left.
func (v *VCenter) inUse(vm *simulator.VirtualMachine, others []*simulator.VirtualMachineSnapshot, file string) bool {
	used := false
	v.eachChain(vm, others, func(b *flatBacking) { used = used || b.FileName == file })
	return used
}

// frozenBy says whether a snapshot that stays has this very file as the top of a disk.
func (v *VCenter) frozenBy(others []*simulator.VirtualMachineSnapshot, file string) bool {
	for _, other := range others {
		for _, b := range flatDisks(other.Config.Hardware.Device) {
			if b.FileName == file {
				return true
			}
		}
	}
	return false
}

// eachChain visits every backing of the VM and of the snapshots, and those below.
func (v *VCenter) eachChain(vm *simulator.VirtualMachine, others []*simulator.VirtualMachineSnapshot, visit func(*flatBacking)) {
	chains := [][]types.BaseVirtualDevice{vm.Config.Hardware.Device}
	for _, other := range others {
		chains = append(chains, other.Config.Hardware.Device)
	}
	for _, devices := range chains {
		for _, b := range flatDisks(devices) {
			for ; b != nil; b = b.Parent {
				visit(b)
			}
		}
	}
}

// withoutDelta is the chain with the merged delta taken out.
func withoutDelta(b *flatBacking, merged map[string]bool, into *flatBacking) *flatBacking {
	if b == nil {
		return nil
	}
	out := *b
	if merged[b.FileName] && b.Parent != nil && b.Parent.FileName == into.FileName {
		out = *b.Parent
		return &out
	}
	out.Parent = withoutDelta(b.Parent, merged, into)
	return &out
}

// removeDelta removes a delta's descriptor; a base disk is never one.
func (v *VCenter) removeDelta(file string) {
	var p object.DatastorePath
	if p.FromString(file) && deltaName.MatchString(p.Path) {
		_ = v.datastore.Remove(p.Path) // it may have gone with the VM
	}
}
