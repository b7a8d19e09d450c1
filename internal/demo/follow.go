package demo

import (
	"slices"
	"sync"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// updatesWait answers PropertyCollector.WaitForUpdatesEx by the simulator's own, in the front of which stands followed.
type updatesWait struct {
	v  *VCenter
	pc *simulator.PropertyCollector
}

// Reference is not the collector's: its lock is not needed, and a wait must not hold one.
func (x *updatesWait) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "UpdatesWait", Value: "demo"}
}

// Lock does nothing.
func (x *updatesWait) Lock() {}

// Unlock does nothing.
func (x *updatesWait) Unlock() {}

// WaitForUpdatesEx waits. The first call of a collector makes it one of the registry's handlers, by its reference.
func (x *updatesWait) WaitForUpdatesEx(ctx *simulator.Context, req *types.WaitForUpdatesEx) soap.HasFault {
	if req.Version != "" {
		x.v.follow(ctx, x.pc)
		return x.pc.WaitForUpdatesEx(ctx, req)
	}
	res := x.pc.WaitForUpdatesEx(ctx, req)
	x.v.follow(ctx, x.pc)
	return res
}

// followed stands for a collector and its filters in the registry's list of handlers. It tells them only of what they follow: for each
// change of any object the collector looks at all of that again, and while ten clones were made one wait took most of a second. And it
// tells a filter of a change of its view when nobody's locks are held: the filter's own lock is held while the view is read, so a view
// that is changed then would wait for ever, as would the reader.
type followed struct {
	*simulator.PropertyCollector
	v          *VCenter
	everything bool // it walks the inventory
	filters    []*simulator.PropertyFilter
	objects    map[types.ManagedObjectReference]bool
	walked     map[types.ManagedObjectReference]bool // those that lead to others
	views      []*simulator.ListView

	mu    sync.Mutex
	lists map[types.ManagedObjectReference][]types.ManagedObjectReference // what the views hold
}

// follow puts the collector, with the filters that it has now, into the list.
func (v *VCenter) follow(ctx *simulator.Context, pc *simulator.PropertyCollector) {
	f := &followed{
		PropertyCollector: pc, v: v, objects: map[types.ManagedObjectReference]bool{}, walked: map[types.ManagedObjectReference]bool{},
		lists: map[types.ManagedObjectReference][]types.ManagedObjectReference{},
	}
	for _, ref := range pc.Filter {
		if filter, ok := ctx.Session.Get(ref).(*simulator.PropertyFilter); ok {
			f.filters = append(f.filters, filter)
			for _, set := range filter.Spec.ObjectSet {
				f.add(ctx, set)
			}
		}
	}
	f.look(ctx)
	ctx.Map.AddHandler(f)
	for _, filter := range f.filters {
		ctx.Map.RemoveHandler(filter)
	}
	f.look(ctx) // a view may just have changed; the collector knows, and looks at all of the view when it waits
}

func (f *followed) add(ctx *simulator.Context, set types.ObjectSpec) {
	f.objects[set.Obj] = true
	for _, s := range set.SelectSet {
		f.walked[set.Obj] = true
		view, isList := ctx.Session.Get(set.Obj).(*simulator.ListView)
		step, ok := s.(*types.TraversalSpec)
		if !isList || !ok || step.Path != "view" || len(step.SelectSet) > 0 {
			f.everything = true
			return
		}
		f.views = append(f.views, view)
	}
}

func (f *followed) look(ctx *simulator.Context) {
	for _, view := range f.views {
		ctx.WithLock(view, func() { f.holds(&view.ListView) })
	}
}

// holds notes what a view holds. The caller has its lock.
func (f *followed) holds(view *mo.ListView) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lists[view.Self] = slices.Clone(view.View)
}

func (f *followed) follows(ref types.ManagedObjectReference) bool {
	if f.everything || f.objects[ref] {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, list := range f.lists {
		if slices.Contains(list, ref) {
			return true
		}
	}
	return false
}

// PutObject is called for each new object.
func (f *followed) PutObject(ctx *simulator.Context, obj mo.Reference) {
	if f.follows(obj.Reference()) {
		f.PropertyCollector.PutObject(ctx, obj)
	}
}

// UpdateObject is called, under the object's lock, after each change.
func (f *followed) UpdateObject(ctx *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	if view, ok := obj.(*mo.ListView); ok && f.objects[view.Self] {
		f.holds(view)
	}
	ref := obj.Reference()
	if !f.follows(ref) {
		return
	}
	f.PropertyCollector.UpdateObject(ctx, obj, changes)
	if f.walked[ref] {
		f.v.goroutines.Go(func() { f.walk(ref) })
	}
}

// walk makes the filters begin anew with what an object leads to.
func (f *followed) walk(from types.ManagedObjectReference) {
	unlocked := backgroundContext(f.v.model.Service)
	for _, filter := range f.filters {
		filter.UpdateObject(unlocked, from, nil)
	}
	f.PropertyCollector.UpdateObject(unlocked, from, nil)
}

// RemoveObject is called for each object that goes.
func (f *followed) RemoveObject(ctx *simulator.Context, ref types.ManagedObjectReference) {
	if f.follows(ref) {
		f.PropertyCollector.RemoveObject(ctx, ref)
	}
}
