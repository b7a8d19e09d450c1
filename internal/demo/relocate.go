package demo

import (
	"os"
	"path"
	"path/filepath"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// vmRelocate answers VirtualMachine.RelocateVM_Task: the files go with the VM ("datastore: the datastore where the virtual machine
// should be located", "disk: … where a virtual disk should be located", VirtualMachineRelocateSpec, "vSphere Web Services API").
// The simulator changes what the VM refers to and leaves its files behind. A disk's parents, below snapshots, stay where they are.
type vmRelocate struct {
	v  *VCenter
	vm *simulator.VirtualMachine
}

// Reference is not the VM's, since the task takes the VM's lock itself.
func (x *vmRelocate) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "Relocation", Value: "demo"}
}

// RelocateVMTask begins the relocation.
func (x *vmRelocate) RelocateVMTask(_ *simulator.Context, req *types.RelocateVM_Task) soap.HasFault {
	own := backgroundContext(x.v.model.Service)
	task := x.v.startTask(job{
		entity: x.vm, method: "RelocateVM_Task", id: "relocate",
		work: func() (types.AnyType, types.BaseMethodFault) { return nil, x.relocate(own, req) }, end: func() {},
	})
	return &methods.RelocateVM_TaskBody{Res: &types.RelocateVM_TaskResponse{Returnval: task}}
}

func (x *vmRelocate) relocate(ctx *simulator.Context, req *types.RelocateVM_Task) types.BaseMethodFault {
	stores := []types.ManagedObjectReference{}
	if req.Spec.Datastore != nil {
		stores = append(stores, *req.Spec.Datastore)
	}
	locators := map[int32]types.VirtualMachineRelocateSpecDiskLocator{}
	for _, l := range req.Spec.Disk {
		stores, locators[l.DiskId] = append(stores, l.Datastore), l
	}
	for _, ref := range stores {
		if _, ok := x.v.registry.Get(ref).(*simulator.Datastore); !ok {
			return &types.ManagedObjectNotFound{Obj: ref}
		}
	}
	fault := x.v.finished(ctx, func() (body soap.HasFault) {
		x.v.tasks.recent.Lock()
		defer x.v.tasks.recent.Unlock()
		ctx.WithLock(x.vm, func() { body = x.vm.RelocateVMTask(ctx, req) })
		return body
	})
	if fault != nil || len(stores) == 0 {
		return fault
	}
	err := x.moveHome(ctx, req.Spec.Datastore)
	x.v.eachDisk(ctx, x.vm, func(disk *types.VirtualDisk, backing *types.VirtualDiskFlatVer2BackingInfo) {
		locator, named := locators[disk.Key]
		if !named && req.Spec.Datastore != nil {
			locator.Datastore, named = *req.Spec.Datastore, true
		}
		if want, ok := locator.DiskBackingInfo.(*types.VirtualDiskFlatVer2BackingInfo); ok {
			backing.ThinProvisioned, backing.EagerlyScrub = want.ThinProvisioned, want.EagerlyScrub
		}
		if named && err == nil {
			err = x.v.moveFile(backing, locator.Datastore)
		}
	})
	if err != nil {
		return &types.SystemError{Reason: err.Error()}
	}
	return nil
}

// moveHome takes the VM's own files to another datastore, into the directory of the same name.
func (x *vmRelocate) moveHome(ctx *simulator.Context, to *types.ManagedObjectReference) error {
	if to == nil {
		return nil
	}
	target, _ := x.v.registry.Get(*to).(*simulator.Datastore)
	var failed error
	ctx.WithLock(x.vm, func() {
		files := x.vm.Config.Files
		var vmx object.DatastorePath
		if !vmx.FromString(files.VmPathName) || vmx.Datastore == target.Name {
			return
		}
		source := x.v.datastoreNamed(vmx.Datastore)
		if source == nil {
			return
		}
		if failed = os.MkdirAll(filepath.Join(target.Summary.Url, path.Dir(vmx.Path)), 0o700); failed != nil {
			return
		}
		if err := os.Rename(filepath.Join(source.Summary.Url, vmx.Path), filepath.Join(target.Summary.Url, vmx.Path)); err != nil && !os.IsNotExist(err) {
			failed = err
			return
		}
		vmx.Datastore = target.Name
		files.VmPathName = vmx.String()
		for _, dir := range []*string{&files.SnapshotDirectory, &files.SuspendDirectory, &files.LogDirectory} {
			var at object.DatastorePath
			if at.FromString(*dir) && at.Datastore == source.Name {
				at.Datastore = target.Name
				*dir = at.String()
			}
		}
		ctx.Update(x.vm, []types.PropertyChange{
			{Name: "config.files", Val: files}, {Name: "summary.config.vmPathName", Val: files.VmPathName},
		})
	})
	return failed
}
