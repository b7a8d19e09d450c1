package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// EventWatch is one watcher. It holds no queue: whoever is slow finds at the next Next what came meanwhile. One goroutine may use it at a time.
type EventWatch struct {
	hub    *EventHub
	wants  eventFilter
	next   int   // number of the next event to look at
	last   int32 // key of the last one that was looked at
	once   sync.Once
	closed chan struct{}
}

// EventUpdate is what came since the update before.
type EventUpdate struct {
	// Events are in the order of their keys, each once. They are shared, so that one can be encoded once for all: nobody may write to them.
	Events []*Event
	// Skipped is how many events, chosen or not, were missed by who was away for longer than the hub remembers.
	Skipped int
	// Last is the key to resume after; it also moves on past events that the watcher did not choose.
	Last int32
}

// Watch begins to watch the events that spec chooses (entity, types, user, severity, recursion all or self), after the event with the key since; 0:
// those from spec.Since on, without it those that are new from now on. An entity is a VM, a host, a cluster, a datacenter, a datastore, a
// network or a resource pool. When not all events since then are remembered any more, it is a *EventsGoneError. It waits until the hub has
// read its first events.
func (h *EventHub) Watch(ctx context.Context, spec EventsSpec, since int32) (*EventWatch, error) {
	w, err := h.watch(ctx, spec, since)
	if err != nil {
		return nil, fmt.Errorf("watch events: %w", err)
	}
	return w, nil
}

