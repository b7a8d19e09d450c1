package demo

import (
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// lease is an HttpNfcLease ("vSphere Web Services API"): initializing, then ready with its URLs, then done or error. It
// times out without HttpNfcLeaseProgress, lives in the session that asked for it, and holds its VM: until it ends, a second
// export of the VM is TaskInProgress. The embedded managed object must come first, the property collector reads it.
type lease struct {
	mo.HttpNfcLease

	v       *VCenter
	id      string // the unguessable part of its URLs, which need no other proof
	session *simulator.Session
	vm      types.ManagedObjectReference
	task    *simulator.Task // what vCenter's list of tasks shows
	files   map[string]leaseFile
	timeout time.Duration
	renewed chan struct{}
	done    chan struct{}
}

// leaseFile is one file of a lease.
type leaseFile struct {
	path string // of a file, or empty
	blob []byte // the bytes themselves when there is no path
}

// leases are the open leases. Whoever takes one out of it is the one who ends it.
type leases struct {
	mu   sync.Mutex
	byID map[string]*lease
}

// hold adds a lease unless its VM is held already; then it returns the task that holds it.
func (s *leases) hold(l *lease) *simulator.Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.byID {
		if other.vm == l.vm {
			return other.task
		}
	}
	s.byID[l.id] = l
	return nil
}

func (s *leases) take(l *lease) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.byID[l.id]
	delete(s.byID, l.id)
	return ok
}

func (s *leases) get(id string) *lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byID[id]
}

// holder is the task of the lease that holds a VM, or nil.
func (s *leases) holder(vm types.ManagedObjectReference) *simulator.Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.byID {
		if l.vm == vm {
			return l.task
		}
	}
	return nil
}

// of lists the leases of a session, or all with an empty key.
func (s *leases) of(session string) []*lease {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*lease
	for _, l := range s.byID {
		if session == "" || l.session.Key == session {
			list = append(list, l)
		}
	}
	return list
}

// newLease opens a lease on the disks in a VM's device list. The caller holds the VM's lock.
func (v *VCenter) newLease(ctx *simulator.Context, vm *simulator.VirtualMachine, devices []types.BaseVirtualDevice) (*lease, types.BaseMethodFault) {
	l := &lease{
		v: v, id: randomID(), session: ctx.Session, vm: vm.Self,
		timeout: v.faults.get().leaseTimeout(),
		renewed: make(chan struct{}, 1), done: make(chan struct{}),
	}
	info, fault := v.exportInfo(vm, devices, l)
	if fault != nil {
		return nil, fault
	}
	l.task = newExportTask(vm)
	if other := v.leases.hold(l); other != nil {
		return nil, &types.TaskInProgress{Task: other.Self}
	}
	v.registry.Put(l.task)
	l.Self = types.ManagedObjectReference{Type: "HttpNfcLease", Value: "session[" + ctx.Session.Key + "]" + identity("lease", l.id).String()}
	l.State = types.HttpNfcLeaseStateInitializing
	l.Mode = string(types.HttpNfcLeaseModePushOrGet)
	ctx.Session.Put(l)
	info.Lease = l.Self
	v.goroutines.Go(func() { l.live(v.faults.get().LeaseDelay, info) })
	return l, nil
}

// newExportTask is the entry in vCenter's list of tasks that an open lease has.
func newExportTask(vm *simulator.VirtualMachine) *simulator.Task {
	task := simulator.CreateTask(vm, "exportVm", nil)
	// The simulator would number it; a name of its own keeps the numbers of later objects independent of exports.
	task.Self = types.ManagedObjectReference{Type: "Task", Value: "task-export-" + randomID()[:8]}
	task.Info.Key = task.Self.Value
	task.Info.Task = task.Self
	task.Info.EntityName = vm.Name
	task.Info.State = types.TaskInfoStateRunning
	task.Info.StartTime = types.NewTime(time.Now())
	task.Info.Cancelable = true
	return task
}

// live makes the lease ready and times it out.
func (l *lease) live(delay time.Duration, info *types.HttpNfcLeaseInfo) {
	select {
	case <-l.done:
		return
	case <-time.After(delay):
	}
	ctx := backgroundContext(l.v.model.Service)
	ctx.WithLock(l, func() {
		if l.State == types.HttpNfcLeaseStateInitializing {
			ctx.Update(l, []types.PropertyChange{
				{Name: "info", Val: info},
				{Name: "initializeProgress", Val: int32(100)},
				{Name: "state", Val: types.HttpNfcLeaseStateReady},
			})
		}
	})
	for {
		select {
		case <-l.done:
			return
		case <-l.renewed:
		case <-time.After(l.timeout):
			l.fail(ctx, new(types.Timedout), "The operation timed out.")
			return
		}
	}
}

