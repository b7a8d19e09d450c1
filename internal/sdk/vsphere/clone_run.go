package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	outage       = 10 * time.Minute // how long vCenter may be away before a clone gives up; the caller's own deadline comes first
	longestPause = 10 * time.Second // between two looks whether it is back
	maxDuplicate = 3                // answers "the name is taken" by something that is not there
)

// runClone asks vCenter for the clone and sees it through: it waits for the task, finds the clone again when the answer or the task was
// lost, and asks anew only when vCenter certainly has neither VM nor task. Even then nothing is made twice, since vCenter gives a
// name in a folder once. A VM beside an error exists and stays.
func (c *Client) runClone(ctx context.Context, r *cloneRequest, report func(int)) (*madeVM, error) {
	var away time.Time
	again := watchPause
	duplicates, refreshed := 0, false
	for {
		made, err := c.tryClone(ctx, r, report)
		switch {
		case err == nil:
			report(100)
			return made, nil
		case ctx.Err() != nil:
			return c.canceledClone(ctx, r, err)
		case isFault[*types.ManagedObjectNotFound](err) && !refreshed: // something remembered is gone
			refreshed = true
			if err := c.refreshClone(ctx, r); err != nil {
				return nil, err
			}
			continue
		case isFault[*types.DuplicateName](err):
			made, err := c.adopt(ctx, r, report)
			if made != nil || duplicates >= maxDuplicate || !errors.Is(err, sdk.ErrNotFound) && !errors.Is(err, sdk.ErrUnavailable) {
				return made, err
			}
			duplicates++
		case !lost(err):
			return c.failedClone(ctx, r, err)
		default:
			if away.IsZero() {
				away = time.Now()
			}
			if time.Since(away) > outage {
				return nil, sdk.WithHint(fmt.Errorf("%w; vCenter did not come back within %s, and the VM may exist", err, outage),
					"ask for the same clone again: when it was made it is found")
			}
			made, found := c.adopt(ctx, r, report)
			if made != nil || errors.Is(found, sdk.ErrConflict) {
				return made, found
			}
			if errors.Is(found, sdk.ErrNotFound) {
				away = time.Time{}
			}
		}
		pause(ctx, again)
		again = min(2*again, longestPause)
	}
}

// lost says whether an error leaves open what vCenter did: it may have heard the call and its answer got lost.
func lost(err error) bool {
	return errors.Is(err, errTaskLost) || errors.Is(err, sdk.ErrUnavailable) && faultOf(err) == nil
}

// tryClone makes the one call and waits for its task.
func (c *Client) tryClone(ctx context.Context, r *cloneRequest, report func(int)) (*madeVM, error) {
	if r.spec.DatastoreCluster != "" && r.call.Spec.Location.Datastore == nil {
		if err := c.chooseDatastore(ctx, r); err != nil {
			return nil, err
		}
	}
	res, err := methods.CloneVM_Task(ctx, c.vim, &r.call)
	if err != nil {
		return nil, err
	}
	return c.awaitClone(ctx, res.Returnval, report)
}

func (c *Client) awaitClone(ctx context.Context, task types.ManagedObjectReference, report func(int)) (*madeVM, error) {
	result, err := c.tasks.wait(ctx, task, report)
	if err != nil {
		return nil, err
	}
	ref, ok := result.(types.ManagedObjectReference)
	if !ok {
		return nil, sdk.Unavailablef("vCenter ended the task without naming the VM")
	}
	return &madeVM{ref: ref}, nil
}

// refreshClone looks up again everything that the spec names.
func (c *Client) refreshClone(ctx context.Context, r *cloneRequest) error {
	where := r.call.Spec.Location
	c.forgetRefs(&r.call.Folder, where.Pool, where.Host, where.Datastore)
	c.networks.forget(func(string, types.BaseVirtualDeviceBackingInfo) bool { return true })
	again, err := c.cloneRequest(ctx, r.spec, true)
	if err != nil {
		return err
	}
	again.setMark(r.mark)
	*r = *again
	return nil
}

// setMark keeps the mark that is claimed, also when the source behind the name is another now.
func (r *cloneRequest) setMark(mark string) {
	r.mark = mark
	for _, option := range r.call.Spec.Config.ExtraConfig {
		if o := option.GetOptionValue(); o.Key == markKey {
			o.Value = mark
		}
	}
}

// adopt finds the clone that was asked for before: its task while it runs, else its VM. There being neither is sdk.ErrNotFound, and
// a VM of that name that is not this clone sdk.ErrConflict.
func (c *Client) adopt(ctx context.Context, r *cloneRequest, report func(int)) (*madeVM, error) {
	task, err := c.runningClone(ctx, r)
	if err != nil {
		return nil, err
	}
	if task != nil {
		made, err := c.awaitClone(ctx, *task, report)
		if err != nil || made == nil {
			return nil, err
		}
	}
	ref, err := c.cloneByName(ctx, r)
	if err != nil {
		return nil, err
	}
	return &madeVM{ref: *ref, adopted: true}, nil
}

