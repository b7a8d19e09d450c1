package vsphere

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	longPoll    = 60              // seconds that vCenter may hold a wait for updates
	taskPoll    = 5 * time.Second // vCenter may hold the watcher's wait so long, and tasks are looked at in between
	watchPause  = time.Second
	coalesce    = 100 * time.Millisecond // between two calls of which the first ended nothing: progress is told so often at most
	company     = 25 * time.Millisecond  // between two calls of which the first ended something: what began together ends together
	maxRefusals = 3                      // in a row, after which nobody waits any longer
)

// watcher follows any number of tasks and VMs over one property collector of its own: each that somebody waits for is in one list view,
// and one call at a time waits for any of them to change. It makes its objects at the server when the first is asked for and
// keeps them: another task then costs one call to enter. They go with the session; one that ended makes it start anew, with all
// that are waited for.
type watcher struct {
	c *Client

	mu   sync.Mutex
	subs []*subscription
	over []types.ManagedObjectReference // still in the view, and leave it when the next enters
	view *types.ManagedObjectReference
	anew context.CancelFunc // ends the present watch, so that another is made
	wake chan struct{}      // buffered; says that there is something to wait for
}

// subscription is one who waits for one object.
type subscription struct {
	ref    types.ManagedObjectReference
	use    func(types.ObjectUpdate) (enough bool) // called by the watcher's loop alone
	failed chan error                             // buffered; nothing comes any more
}

// watched are the properties that are followed.
func (c *Client) watched() []types.PropertySpec {
	vm := []string{"runtime.powerState", "guest.toolsRunningStatus", "guest.ipAddress", "guest.net"}
	if c.knowsCustomization() {
		vm = append(vm, "guest.customizationInfo")
	}
	return []types.PropertySpec{{Type: "Task", PathSet: []string{"info"}}, {Type: "VirtualMachine", PathSet: vm}}
}

func newWatcher(c *Client) *watcher { return &watcher{c: c, wake: make(chan struct{}, 1)} }

// subscribe makes use see the present state of an object and then each change of it, until it says enough.
func (w *watcher) subscribe(ctx context.Context, ref types.ManagedObjectReference, use func(types.ObjectUpdate) bool) *subscription {
	s := &subscription{ref: ref, use: use, failed: make(chan error, 1)}
	w.mu.Lock()
	known := slices.Contains(w.over, ref) || slices.ContainsFunc(w.subs, func(o *subscription) bool { return o.ref == ref })
	w.subs = append(w.subs, s)
	view, over := w.view, w.over
	if view != nil {
		w.over = nil
	}
	w.mu.Unlock()
	if view != nil {
		ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), batchTimeout) // who is cancelled still wants to know how it ends
		defer stop()
		if known { // vCenter tells the state of what enters, so it has to leave first
			w.modify(ctx, *view, nil, append(slices.DeleteFunc(over, func(o types.ManagedObjectReference) bool { return o == ref }), ref))
			over = nil
		}
		w.modify(ctx, *view, []types.ManagedObjectReference{ref}, over)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return s
}

// modify changes the view. When the call fails the loop makes another with all that are waited for. What vCenter does not find is lost.
func (w *watcher) modify(ctx context.Context, view types.ManagedObjectReference, add, remove []types.ManagedObjectReference) {
	res, err := methods.ModifyListView(ctx, w.c.vim, &types.ModifyListView{This: view, Add: add, Remove: remove})
	if err != nil {
		w.c.log.Debug("watch", "error", err)
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.view != nil && *w.view == view {
			w.anew()
		}
		return
	}
	for _, gone := range res.Returnval {
		if !slices.Contains(add, gone) {
			continue
		}
		lost := errTaskLost
		if gone.Type != "Task" {
			lost = classify(notFound(gone))
		}
		w.fail(lost, func(ref types.ManagedObjectReference) bool { return ref == gone })
	}
}

// fail ends the subscriptions to which it applies.
func (w *watcher) fail(err error, applies func(types.ManagedObjectReference) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs = slices.DeleteFunc(w.subs, func(s *subscription) bool {
		if !applies(s.ref) {
			return false
		}
		s.failed <- err
		return true
	})
}

// unsubscribe costs no call: the object stays in the view until another enters, or the view goes.
func (w *watcher) unsubscribe(s *subscription) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.subs = slices.DeleteFunc(w.subs, func(o *subscription) bool { return o == s })
	if w.view != nil && !slices.ContainsFunc(w.subs, func(o *subscription) bool { return o.ref == s.ref }) && !slices.Contains(w.over, s.ref) {
		w.over = append(w.over, s.ref)
	}
}

func (w *watcher) busy() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.subs) > 0
}

// run is the watcher's one loop; it ends with the client.
func (w *watcher) run(ctx context.Context) {
	refused := 0
	for w.idle(ctx) {
		err := w.watch(ctx, &refused)
		if ctx.Err() != nil {
			return
		}
		w.c.log.Debug("watch", "error", err)
		again := watchPause
		switch {
		case errors.Is(err, sdk.ErrNotFound): // its objects went with the session
			again = coalesce
		case errors.Is(err, sdk.ErrDenied):
			if refused++; refused >= maxRefusals {
				w.fail(err, func(types.ManagedObjectReference) bool { return true })
			}
		}
		pause(ctx, again)
	}
}