// fail ends the lease in state error, where it stays for its client to read.
func (l *lease) fail(ctx *simulator.Context, fault types.BaseMethodFault, message string) {
	l.end(ctx, types.HttpNfcLeaseStateError, &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: message})
}

// end frees the VM, cuts the transfers and settles the task. Only the first caller does anything.
func (l *lease) end(ctx *simulator.Context, state types.HttpNfcLeaseState, fault *types.LocalizedMethodFault) {
	if !l.v.leases.take(l) {
		return
	}
	close(l.done)
	ctx.WithLock(l, func() {
		changes := []types.PropertyChange{{Name: "state", Val: state}}
		if fault != nil {
			changes = append([]types.PropertyChange{{Name: "error", Val: fault}}, changes...)
		}
		ctx.Update(l, changes)
	})
	result := []types.PropertyChange{
		{Name: "info.completeTime", Val: time.Now()},
		{Name: "info.state", Val: types.TaskInfoStateSuccess},
	}
	if fault != nil {
		result[1].Val = types.TaskInfoStateError
		result = append(result, types.PropertyChange{Name: "info.error", Val: fault})
	}
	ctx.WithLock(l.task, func() { ctx.Update(l.task, result) })
}

// over is the fault of a call on a lease that has ended: Timedout "if the lease has timed out before this call was made",
// InvalidState otherwise (HttpNfcLease, "vSphere Web Services API").
func (l *lease) over() types.BaseMethodFault {
	if l.State == types.HttpNfcLeaseStateInitializing || l.State == types.HttpNfcLeaseStateReady {
		return nil
	}
	if l.Error != nil {
		if timedOut, ok := l.Error.Fault.(*types.Timedout); ok {
			return timedOut
		}
	}
	return new(types.InvalidState)
}

// HttpNfcLeaseProgress sets the progress and renews the lease.
//
//nolint:staticcheck // the name is the SOAP method's
func (l *lease) HttpNfcLeaseProgress(ctx *simulator.Context, req *types.HttpNfcLeaseProgress) soap.HasFault {
	body := new(methods.HttpNfcLeaseProgressBody)
	switch fault := l.over(); {
	case fault != nil:
		body.Fault_ = simulator.Fault("", fault)
	case req.Percent < 0 || req.Percent > 100:
		body.Fault_ = simulator.Fault("", &types.InvalidArgument{InvalidProperty: "percent"})
	case l.v.faults.refuseProgress():
		body.Fault_ = simulator.Fault("the host does not answer", new(types.HostCommunication))
	default:
		select {
		case l.renewed <- struct{}{}:
		default: // a renewal waits already
		}
		ctx.Update(l, []types.PropertyChange{{Name: "transferProgress", Val: req.Percent}})
		ctx.WithLock(l.task, func() {
			ctx.Update(l.task, []types.PropertyChange{{Name: "info.progress", Val: req.Percent}})
		})
		body.Res = new(types.HttpNfcLeaseProgressResponse)
	}
	return body
}

// HttpNfcLeaseComplete ends the lease well; afterwards the object is gone.
//
//nolint:staticcheck // the name is the SOAP method's
func (l *lease) HttpNfcLeaseComplete(ctx *simulator.Context, _ *types.HttpNfcLeaseComplete) soap.HasFault {
	body := new(methods.HttpNfcLeaseCompleteBody)
	fault := l.over()
	if fault == nil && l.State != types.HttpNfcLeaseStateReady {
		fault = new(types.InvalidState)
	}
	if fault != nil {
		body.Fault_ = simulator.Fault("", fault)
		return body
	}
	l.end(ctx, types.HttpNfcLeaseStateDone, nil)
	l.session.Remove(ctx, l.Self)
	body.Res = new(types.HttpNfcLeaseCompleteResponse)
	return body
}

// HttpNfcLeaseAbort ends the lease with the fault that the client gives; afterwards the object is gone.
//
//nolint:staticcheck // the name is the SOAP method's
func (l *lease) HttpNfcLeaseAbort(ctx *simulator.Context, req *types.HttpNfcLeaseAbort) soap.HasFault {
	body := new(methods.HttpNfcLeaseAbortBody)
	if fault := l.over(); fault != nil {
		body.Fault_ = simulator.Fault("", fault)
		return body
	}
	fault := req.Fault
	if fault == nil {
		fault = &types.LocalizedMethodFault{Fault: new(types.RequestCanceled), LocalizedMessage: "The lease was aborted."}
	}
	l.end(ctx, types.HttpNfcLeaseStateError, fault)
	l.session.Remove(ctx, l.Self)
	body.Res = new(types.HttpNfcLeaseAbortResponse)
	return body
}
