package demo

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// updateWait answers WaitForUpdatesEx of a collector whose filters select what is in a container view. Such a collector "reports changes" to
// every property of its filters, that an object entered the view, and that one left it (PropertyCollector.WaitForUpdatesEx, ObjectUpdateKind,
// "vSphere Web Services API"). The simulator tells only of the changes that its verbs announce, and loses leaves. So all is read and compared.
type updateWait struct {
	v    *VCenter
	pc   *simulator.PropertyCollector
	told *told
}

// told is what a collector was told.
type told struct {
	mu      sync.Mutex
	version int
	objects map[types.ManagedObjectReference]map[string]uint64 // digests by property
	pending []types.PropertyFilterUpdate                       // of one object each
}

// Reference is not the collector's, whose name is kept for the simulator's own verbs.
func (x *updateWait) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "PropertyCollector", Value: "demo-" + x.pc.Self.Value}
}

// Lock does nothing: a wait takes as long as nothing changes.
func (x *updateWait) Lock() {}

// Unlock does nothing.
func (x *updateWait) Unlock() {}

const (
	lookEvery   = 25 * time.Millisecond
	settle      = 100 * time.Millisecond // a change that nobody announces is there so long after the call that makes it
	mostUpdates = 100                    // objects in one answer; vCenter's default
)

// changes counts what may have changed something: it is one of the registry's handlers, and told of every call that is no read.
type changes struct {
	n    atomic.Int64
	last atomic.Int64 // when, in nanoseconds
}

func (c *changes) add() {
	c.last.Store(time.Now().UnixNano())
	c.n.Add(1)
}

// Reference is its name among the registry's handlers.
func (c *changes) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "DemoHandler", Value: "changes"}
}

// PutObject counts.
func (c *changes) PutObject(*simulator.Context, mo.Reference) { c.add() }

// RemoveObject counts.
func (c *changes) RemoveObject(*simulator.Context, types.ManagedObjectReference) { c.add() }

// UpdateObject counts.
func (c *changes) UpdateObject(*simulator.Context, mo.Reference, []types.PropertyChange) { c.add() }

// updateWaits is the handler of a wait; nil for a collector that looks at anything but container views.
func (v *VCenter) updateWaits(ctx *simulator.Context, this types.ManagedObjectReference) *updateWait {
	pc, ok := ctx.Session.Get(this).(*simulator.PropertyCollector)
	if !ok || len(pc.Filter) == 0 {
		return nil
	}
	for _, ref := range pc.Filter {
		filter, ok := ctx.Session.Get(ref).(*simulator.PropertyFilter)
		if !ok || len(filter.Spec.ObjectSet) != 1 || !ofView(filter.Spec.ObjectSet[0]) {
			return nil
		}
	}
	state, _ := v.told.LoadOrStore(pc, &told{objects: map[types.ManagedObjectReference]map[string]uint64{}})
	return &updateWait{v: v, pc: pc, told: state.(*told)} //nolint:forcetypeassert // nothing else is stored
}

// ofView says whether an object spec selects the members of a container view and nothing else.
func ofView(spec types.ObjectSpec) bool {
	if spec.Obj.Type != "ContainerView" || len(spec.SelectSet) != 1 {
		return false
	}
	view, ok := spec.SelectSet[0].(*types.TraversalSpec)
	return ok && view.Path == "view" && len(view.SelectSet) == 0
}

// release forgets what the objects of a session that ended had open.
func (v *VCenter) release(objects *simulator.Registry) {
	v.events.release(objects)
	for _, collector := range objects.AllReference("PropertyCollector") {
		v.told.Delete(collector)
	}
}

// WaitForUpdatesEx looks whenever something may have changed.
func (x *updateWait) WaitForUpdatesEx(ctx *simulator.Context, req *types.WaitForUpdatesEx) soap.HasFault {
	x.told.mu.Lock()
	defer x.told.mu.Unlock()
	body := &methods.WaitForUpdatesExBody{Res: new(types.WaitForUpdatesExResponse)}
	if req.Version == "" {
		x.told.objects, x.told.pending = map[types.ManagedObjectReference]map[string]uint64{}, nil
	}
	var seen int64 = -1
	began := time.Now()
	for {
		if now := x.v.changes.n.Load(); len(x.told.pending) == 0 && (now != seen || x.unsettled()) {
			seen = now
			if fault := x.look(ctx); fault != nil {
				body.Res, body.Fault_ = nil, simulator.Fault("", fault)
				return body
			}
		}
		if len(x.told.pending) > 0 {
			body.Res.Returnval = x.page(req.Options)
			return body
		}
		if o := req.Options; o != nil && o.MaxWaitSeconds != nil && time.Since(began) >= time.Duration(*o.MaxWaitSeconds)*time.Second {
			return body
		}
		select {
		case <-x.v.done:
		case <-time.After(lookEvery):
		}
		if x.v.ending() || !x.v.sessions.alive(ctx.Session.Key) || x.v.outages.away() {
			body.Res, body.Fault_ = nil, simulator.Fault("", new(types.RequestCanceled))
			return body
		}
	}
}

// unsettled says whether a call may still be about to change what was looked at.
func (x *updateWait) unsettled() bool {
	return time.Since(time.Unix(0, x.v.changes.last.Load())) < settle
}

