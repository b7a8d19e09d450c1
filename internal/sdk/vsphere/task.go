package vsphere

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vmware/govmomi/task"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const cleanupTimeout = 5 * time.Second

// What a task that did not end well left behind, where that is known.
var (
	errTaskUndone = errors.New("vCenter canceled the task")
	errTaskOpen   = errors.New("the task goes on at vCenter")
	errTaskLost   = sdk.Unavailablef("vCenter does not know the task any more")
)

// taskWatcher waits for tasks over the client's one watcher.
type taskWatcher struct {
	c *Client
	*watcher
}

func newTaskWatcher(c *Client) *taskWatcher { return &taskWatcher{c: c, watcher: newWatcher(c)} }

// taskWait is one who waits for a task. Only the watcher's loop touches info.
type taskWait struct {
	info   types.TaskInfo // as far as it was told
	done   chan types.TaskInfo
	report func(percent int) // may be nil
}

// wait returns the task's result when it has ended. When ctx ends first it asks vCenter to cancel the task and gives it a moment: a task
// that ended well after all is no error, one that was undone is errTaskUndone, and errTaskOpen says that nobody knows. A task that
// vCenter has forgotten, as after its restart, is errTaskLost. report, which may be nil and must not block, is told how far the
// task is, in percent, and never goes back.
func (w *taskWatcher) wait(ctx context.Context, ref types.ManagedObjectReference, report func(percent int)) (any, error) {
	t := &taskWait{done: make(chan types.TaskInfo, 1), report: report}
	s := w.subscribe(ctx, ref, t.apply)
	defer w.unsubscribe(s)
	select {
	case info := <-t.done:
		return outcome(info)
	case err := <-s.failed:
		return nil, err
	case <-w.c.ended:
		return nil, sdk.Conflictf("the vCenter session is closed")
	case <-ctx.Done():
		return w.cancel(ctx, ref, t)
	}
}

func outcome(info types.TaskInfo) (any, error) {
	if info.State == types.TaskInfoStateError && info.Error != nil {
		return nil, classify(&task.Error{LocalizedMethodFault: info.Error})
	}
	return info.Result, nil
}

func (w *taskWatcher) cancel(ctx context.Context, ref types.ManagedObjectReference, t *taskWait) (any, error) {
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer stop()
	_, err := methods.CancelTask(cleanup, w.c.vim, &types.CancelTask{This: ref})
	if err != nil && !isFault[*types.InvalidState](err) { // in that state it has just ended
		return nil, sdk.WithHint(fmt.Errorf("%w; %w: %w", ctx.Err(), errTaskOpen, err), "see task %s in vCenter", ref.Value)
	}
	select {
	case info := <-t.done:
		result, err := outcome(info)
		if isFault[*types.RequestCanceled](err) {
			return nil, fmt.Errorf("%w; %w", ctx.Err(), errTaskUndone)
		}
		return result, err
	case <-cleanup.Done():
		return nil, sdk.WithHint(fmt.Errorf("%w; vCenter was asked to cancel the task and has not ended it yet: %w", ctx.Err(), errTaskOpen),
			"see task %s in vCenter", ref.Value)
	}
}

// apply takes in what changed and says whether the task has ended. An update holds only what changed; a task that ended is told whole,
// since result and error come in the same update as the state.
func (t *taskWait) apply(update types.ObjectUpdate) (enough bool) {
	before := t.info.Progress
	for _, change := range update.ChangeSet {
		t.set(change)
	}
	switch t.info.State {
	case types.TaskInfoStateSuccess, types.TaskInfoStateError:
		t.done <- t.info
		return true
	default:
		if t.report != nil && t.info.Progress > before {
			t.report(int(t.info.Progress))
		}
		t.info.Progress = max(t.info.Progress, before)
	}
	return false
}

func (t *taskWait) set(change types.PropertyChange) {
	switch v := change.Val.(type) {
	case types.TaskInfo:
		t.info = v
	case types.TaskInfoState:
		t.info.State = v
	case types.LocalizedMethodFault:
		t.info.Error = &v
	case int32:
		t.info.Progress = v
	default:
		if change.Name == "info.result" {
			t.info.Result = change.Val
		}
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