func (h *EventHub) watch(ctx context.Context, spec EventsSpec, since int32) (*EventWatch, error) {
	switch {
	case spec.Limit != 0:
		return nil, inField("limit", sdk.Invalidf("watching has no limit"))
	case spec.Until != "":
		return nil, inField("until", sdk.Invalidf("watching has no end"))
	case spec.Since != "" && since != 0:
		return nil, inField("since", sdk.Invalidf("it goes on after event %d or begins at %s, not both", since, spec.Since))
	case since < 0:
		return nil, inField("since", sdk.Invalidf("there is no event %d", since))
	}
	q, err := h.c.eventQuery(ctx, spec)
	if err != nil {
		return nil, err
	}
	w := &EventWatch{hub: h, closed: make(chan struct{})}
	if w.wants, err = newEventFilter(spec, q); err != nil {
		return nil, err
	}
	for {
		h.mu.Lock()
		begun, ended, changed := h.begun, h.ended, h.changed
		if begun && !ended {
			err = w.place(since, q)
		}
		h.mu.Unlock()
		switch {
		case ended:
			return nil, errHubEnded()
		case begun:
			return w, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// place finds where the watch begins. The caller holds the hub's lock.
func (w *EventWatch) place(since int32, q *eventQuery) error {
	h := w.hub
	end := h.first + len(h.ring)
	w.next, w.last = end, h.floor
	if len(h.ring) > 0 {
		w.last = h.ring[len(h.ring)-1].Key
	}
	after := func(begins func(*keptEvent) bool) {
		if at := slices.IndexFunc(h.ring, begins); at >= 0 {
			w.next = h.first + at
			if w.last = h.floor; at > 0 {
				w.last = h.ring[at-1].Key
			}
		}
	}
	switch {
	case since > 0 && since < h.floor:
		return &EventsGoneError{Since: since, Oldest: h.floor}
	case since > 0:
		if at := slices.IndexFunc(h.ring, func(e *keptEvent) bool { return e.Key == since }); at >= 0 {
			w.next, w.last = h.first+at+1, since
			return nil
		}
		after(func(e *keptEvent) bool { return e.Key > since })
	case !q.since.IsZero():
		if h.floor > 0 && (len(h.ring) == 0 || q.since.Before(h.ring[0].CreatedAt)) {
			return inField("since", &EventsGoneError{Oldest: h.floor})
		}
		after(func(e *keptEvent) bool { return !e.CreatedAt.Before(q.since) })
	}
	return nil
}

// Next waits for the next events that the watcher chose, at most a thousand. It fails with ctx, and when hub or watch are closed
// (sdk.ErrConflict).
func (w *EventWatch) Next(ctx context.Context) (EventUpdate, error) {
	var update EventUpdate
	for {
		changed, ended := w.take(&update)
		if len(update.Events) > 0 || update.Skipped > 0 {
			return update, nil
		}
		if ended {
			return update, errHubEnded()
		}
		select {
		case <-changed:
		case <-w.closed:
			return update, errHubEnded()
		case <-ctx.Done():
			return update, ctx.Err()
		}
	}
}

// take looks at what came, and gives the channel that says when more did.
func (w *EventWatch) take(update *EventUpdate) (changed <-chan struct{}, ended bool) {
	h := w.hub
	h.mu.Lock()
	if w.next < h.first {
		update.Skipped += h.first - w.next
		w.next = h.first
	}
	fresh := h.ring[w.next-h.first:] // what is there is never changed, only left behind
	fresh = slices.Clone(fresh[:min(len(fresh), followMemory)])
	changed, ended = h.changed, h.ended
	h.mu.Unlock()
	for _, e := range fresh {
		if len(update.Events) == eventsAtOnce {
			break
		}
		w.next++
		w.last = max(w.last, e.Key)
		if w.wants.hold(e) {
			update.Events = append(update.Events, &e.Event)
		}
	}
	update.Last = w.last
	return changed, ended
}

// Last is the key to resume after, as of the last Next.
func (w *EventWatch) Last() int32 { return w.last }

// Close leaves. It is safe to call twice, and from another goroutine than Next's.
func (w *EventWatch) Close() { w.once.Do(func() { close(w.closed) }) }

// eventFilter chooses events in memory as vCenter's filter does.
type eventFilter struct {
	types    map[string]bool // nil: all
	severity []string
	user     string
	entity   types.ManagedObjectReference // zero: everything
	self     bool
}

// filterable are the types of objects that events name.
var filterable = []string{
	"VirtualMachine", "HostSystem", "ClusterComputeResource", "ComputeResource", "Datacenter", "Datastore", "Network", "DistributedVirtualPortgroup",
	"OpaqueNetwork", "VmwareDistributedVirtualSwitch", "DistributedVirtualSwitch", "ResourcePool",
}

func newEventFilter(spec EventsSpec, q *eventQuery) (eventFilter, error) {
	f := eventFilter{severity: spec.Severity, user: spec.User}
	if len(spec.Types) > 0 {
		f.types = map[string]bool{}
		for _, name := range q.filter.EventTypeId {
			f.types[name] = true
		}
	}
	if q.filter.Entity == nil {
		return f, nil
	}
	f.entity, f.self = q.filter.Entity.Entity, spec.Recursion == "self"
	switch {
	case spec.Recursion == "children":
		return f, inField("recursion", sdk.WithHint(sdk.Invalidf("the stream in memory knows no children"), "take all or self, or list the events"))
	case !slices.Contains(filterable, f.entity.Type):
		return f, inField("entity", sdk.WithHint(sdk.Invalidf("events do not name the %s that they are in", strings.ToLower(f.entity.Type)),
			"name a VM, a host, a cluster, a datacenter, a datastore, a network or a resource pool"))
	}
	return f, nil
}

// hold says whether an event is chosen. The objects of an event are sorted from the most special on.
func (f *eventFilter) hold(e *keptEvent) bool {
	switch {
	case f.types != nil && !f.types[e.EventType]:
		return false
	case len(f.severity) > 0 && !slices.Contains(f.severity, e.Severity):
		return false
	case f.user != "" && !strings.EqualFold(f.user, e.User):
		return false
	case f.entity.Value == "":
		return true
	case f.self:
		return len(e.about) > 0 && e.about[0] == f.entity
	}
	return slices.Contains(e.about, f.entity)
}
