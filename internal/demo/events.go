package demo

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

const (
	maxEvents     = 20000 // kept; vCenter keeps them for 30 days by default
	maxEventPage  = 1000  // of one read ("EventHistoryCollector", "vSphere Web Services API")
	defaultPage   = 10
	maxCollectors = 32 // in all sessions together: event.maxCollectors of a vCenter
)

// eventLog keeps every event and feeds the collectors. It stands in for the simulator's own, which skips the first event after
// a rewind, keeps a thousand events, and knows neither users nor categories. It hears of events through a collector of the
// simulator's that nobody else sees.
type eventLog struct {
	v      *VCenter
	source types.ManagedObjectReference

	mu         sync.Mutex
	events     []types.BaseEvent // oldest first
	categories map[string]string // by type
	collectors map[types.ManagedObjectReference]*eventCollector
}

// newEventLog takes over what the inventory's making recorded and listens from there on.
func newEventLog(v *VCenter) (*eventLog, error) {
	l := &eventLog{v: v, collectors: map[types.ManagedObjectReference]*eventCollector{}}
	manager := v.registry.EventManager()
	l.categories = describeEvents(manager)
	ctx := v.systemContext()
	if past, ok := manager.QueryEvents(ctx, &types.QueryEvents{Filter: types.EventFilterSpec{MaxCount: maxEventPage}}).(*methods.QueryEventsBody); ok && past.Res != nil {
		l.events = slices.Clone(past.Res.Returnval)
		slices.SortFunc(l.events, byKey)
	}
	made, ok := manager.CreateCollectorForEvents(ctx, &types.CreateCollectorForEvents{
		Filter: types.EventFilterSpec{MaxCount: 1},
	}).(*methods.CreateCollectorForEventsBody)
	if !ok || made.Res == nil {
		return nil, fmt.Errorf("simulated event log: the simulator makes no collector")
	}
	l.source = made.Res.Returnval
	v.registry.AddHandler(l)
	return l, nil
}

// systemContext is for what happens without a caller.
func (v *VCenter) systemContext() *simulator.Context {
	ctx := backgroundContext(v.model.Service)
	ctx.Session = &simulator.Session{
		UserSession: types.UserSession{Key: uuid.NewString(), UserName: v.opts.Username},
		Registry:    simulator.NewRegistry(), Map: v.registry,
	}
	return ctx
}

func byKey(a, b types.BaseEvent) int { return int(a.GetEvent().Key) - int(b.GetEvent().Key) }

// Reference names the log in the simulator's list of handlers.
func (l *eventLog) Reference() types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "EventLog", Value: "demo"}
}

// PutObject is called for each new object.
func (l *eventLog) PutObject(_ *simulator.Context, obj mo.Reference) { l.v.recordNew(obj) }

// RemoveObject is called for each object that goes.
func (l *eventLog) RemoveObject(_ *simulator.Context, ref types.ManagedObjectReference) {
	l.v.recordGone(ref)
}

// UpdateObject is called for each change, also for each event that our source collects.
func (l *eventLog) UpdateObject(ctx *simulator.Context, obj mo.Reference, changes []types.PropertyChange) {
	if obj.Reference() != l.source {
		return
	}
	for _, change := range changes {
		if page, ok := change.Val.(*types.ArrayOfEvent); ok && len(page.Event) > 0 {
			l.add(ctx, page.Event[0])
		}
	}
}

// add takes an event. Events come one at a time, since the event manager is locked meanwhile; our own lock is not held while
// others are told.
func (l *eventLog) add(ctx *simulator.Context, event types.BaseEvent) {
	var touched []*eventCollector
	l.mu.Lock()
	l.events = append(l.events, event)
	if len(l.events) > maxEvents {
		l.events = slices.Delete(l.events, 0, len(l.events)-maxEvents)
	}
	for _, c := range l.collectors {
		if l.matches(ctx, &c.spec, event) {
			c.matching = append(c.matching, event)
			touched = append(touched, c)
		}
	}
	l.mu.Unlock()
	for _, c := range touched {
		l.show(ctx, c)
	}
}

