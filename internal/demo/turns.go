package demo

import (
	"net/http"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// turns keeps apart what the simulator does without locks: it reads a Datastore whole whenever it resolves a path, while other VMs' disks
// and references change it, and it walks folders and names while entities come and go. Calls that change the inventory or files have
// their turn alone, until the tasks that they began have ended; calls that search have theirs together.
//
// A turn is taken before any of the simulator's own locks, so nobody who holds one of those waits for a turn.
type turns struct {
	turn sync.RWMutex

	mu      sync.Mutex
	running int           // tasks of the simulator's
	idle    chan struct{} // closed when there is none; nil: nobody waits
	ends    map[types.ManagedObjectReference]chan struct{}
}

type turnKind int

const (
	free turnKind = iota
	together
	alone
)

// turnOf is the kind of a method's turn. A clone takes its own turns: see vmClone.
func turnOf(method string) turnKind {
	switch method {
	case "FindByInventoryPath", "FindChild", "FindByUuid", "FindAllByUuid", "FindByDatastorePath", "FindByDnsName", "FindAllByDnsName",
		"FindByIp", "FindAllByIp", "CreateContainerView", "CloneVM_Task":
		return together
	case "CreateVM_Task", "RegisterVM_Task", "UnregisterVM", "Destroy_Task", "ReconfigVM_Task", "RelocateVM_Task", "Rename_Task",
		"MarkAsTemplate", "MarkAsVirtualMachine", "ImportVApp", "CreateChildVM_Task", "CloneVApp_Task", "CreateVApp", "CreateFolder",
		"CreateStoragePod", "CreateDatacenter", "CreateClusterEx", "AddHost_Task", "MoveIntoFolder_Task", "CreateResourcePool", "UpdateConfig",
		"MoveIntoResourcePool", "CreateSnapshot_Task", "CreateSnapshotEx_Task", "RevertToSnapshot_Task", "RevertToCurrentSnapshot_Task",
		"RemoveSnapshot_Task", "RemoveAllSnapshots_Task", "ConsolidateVMDisks_Task", "MakeDirectory", "DeleteDatastoreFile_Task",
		"MoveDatastoreFile_Task", "CopyDatastoreFile_Task", "CreateVirtualDisk_Task", "DeleteVirtualDisk_Task", "CopyVirtualDisk_Task",
		"MoveVirtualDisk_Task", "ExtendVirtualDisk_Task", "SearchDatastore_Task", "SearchDatastoreSubFolders_Task":
		return alone
	}
	return free
}

// alone waits for a turn of its own and returns the function that ends it, once the tasks that began meanwhile have ended.
func (t *turns) alone() (end func()) {
	t.turn.Lock()
	return func() {
		<-t.ended()
		t.turn.Unlock()
	}
}

// ended is closed once no task runs.
func (t *turns) ended() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.running == 0 {
		done := make(chan struct{})
		close(done)
		return done
	}
	if t.idle == nil {
		t.idle = make(chan struct{})
	}
	return t.idle
}

func (t *turns) count(by int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.running += by
	if t.running == 0 && t.idle != nil {
		close(t.idle)
		t.idle = nil
	}
}

// serveInTurn hands a call to the simulator when its turn comes.
func (v *VCenter) serveInTurn(w http.ResponseWriter, r *http.Request, method string) {
	switch turnOf(method) {
	case free:
	case together:
		v.turns.turn.RLock()
		defer v.turns.turn.RUnlock()
	case alone:
		end := v.turns.alone()
		defer v.goroutines.Go(end) // the answer does not wait for the tasks
	}
	v.model.Service.ServeMux.ServeHTTP(w, r)
}

// end waits until a task has told its result. The simulator's own Task.Wait looks every 10 ms.
func (t *turns) end(ctx *simulator.Context, task *simulator.Task) (info types.TaskInfo) {
	t.mu.Lock()
	if t.ends == nil {
		t.ends = map[types.ManagedObjectReference]chan struct{}{}
	}
	ended := make(chan struct{})
	t.ends[task.Self] = ended
	t.mu.Unlock()
	ctx.WithLock(task, func() { info = task.Info })
	if !over(info.State) {
		<-ended
		ctx.WithLock(task, func() { info = task.Info })
	}
	t.mu.Lock()
	delete(t.ends, task.Self)
	t.mu.Unlock()
	return info
}

func over(state types.TaskInfoState) bool {
	return state == types.TaskInfoStateSuccess || state == types.TaskInfoStateError
}

// taskWatch follows the simulator's tasks from before their goroutines start.
type taskWatch struct{ turns *turns }

// Reference names the watch in the simulator's list of handlers.
func (w *taskWatch) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "TaskWatch", Value: "demo"}
}

// PutObject is called for each new object.
func (w *taskWatch) PutObject(_ *simulator.Context, obj mo.Reference) {
	task, ok := obj.(*simulator.Task)
	if !ok || task.Execute == nil {
		return
	}
	w.turns.count(1)
	run := task.Execute
	task.Execute = func(t *simulator.Task) (types.AnyType, types.BaseMethodFault) {
		defer w.turns.count(-1)
		return run(t)
	}
}

// UpdateObject is called, under the object's lock, after each change.
func (w *taskWatch) UpdateObject(_ *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	for _, c := range changes {
		if state, ok := c.Val.(types.TaskInfoState); !ok || c.Name != "info.state" || !over(state) {
			continue
		}
		w.turns.mu.Lock()
		if ended := w.turns.ends[obj.Reference()]; ended != nil {
			close(ended)
			delete(w.turns.ends, obj.Reference())
		}
		w.turns.mu.Unlock()
	}
}

// RemoveObject is called for each object that goes.
func (w *taskWatch) RemoveObject(*simulator.Context, types.ManagedObjectReference) {}