// idle waits until somebody waits, and says whether the watcher goes on.
func (w *watcher) idle(ctx context.Context) bool {
	for !w.busy() {
		select {
		case <-ctx.Done():
			return false
		case <-w.wake:
		}
	}
	return ctx.Err() == nil
}

// watch makes view, collector and filter and reads updates until a call fails.
func (w *watcher) watch(parent context.Context, refused *int) error {
	ctx, anew := context.WithCancel(parent)
	defer anew()
	list, err := methods.CreateListView(ctx, w.c.vim, &types.CreateListView{This: *w.c.vim.ServiceContent.ViewManager})
	if err != nil {
		return err
	}
	w.publish(ctx, list.Returnval, anew)
	made, err := methods.CreatePropertyCollector(ctx, w.c.vim, &types.CreatePropertyCollector{This: w.c.vim.ServiceContent.PropertyCollector})
	if err == nil {
		_, err = methods.CreateFilter(ctx, w.c.vim, &types.CreateFilter{This: made.Returnval, Spec: types.PropertyFilterSpec{
			ObjectSet: []types.ObjectSpec{{Obj: list.Returnval, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
				&types.TraversalSpec{Type: "ListView", Path: "view"},
			}}},
			PropSet: w.c.watched(),
		}})
	}
	if err == nil {
		*refused = 0
		err = w.follow(ctx, made.Returnval)
	}
	w.drop(ctx, list.Returnval)
	if made != nil {
		w.c.destroyCollector(ctx, made.Returnval)
	}
	return err
}

// publish puts all that are waited for into the view and lets later ones enter it.
func (w *watcher) publish(ctx context.Context, view types.ManagedObjectReference, anew context.CancelFunc) {
	w.mu.Lock()
	w.view, w.anew = &view, anew
	var refs []types.ManagedObjectReference
	for _, s := range w.subs {
		if !slices.Contains(refs, s.ref) {
			refs = append(refs, s.ref)
		}
	}
	w.mu.Unlock()
	if len(refs) > 0 {
		w.modify(ctx, view, refs, nil)
	}
}

// follow reads updates. It is idle while nobody waits.
func (w *watcher) follow(ctx context.Context, collector types.ManagedObjectReference) error {
	wait := int32(taskPoll / time.Second)
	looked := time.Now()
	req := types.WaitForUpdatesEx{This: collector, Options: &types.WaitOptions{MaxWaitSeconds: &wait}}
	for w.idle(ctx) {
		res, err := methods.WaitForUpdatesEx(ctx, w.c.vim, &req)
		if err != nil {
			return err
		}
		if time.Since(looked) >= taskPoll {
			w.look(ctx)
			looked = time.Now()
		}
		if res.Returnval == nil { // nothing happened
			continue
		}
		req.Version = res.Returnval.Version
		ended := false
		for _, filter := range res.Returnval.FilterSet {
			for _, update := range filter.ObjectSet {
				ended = w.deliver(update) || ended
			}
		}
		if ended {
			pause(ctx, company)
		} else {
			pause(ctx, coalesce)
		}
	}
	return ctx.Err()
}

// look reads the tasks that are waited for, in one call: an update that got lost on the way must not make anybody wait for ever.
func (w *watcher) look(ctx context.Context) {
	w.mu.Lock()
	var objects []types.ObjectSpec
	for _, s := range w.subs {
		if s.ref.Type == "Task" {
			objects = append(objects, types.ObjectSpec{Obj: s.ref})
		}
	}
	w.mu.Unlock()
	if len(objects) == 0 {
		return
	}
	content, err := w.c.retrieve(ctx, objects, []types.PropertySpec{{Type: "Task", PathSet: []string{"info"}}})
	if gone, ok := faultOf(err).(*types.ManagedObjectNotFound); ok {
		w.fail(errTaskLost, func(ref types.ManagedObjectReference) bool { return ref == gone.Obj })
	}
	for _, object := range content {
		w.deliver(types.ObjectUpdate{Obj: object.Obj, Kind: types.ObjectUpdateKindModify, ChangeSet: []types.PropertyChange{
			{Name: "info", Val: properties(object)["info"]},
		}})
	}
}

// deliver tells all that wait for an object of its change, and says whether that was what one waited for.
func (w *watcher) deliver(update types.ObjectUpdate) (ended bool) {
	w.mu.Lock()
	subs := slices.Clone(w.subs)
	w.mu.Unlock()
	for _, s := range subs {
		if s.ref == update.Obj && s.use(update) {
			ended = true
			w.unsubscribe(s)
		}
	}
	return ended
}

func (w *watcher) drop(ctx context.Context, view types.ManagedObjectReference) {
	w.mu.Lock()
	w.view, w.over = nil, nil
	w.mu.Unlock()
	if w.c.closing.Load() {
		return
	}
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer stop()
	if _, err := methods.DestroyView(cleanup, w.c.vim, &types.DestroyView{This: view}); err != nil {
		w.c.log.Debug("destroy view", "error", err) // it goes with the session
	}
}