func (v *VCenter) ending() bool {
	select {
	case <-v.done:
		return true
	default:
		return false
	}
}

// page is the next answer.
func (x *updateWait) page(options *types.WaitOptions) *types.UpdateSet {
	most := mostUpdates
	if options != nil && options.MaxObjectUpdates > 0 {
		most = min(most, int(options.MaxObjectUpdates))
	}
	n := min(most, len(x.told.pending))
	x.told.version++
	set := &types.UpdateSet{Version: strconv.Itoa(x.told.version), FilterSet: x.told.pending[:n:n]}
	x.told.pending = x.told.pending[n:]
	set.Truncated = types.NewBool(len(x.told.pending) > 0)
	return set
}

// look reads everything that the filters select, and notes what the collector was not told.
func (x *updateWait) look(ctx *simulator.Context) types.BaseMethodFault {
	x.v.turns.turn.RLock() // it walks the inventory, as whoever makes a view does
	defer x.v.turns.turn.RUnlock()
	there := map[types.ManagedObjectReference]bool{}
	for _, ref := range x.pc.Filter {
		filter, ok := ctx.Session.Get(ref).(*simulator.PropertyFilter)
		if !ok {
			continue
		}
		members, fault := x.members(ctx, filter.Spec.ObjectSet[0].Obj)
		if fault != nil {
			return fault
		}
		for _, member := range members {
			content, ok := x.read(ctx, member, filter.Spec.PropSet)
			if !ok {
				continue // it went meanwhile
			}
			there[member] = true
			if update := x.compare(content); update != nil {
				x.told.pending = append(x.told.pending, types.PropertyFilterUpdate{Filter: ref, ObjectSet: []types.ObjectUpdate{*update}})
			}
		}
	}
	for member := range x.told.objects {
		if !there[member] {
			delete(x.told.objects, member)
			x.told.pending = append(x.told.pending, types.PropertyFilterUpdate{Filter: x.pc.Filter[0], ObjectSet: []types.ObjectUpdate{
				{Kind: types.ObjectUpdateKindLeave, Obj: member},
			}})
		}
	}
	return nil
}

// members are what is in a container view now. Another view of the same container knows.
func (x *updateWait) members(ctx *simulator.Context, ref types.ManagedObjectReference) ([]types.ManagedObjectReference, types.BaseMethodFault) {
	view, ok := ctx.Session.Get(ref).(*simulator.ContainerView)
	manager, isManager := x.v.registry.Get(*x.v.model.ServiceContent.ViewManager).(*simulator.ViewManager)
	if !ok || !isManager {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	body, ok := manager.CreateContainerView(ctx, &types.CreateContainerView{
		This: manager.Self, Container: view.Container, Type: view.Type, Recursive: view.Recursive,
	}).(*methods.CreateContainerViewBody)
	if !ok || body.Res == nil {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	fresh, ok := ctx.Session.Get(body.Res.Returnval).(*simulator.ContainerView)
	if !ok {
		return nil, &types.ManagedObjectNotFound{Obj: ref}
	}
	fresh.DestroyView(ctx, &types.DestroyView{This: fresh.Self})
	return fresh.View, nil
}

func (x *updateWait) read(ctx *simulator.Context, ref types.ManagedObjectReference, props []types.PropertySpec) (types.ObjectContent, bool) {
	body, ok := x.pc.RetrievePropertiesEx(ctx, &types.RetrievePropertiesEx{
		This: x.pc.Self, SpecSet: []types.PropertyFilterSpec{{ObjectSet: []types.ObjectSpec{{Obj: ref}}, PropSet: props}},
	}).(*methods.RetrievePropertiesExBody)
	if !ok || body.Res == nil || body.Res.Returnval == nil || len(body.Res.Returnval.Objects) != 1 {
		return types.ObjectContent{}, false
	}
	return body.Res.Returnval.Objects[0], true
}

// compare is what is new about an object; nil when nothing is.
func (x *updateWait) compare(content types.ObjectContent) *types.ObjectUpdate {
	before, known := x.told.objects[content.Obj]
	update := &types.ObjectUpdate{Obj: content.Obj, Kind: types.ObjectUpdateKindModify}
	if !known {
		update.Kind = types.ObjectUpdateKindEnter
	}
	now := make(map[string]uint64, len(content.PropSet))
	for _, p := range content.PropSet {
		now[p.Name] = x.v.digest(p.Val)
		if old, had := before[p.Name]; !had || old != now[p.Name] {
			update.ChangeSet = append(update.ChangeSet, types.PropertyChange{Name: p.Name, Op: types.PropertyChangeOpAssign, Val: p.Val})
		}
	}
	for name := range before {
		if _, has := now[name]; !has {
			update.ChangeSet = append(update.ChangeSet, types.PropertyChange{Name: name, Op: types.PropertyChangeOpAssign})
		}
	}
	x.told.objects[content.Obj] = now
	if known && len(update.ChangeSet) == 0 {
		return nil
	}
	return update
}

// digest stands for a value, which the simulator changes in place.
func (v *VCenter) digest(value any) uint64 {
	text, err := json.Marshal(value)
	if err != nil {
		text = fmt.Appendf(nil, "%v", value)
	}
	return maphash.Bytes(v.seed, text)
}