// merging is how long changes of a latest page are gathered into one after one was told.
const merging = 20 * time.Millisecond

// show tells those who wait for updates of the latest page: at once, and what follows soon after in one change. Of a property that
// changed several times between two waits the property collector tells the last value alone ("WaitForUpdatesEx", "vSphere Web
// Services API": intermediate values may be skipped); the simulator's queues every page.
func (l *eventLog) show(ctx *simulator.Context, c *eventCollector) {
	l.mu.Lock()
	c.changed = true
	gathering := c.gathering
	c.gathering = true
	l.mu.Unlock()
	if gathering {
		return
	}
	l.tell(ctx, c)
	l.v.goroutines.Go(func() {
		for more := true; more; {
			select {
			case <-l.v.done:
				return
			case <-time.After(merging):
				more = l.tell(backgroundContext(l.v.model.Service), c)
			}
		}
	})
}

// tell tells the latest page when it changed, and says whether it did; if not, the gathering is over.
func (l *eventLog) tell(ctx *simulator.Context, c *eventCollector) bool {
	told := false
	ctx.WithLock(c, func() {
		l.mu.Lock()
		told = c.changed
		c.gathering, c.changed = told, false
		page := c.latest()
		l.mu.Unlock()
		if told {
			ctx.Update(c, []types.PropertyChange{{Name: "latestPage", Val: page}})
		}
	})
	return told
}

// eventQuery answers the EventManager's queries.
type eventQuery struct{ log *eventLog }

// Reference is the event manager's.
func (q *eventQuery) Reference() types.ManagedObjectReference {
	return q.log.v.registry.EventManager().Self
}

// QueryEvents reads the newest events that a filter lets through, the newest first.
func (q *eventQuery) QueryEvents(ctx *simulator.Context, req *types.QueryEvents) soap.HasFault {
	size, fault := pageSize(req.Filter.MaxCount)
	if fault != nil {
		return &methods.QueryEventsBody{Fault_: fault}
	}
	q.log.mu.Lock()
	defer q.log.mu.Unlock()
	c := &eventCollector{size: size, matching: q.log.find(ctx, &req.Filter)}
	return &methods.QueryEventsBody{Res: &types.QueryEventsResponse{Returnval: c.latest()}}
}

// CreateCollectorForEvents makes a collector that lasts as long as its session.
func (q *eventQuery) CreateCollectorForEvents(ctx *simulator.Context, req *types.CreateCollectorForEvents) soap.HasFault {
	body := new(methods.CreateCollectorForEventsBody)
	size, fault := pageSize(req.Filter.MaxCount)
	if fault != nil {
		body.Fault_ = fault
		return body
	}
	q.log.mu.Lock()
	defer q.log.mu.Unlock()
	if len(q.log.collectors) >= maxCollectors {
		body.Fault_ = simulator.Fault("Too many event collectors to create", new(types.InvalidState))
		return body
	}
	c := &eventCollector{log: q.log, spec: req.Filter, size: size, matching: q.log.find(ctx, &req.Filter), next: -1}
	c.Self = types.ManagedObjectReference{Type: "EventHistoryCollector", Value: "session[" + ctx.Session.Key + "]" + uuid.NewString()}
	c.Filter = req.Filter
	c.LatestPage = c.latest()
	ctx.Session.Put(c)
	q.log.collectors[c.Self] = c
	body.Res = &types.CreateCollectorForEventsResponse{Returnval: c.Self}
	return body
}

// find is every event that a filter lets through, oldest first; the caller holds the lock.
func (l *eventLog) find(ctx *simulator.Context, spec *types.EventFilterSpec) []types.BaseEvent {
	var found []types.BaseEvent
	for _, event := range l.events {
		if l.matches(ctx, spec, event) {
			found = append(found, event)
		}
	}
	return found
}

// release forgets the collectors of a session.
func (l *eventLog) release(objects *simulator.Registry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, obj := range objects.AllReference("EventHistoryCollector") {
		delete(l.collectors, obj.Reference())
	}
}

func pageSize(count int32) (int, *soap.Fault) {
	switch {
	case count == 0:
		return defaultPage, nil
	case count < 0 || count > maxEventPage:
		return 0, simulator.Fault("", &types.InvalidArgument{InvalidProperty: "maxCount"})
	}
	return int(count), nil
}

