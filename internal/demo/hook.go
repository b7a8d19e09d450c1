package demo

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// handle is the simulator's Registry.Handler: it sees each SOAP call before the simulator does. It counts the call, refuses
// what a vCenter refuses and the simulator does not, and redirects the methods that are ours.
//
// A returned handler alone is ignored: the session's registry is asked for method.This afterwards and gives back the stock
// object. So method.This is changed to a name that nobody has; the body keeps the original.
func (v *VCenter) handle(ctx *simulator.Context, m *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	v.calls.add(m.Name)
	if fault := v.admit(ctx, m); fault != nil {
		return nil, fault
	}
	if fault := v.guard(ctx, m); fault != nil {
		return nil, fault
	}
	v.watchHosts(m)
	switch m.Name {
	case "DestroyPropertyCollector":
		v.told.Delete(ctx.Session.Get(m.This))
	case "WaitForUpdatesEx":
		if wait := v.updateWaits(ctx, m.This); wait != nil {
			m.This.Value = "demo-" + m.This.Value
			return wait, nil
		}
	case "RetrieveProperties", "RetrievePropertiesEx", "ContinueRetrievePropertiesEx", "QueryPerf", "QueryEvents":
	default:
		v.changes.add()
	}
	handler, fault := v.extension(ctx, m)
	if fault != nil || handler == nil {
		return nil, fault
	}
	m.This.Value = "demo-" + m.This.Value
	return handler, nil
}

// admit checks the session and notes what ends it.
func (v *VCenter) admit(ctx *simulator.Context, m *simulator.Method) types.BaseMethodFault {
	switch m.Name {
	case "LoginByToken", "LoginExtensionByCertificate":
		return new(types.InvalidLogin) // there is no token service; the simulator would let anyone in
	}
	if ctx.Session == nil {
		if needsNoSession(m.Name) {
			return nil
		}
		return notAuthenticated(m.This)
	}
	v.sessions.own(ctx.Session.Key, ctx.Session.Registry)
	switch body := m.Body.(type) {
	case *types.Logout:
		v.sessions.release(ctx.Session.Key)
	case *types.TerminateSession:
		for _, key := range body.SessionId {
			if key != ctx.Session.Key {
				v.sessions.release(key)
			}
		}
	}
	return nil
}

// extension returns the object that answers a method in the simulator's place, or nil.
func (v *VCenter) extension(ctx *simulator.Context, m *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if pools := v.poolExtension(m); pools != nil {
		return pools, nil
	}
	switch m.Name {
	case "ExportVm":
		vm, fault := v.vm(m.This)
		return orNil(&vmExport{v: v, vm: vm}, fault)
	case "ExportSnapshot":
		snapshot, ok := v.registry.Get(m.This).(*simulator.VirtualMachineSnapshot)
		if !ok {
			return nil, &types.ManagedObjectNotFound{Obj: m.This}
		}
		vm, fault := v.vm(snapshot.Vm)
		return orNil(&snapshotExport{v: v, vm: vm, snapshot: snapshot}, fault)
	case "CloneVM_Task":
		vm, fault := v.vm(m.This)
		return orNil(&vmClone{v: v, vm: vm}, fault)
	case "RelocateVM_Task":
		vm, fault := v.vm(m.This)
		return orNil(&vmRelocate{v: v, vm: vm}, fault)
	case "CancelTask":
		if task, ok := v.registry.Get(m.This).(*simulator.Task); ok {
			return &taskCancel{v: v, task: task}, nil
		}
	case "CreateDescriptor":
		return &descriptorMaker{v: v, self: m.This}, nil
	case "WaitForUpdatesEx":
		if pc, ok := ctx.Session.Get(m.This).(*simulator.PropertyCollector); ok {
			return &updatesWait{v: v, pc: pc}, nil
		}
	case "CurrentTime":
		return &serviceClock{v: v, self: m.This}, nil
	case "QueryPerf":
		return &performanceQuery{v: v, manager: v.performance()}, nil
	case "QueryEvents", "CreateCollectorForEvents":
		return &eventQuery{v.events}, nil
	case "PostEvent":
		return &eventPost{v}, nil
	case "ShutdownGuest":
		vm, fault := v.vm(m.This)
		return orNil(&guestShutdown{v: v, vm: vm}, fault)
	case "RebootGuest":
		vm, fault := v.vm(m.This)
		return orNil(&guestReboot{v: v, vm: vm}, fault)
	case "MarkAsTemplate", "MarkAsVirtualMachine":
		vm, fault := v.vm(m.This)
		return orNil(&templateMarker{v: v, vm: vm}, fault)
	}
	return v.snapshotMethods(m)
}

func (v *VCenter) vm(ref types.ManagedObjectReference) (*simulator.VirtualMachine, types.BaseMethodFault) {
	vm, ok := v.registry.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	return vm, nil
}

// orNil keeps a nil interface nil.
func orNil(handler mo.Reference, fault types.BaseMethodFault) (mo.Reference, types.BaseMethodFault) {
	if fault != nil {
		return nil, fault
	}
	return handler, nil
}
