package vsphere

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/vmware/govmomi/task"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	cleanupTimeout = 5 * time.Second
	longPoll       = 60 // seconds that vCenter may hold a wait for updates
	watchPause     = time.Second
)

// taskWatcher waits for any number of tasks over one property collector of its own: each task that is waited for is in one
// list view, and one call at a time waits for any of them to change. It holds nothing at the server until the first task
// comes, and starts anew when its objects went with an ended session.
type taskWatcher struct {
	c *Client

	mu      sync.Mutex
	waiting map[types.ManagedObjectReference]chan types.TaskInfo
	view    *types.ManagedObjectReference
	wake    chan struct{} // buffered; says that there is a task to wait for
}

func newTaskWatcher(c *Client) *taskWatcher {
	return &taskWatcher{c: c, waiting: map[types.ManagedObjectReference]chan types.TaskInfo{}, wake: make(chan struct{}, 1)}
}

// wait returns when the task has ended. When ctx ends first it asks vCenter to cancel the task.
func (w *taskWatcher) wait(ctx context.Context, ref types.ManagedObjectReference) error {
	done := make(chan types.TaskInfo, 1)
	w.add(ctx, ref, done)
	defer w.remove(ctx, ref)
	select {
	case info := <-done:
		if info.State == types.TaskInfoStateError && info.Error != nil {
			return classify(&task.Error{LocalizedMethodFault: info.Error})
		}
		return nil
	case <-ctx.Done():
		return w.cancel(ctx, ref)
	}
}

func (w *taskWatcher) cancel(ctx context.Context, ref types.ManagedObjectReference) error {
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer stop()
	if _, err := methods.CancelTask(cleanup, w.c.vim, &types.CancelTask{This: ref}); err != nil {
		return sdk.WithHint(fmt.Errorf("%w; the task goes on at vCenter: %w", ctx.Err(), err), "see task %s in vCenter", ref.Value)
	}
	return fmt.Errorf("%w; vCenter was asked to cancel the task", ctx.Err())
}

func (w *taskWatcher) add(ctx context.Context, ref types.ManagedObjectReference, done chan types.TaskInfo) {
	w.mu.Lock()
	w.waiting[ref] = done
	view := w.view
	w.mu.Unlock()
	if view != nil {
		// When this fails the objects are gone, and the loop makes them anew with every waiting task in them.
		_, err := methods.ModifyListView(ctx, w.c.vim, &types.ModifyListView{This: *view, Add: []types.ManagedObjectReference{ref}})
		if err != nil {
			w.c.log.Debug("watch task", "task", ref.Value, "error", err)
		}
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *taskWatcher) remove(ctx context.Context, ref types.ManagedObjectReference) {
	w.mu.Lock()
	delete(w.waiting, ref)
	view := w.view
	w.mu.Unlock()
	if view == nil || w.c.closing.Load() {
		return
	}
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer stop()
	_, err := methods.ModifyListView(cleanup, w.c.vim, &types.ModifyListView{This: *view, Remove: []types.ManagedObjectReference{ref}})
	if err != nil {
		w.c.log.Debug("forget task", "task", ref.Value, "error", err)
	}
}

// run is the watcher's one loop.
func (w *taskWatcher) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.wake:
		}
		for w.busy() && ctx.Err() == nil {
			if err := w.watch(ctx); err != nil && ctx.Err() == nil {
				w.c.log.Debug("watch tasks", "error", err)
				pause(ctx, watchPause)
			}
		}
	}
}

func (w *taskWatcher) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting) > 0
}

// watch makes view, collector and filter and reads updates until nobody waits or a call fails.
func (w *taskWatcher) watch(ctx context.Context) error {
	w.mu.Lock()
	refs := make([]types.ManagedObjectReference, 0, len(w.waiting))
	for ref := range w.waiting {
		refs = append(refs, ref)
	}
	w.mu.Unlock()
	list, err := methods.CreateListView(ctx, w.c.vim, &types.CreateListView{This: *w.c.vim.ServiceContent.ViewManager, Obj: refs})
	if err != nil {
		return err
	}
	view := list.Returnval
	defer w.dropView(ctx, view)
	w.publishView(ctx, view, refs)
	return w.c.updates(ctx, types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: view, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
			&types.TraversalSpec{Type: "ListView", Path: "view"},
		}}},
		PropSet: []types.PropertySpec{{Type: "Task", PathSet: []string{"info"}}},
	}, func(update types.ObjectUpdate) bool {
		w.deliver(update)
		return !w.busy()
	})
}

// publishView lets later tasks enter the view, and enters those that came while it was made.
func (w *taskWatcher) publishView(ctx context.Context, view types.ManagedObjectReference, has []types.ManagedObjectReference) {
	w.mu.Lock()
	w.view = &view
	var late []types.ManagedObjectReference
	known := map[types.ManagedObjectReference]bool{}
	for _, ref := range has {
		known[ref] = true
	}
	for ref := range w.waiting {
		if !known[ref] {
			late = append(late, ref)
		}
	}
	w.mu.Unlock()
	if len(late) > 0 {
		_, err := methods.ModifyListView(ctx, w.c.vim, &types.ModifyListView{This: view, Add: late})
		if err != nil {
			w.c.log.Debug("watch tasks", "error", err)
		}
	}
}

func (w *taskWatcher) dropView(ctx context.Context, view types.ManagedObjectReference) {
	w.mu.Lock()
	w.view = nil
	w.mu.Unlock()
	if w.c.closing.Load() {
		return
	}
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer stop()
	if _, err := methods.DestroyView(cleanup, w.c.vim, &types.DestroyView{This: view}); err != nil {
		w.c.log.Debug("destroy task view", "error", err)
	}
}

func (w *taskWatcher) deliver(update types.ObjectUpdate) {
	for _, change := range update.ChangeSet {
		info, ok := change.Val.(types.TaskInfo)
		if !ok || (info.State != types.TaskInfoStateSuccess && info.State != types.TaskInfoStateError) {
			continue
		}
		w.mu.Lock()
		if done, ok := w.waiting[update.Obj]; ok {
			delete(w.waiting, update.Obj)
			done <- info
		}
		w.mu.Unlock()
	}
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