// eventCollector is an EventHistoryCollector: a viewable latest page, newest first, and a scrollable view of all that match.
type eventCollector struct {
	mo.EventHistoryCollector

	log      *eventLog
	spec     types.EventFilterSpec
	size     int
	matching []types.BaseEvent // oldest first
	next     int               // the position in the scrollable view; -1: not moved yet

	changed, gathering bool // the latest page, since it was told; its changes, into one
}

// Get is the collector as the property collector sees it.
func (c *eventCollector) Get() mo.Reference {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	clone := c.EventHistoryCollector
	clone.LatestPage = c.latest()
	return &clone
}

func (c *eventCollector) latest() []types.BaseEvent {
	page := slices.Clone(c.matching[max(0, len(c.matching)-c.size):])
	slices.Reverse(page)
	return page
}

// ReadNextEvents reads from the position towards the newest event.
func (c *eventCollector) ReadNextEvents(_ *simulator.Context, req *types.ReadNextEvents) soap.HasFault {
	if req.MaxCount <= 0 || req.MaxCount > maxEventPage {
		return &methods.ReadNextEventsBody{Fault_: simulator.Fault("", &types.InvalidArgument{InvalidProperty: "maxCount"})}
	}
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	from := max(0, c.next)
	c.next = min(from+int(req.MaxCount), len(c.matching))
	return &methods.ReadNextEventsBody{Res: &types.ReadNextEventsResponse{Returnval: slices.Clone(c.matching[from:c.next])}}
}

// ReadPreviousEvents reads from the position towards the oldest event.
func (c *eventCollector) ReadPreviousEvents(_ *simulator.Context, req *types.ReadPreviousEvents) soap.HasFault {
	if req.MaxCount <= 0 || req.MaxCount > maxEventPage {
		return &methods.ReadPreviousEventsBody{Fault_: simulator.Fault("", &types.InvalidArgument{InvalidProperty: "maxCount"})}
	}
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	until := c.next
	if until < 0 {
		until = len(c.matching)
	}
	c.next = max(0, until-int(req.MaxCount))
	page := slices.Clone(c.matching[c.next:until])
	slices.Reverse(page)
	return &methods.ReadPreviousEventsBody{Res: &types.ReadPreviousEventsResponse{Returnval: page}}
}

// RewindCollector moves to the oldest event: reading on gets all, the oldest first.
func (c *eventCollector) RewindCollector(*simulator.Context, *types.RewindCollector) soap.HasFault {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.next = 0
	return &methods.RewindCollectorBody{Res: new(types.RewindCollectorResponse)}
}

// ResetCollector moves to the event before the latest page: reading back gets those that the page does not show.
func (c *eventCollector) ResetCollector(*simulator.Context, *types.ResetCollector) soap.HasFault {
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.next = max(0, len(c.matching)-c.size)
	return &methods.ResetCollectorBody{Res: new(types.ResetCollectorResponse)}
}

// SetCollectorPageSize sets the size of the latest page and moves the position as ResetCollector does.
func (c *eventCollector) SetCollectorPageSize(_ *simulator.Context, req *types.SetCollectorPageSize) soap.HasFault {
	size, fault := pageSize(req.MaxCount)
	if fault != nil {
		return &methods.SetCollectorPageSizeBody{Fault_: fault}
	}
	c.log.mu.Lock()
	defer c.log.mu.Unlock()
	c.size = size
	c.next = max(0, len(c.matching)-c.size)
	return &methods.SetCollectorPageSizeBody{Res: new(types.SetCollectorPageSizeResponse)}
}

// DestroyCollector ends the collector.
func (c *eventCollector) DestroyCollector(ctx *simulator.Context, req *types.DestroyCollector) soap.HasFault {
	c.log.mu.Lock()
	delete(c.log.collectors, c.Self)
	c.log.mu.Unlock()
	ctx.Session.Remove(ctx, req.This)
	return &methods.DestroyCollectorBody{Res: new(types.DestroyCollectorResponse)}
}
