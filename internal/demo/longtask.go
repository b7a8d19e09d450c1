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

// longTask is a task of ours: it takes its time, tells how far it is and can be cancelled until it commits (Task and TaskInfo, "vSphere
// Web Services API"). The simulator's own tasks hold their entity's lock all the while, end at once and only look cancelled.
type longTask struct {
	v    *VCenter
	task *simulator.Task

	stop sync.Once
	quit chan struct{} // closed by CancelTask
}

// progressSteps are the reports that a task makes. For each the simulator copies all that anybody follows.
const progressSteps = 5

// longTasks finds our tasks by their reference.
type longTasks struct {
	recent sync.Mutex // held while a clone's source gets or loses a recent task: the simulator gives it one without a lock
	mu     sync.Mutex
	open   map[types.ManagedObjectReference]*longTask
}

// job is what a task is to do.
type job struct {
	entity     mo.Entity
	method, id string        // TaskInfo.name and the end of its descriptionId
	chain      int32         // of the event that tells of its beginning
	take       time.Duration // before the work, while it can be cancelled
	work       func() (types.AnyType, types.BaseMethodFault)
	end        func() // whatever becomes of it
}

// startTask makes a task and runs it.
func (v *VCenter) startTask(j job) types.ManagedObjectReference {
	t := &longTask{v: v, task: simulator.CreateTask(j.entity, j.id, nil), quit: make(chan struct{})}
	t.task.Info.Name, t.task.Info.Cancelable, t.task.Info.EventChainId = j.method, true, j.chain
	t.task.Info.EntityName = j.entity.Entity().Name
	v.tasks.recent.Lock()
	v.registry.Put(t.task)
	v.tasks.recent.Unlock()
	ref := t.task.Self
	v.tasks.mu.Lock()
	if v.tasks.open == nil {
		v.tasks.open = map[types.ManagedObjectReference]*longTask{}
	}
	v.tasks.open[ref] = t
	v.tasks.mu.Unlock()
	t.update(func(info *types.TaskInfo) {
		now := time.Now()
		info.Key, info.Task, info.StartTime, info.State = ref.Value, ref, &now, types.TaskInfoStateRunning
	})
	v.goroutines.Go(func() { t.run(j) })
	return ref
}

// update changes the task and tells who waits for it. The info is published whole: for a part of it the simulator reads the rest without
// a lock. A task that was forgotten is told to nobody.
func (t *longTask) update(change func(*types.TaskInfo)) {
	if t.v.registry.Get(t.task.Self) == nil {
		return
	}
	ctx := backgroundContext(t.v.model.Service)
	ctx.WithLock(t.task, func() {
		info := t.task.Info
		change(&info)
		ctx.Update(t.task, []types.PropertyChange{{Name: "info", Val: info}})
	})
}

func (t *longTask) run(j job) {
	result, fault := t.execute(j.take, j.work)
	j.end()
	t.v.tasks.mu.Lock()
	delete(t.v.tasks.open, t.task.Self)
	t.v.tasks.mu.Unlock()
	t.update(func(info *types.TaskInfo) {
		now := time.Now()
		info.CompleteTime, info.State, info.Result = &now, types.TaskInfoStateSuccess, result
		if fault != nil {
			_, info.Cancelled = fault.(*types.RequestCanceled)
			info.State, info.Result = types.TaskInfoStateError, nil
			info.Error = &types.LocalizedMethodFault{Fault: fault, LocalizedMessage: taskMessage(fault)}
		}
	})
}

// execute takes the time and does the work, a panic of which is the task's error: see guardTask.
func (t *longTask) execute(take time.Duration, work func() (types.AnyType, types.BaseMethodFault)) (types.AnyType, types.BaseMethodFault) {
	for step := range progressSteps {
		select {
		case <-t.quit:
			return nil, new(types.RequestCanceled)
		case <-t.v.done:
			return nil, new(types.RequestCanceled)
		case <-time.After(take / progressSteps):
		}
		if take > 0 && step < progressSteps-1 {
			t.update(func(info *types.TaskInfo) { info.Progress = int32(100 * (step + 1) / progressSteps) })
		}
	}
	stopped := true
	t.stop.Do(func() { stopped = false }) // from here on it cannot be cancelled
	if stopped {
		return nil, new(types.RequestCanceled)
	}
	guarded := &simulator.Task{Execute: func(*simulator.Task) (types.AnyType, types.BaseMethodFault) { return work() }}
	guardTask(guarded)
	return guarded.Execute(guarded)
}

// cancel says whether the task stops.
func (t *longTask) cancel() bool {
	stops := false
	t.stop.Do(func() {
		stops = true
		close(t.quit)
	})
	return stops
}

// taskCancel answers Task.CancelTask: "the operation is not necessarily canceled immediately"; a task that has ended is InvalidState, one that
// cannot be cancelled NotSupported ("vSphere Web Services API").
type taskCancel struct {
	v    *VCenter
	task *simulator.Task
}

// Reference is not the task's: its lock is not needed.
func (x *taskCancel) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "TaskCancel", Value: "demo"}
}

// CancelTask asks the task to stop.
func (x *taskCancel) CancelTask(ctx *simulator.Context, req *types.CancelTask) soap.HasFault {
	body := new(methods.CancelTaskBody)
	x.v.tasks.mu.Lock()
	ours := x.v.tasks.open[req.This]
	x.v.tasks.mu.Unlock()
	var state types.TaskInfoState
	ctx.WithLock(x.task, func() { state = x.task.Info.State })
	switch {
	case state == types.TaskInfoStateSuccess || state == types.TaskInfoStateError:
		body.Fault_ = simulator.Fault("", new(types.InvalidState))
	case ours == nil:
		body.Fault_ = simulator.Fault("", new(types.NotSupported))
	default:
		ours.cancel()
		body.Res = new(types.CancelTaskResponse)
	}
	return body
}

// taskMessage is a fault's text as vCenter localizes the common ones.
func taskMessage(fault types.BaseMethodFault) string {
	switch f := fault.(type) {
	case *types.RequestCanceled:
		return "The task was canceled by a user."
	case *types.DuplicateName:
		return "The name '" + f.Name + "' already exists."
	case *types.InsufficientStorageSpace:
		return "Insufficient disk space on datastore."
	case *types.InvalidPowerState:
		return "The attempted operation cannot be performed in the current state (" + string(f.ExistingState) + ")."
	}
	return "The operation is not allowed: " + faultName(fault) + "."
}