// cloneByName reads the VM that has the clone's name and checks its mark and age.
func (c *Client) cloneByName(ctx context.Context, r *cloneRequest) (*types.ManagedObjectReference, error) {
	res, err := methods.FindChild(ctx, c.vim, &types.FindChild{
		This: *c.vim.ServiceContent.SearchIndex, Entity: r.call.Folder, Name: r.call.Name,
	})
	if err != nil {
		return nil, err
	}
	if res.Returnval == nil {
		return nil, sdk.NotFoundf("there is no VM of that name")
	}
	ref := *res.Returnval
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref, SelectSet: towardsRoot()}}, append(treeProps(),
		types.PropertySpec{Type: "VirtualMachine", PathSet: []string{"name", "parent", "config.extraConfig", "config.createDate"}}))
	if err != nil {
		return nil, err
	}
	path := newTree(content).path(ref)
	taken := sdk.Kind(ErrNameTaken, sdk.Conflictf("%s exists", path))
	if ref.Type != "VirtualMachine" {
		return nil, sdk.WithHint(taken, "it is a %s; choose another name or folder", ref.Type)
	}
	own, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	m, err := decode[mo.VirtualMachine](own)
	if err != nil {
		return nil, err
	}
	if m.Config == nil || optionMap(m.Config.ExtraConfig)[markKey] != r.mark {
		return nil, sdk.WithHint(taken, "it is not this clone: choose another name or folder, delete it, or import it")
	}
	return &ref, c.fresh(ctx, m.Config.CreateDate, taken)
}

// fresh refuses a VM that is too old to be what an interrupted run left.
func (c *Client) fresh(ctx context.Context, created *time.Time, taken error) error {
	if created == nil { // before vSphere 6.7 nobody knows
		return nil
	}
	now, err := c.Now(ctx)
	if err != nil {
		return err
	}
	if now.Sub(*created) > adoptWithin {
		return sdk.WithHint(taken, "it was made by the same words on %s; if it is yours, import it, else choose another name or folder",
			created.Format(time.RFC3339))
	}
	return nil
}

// runningClone finds the task that is making this clone. A task does not tell the name of what it makes, the event at its beginning
// does, and both have the same chain (TaskInfo.eventChainId, VmBeingClonedEvent, "vSphere Web Services API").
func (c *Client) runningClone(ctx context.Context, r *cloneRequest) (*types.ManagedObjectReference, error) {
	content, err := c.retrieve(ctx,
		[]types.ObjectSpec{{Obj: r.call.This, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
			traversal("tasks", "VirtualMachine", "recentTask"),
		}}},
		[]types.PropertySpec{{Type: "Task", PathSet: []string{"info"}}})
	if err != nil {
		return nil, err
	}
	chains := map[int32]types.ManagedObjectReference{}
	for _, object := range content {
		info, ok := properties(object)["info"].(types.TaskInfo)
		if ok && info.Name == "CloneVM_Task" && (info.State == types.TaskInfoStateRunning || info.State == types.TaskInfoStateQueued) {
			chains[info.EventChainId] = object.Obj
		}
	}
	if len(chains) == 0 {
		return nil, nil
	}
	res, err := methods.QueryEvents(ctx, c.vim, &types.QueryEvents{
		This: *c.vim.ServiceContent.EventManager,
		Filter: types.EventFilterSpec{
			Entity:      &types.EventFilterSpecByEntity{Entity: r.call.This, Recursion: types.EventFilterSpecRecursionOptionSelf},
			EventTypeId: []string{"VmBeingClonedEvent"},
		},
	})
	if err != nil {
		return nil, err
	}
	for _, e := range res.Returnval {
		begun, ok := e.(*types.VmBeingClonedEvent)
		if !ok || begun.DestFolder.Folder != r.call.Folder || !slices.Contains([]string{r.call.Name, r.spec.TargetName}, begun.DestName) {
			continue
		}
		if task, ok := chains[begun.ChainId]; ok {
			return &task, nil
		}
	}
	return nil, nil
}

// failedClone looks whether a task that failed left the VM, as it does when only the power-on failed.
func (c *Client) failedClone(ctx context.Context, r *cloneRequest, failed error) (*madeVM, error) {
	ref, err := c.cloneByName(ctx, r)
	if err == nil {
		return &madeVM{ref: *ref}, failed
	}
	return nil, failed
}

// canceledClone says what a clone that was cancelled has left.
func (c *Client) canceledClone(ctx context.Context, r *cloneRequest, canceled error) (*madeVM, error) {
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer stop()
	if !errors.Is(canceled, ctx.Err()) {
		canceled = fmt.Errorf("%w (%w)", ctx.Err(), canceled)
	}
	if !errors.Is(canceled, errTaskUndone) && !errors.Is(canceled, errTaskOpen) { // the call itself was cut off
		canceled = c.cancelRunning(cleanup, r, canceled)
	}
	ref, err := c.cloneByName(cleanup, r)
	switch {
	case err == nil:
		return &madeVM{ref: *ref}, fmt.Errorf("%w; the VM was made before vCenter could stop, and stays", canceled)
	case errors.Is(canceled, errTaskUndone) && errors.Is(err, sdk.ErrNotFound):
		return nil, fmt.Errorf("%w; there is no VM", canceled)
	case errors.Is(canceled, errTaskUndone):
		return nil, canceled
	}
	return nil, sdk.WithHint(fmt.Errorf("%w; the VM may exist", canceled), "ask for the same clone again: when it was made it is found")
}

// cancelRunning cancels the task of a clone whose call was cut off before vCenter could name the task.
func (c *Client) cancelRunning(ctx context.Context, r *cloneRequest, canceled error) error {
	task, err := c.runningClone(ctx, r)
	if err != nil || task == nil {
		return canceled
	}
	if _, err := methods.CancelTask(ctx, c.vim, &types.CancelTask{This: *task}); err != nil {
		return fmt.Errorf("%w; %w", canceled, errTaskOpen)
	}
	if _, err := c.tasks.wait(ctx, *task, nil); isFault[*types.RequestCanceled](err) {
		return fmt.Errorf("%w; %w", canceled, errTaskUndone)
	}
	return canceled
}
