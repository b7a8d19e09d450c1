package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	eventsKept    = 10000 // that a hub remembers unless it is told otherwise
	eventsAtOnce  = 1000  // that a watcher is given in one update
	eventsRefused = 15 * time.Second
)

// EventHub is one stream of all events for everyone who watches, with the newest of them in memory so that a watcher can go on where it was.
type EventHub struct {
	c    *Client
	keep int
	done chan struct{}

	mu      sync.Mutex
	ring    []*keptEvent // in the order in which they came, which is that of their keys
	first   int          // number of ring[0] since the beginning
	floor   int32        // there may be events up to this key that are not remembered
	begun   bool         // the first events are there
	ended   bool
	status  MirrorStatus
	changed chan struct{}
}

// keptEvent is an event with the objects that it is about, for filters by entity.
type keptEvent struct {
	Event
	about []types.ManagedObjectReference
}

// StartEvents makes a hub that remembers the newest keep events (0: 10000). It begins with the newest thousand that vCenter has. It ends
// with ctx or with the client, and so do its watches; what interrupts vCenter's stream is waited out, without gap or repeat.
func (c *Client) StartEvents(ctx context.Context, keep int) *EventHub {
	if keep <= 0 {
		keep = eventsKept
	}
	h := &EventHub{c: c, keep: keep, done: make(chan struct{}), changed: make(chan struct{})}
	h.status = MirrorStatus{State: MirrorLoading, Since: time.Now()}
	c.background(ctx, func(ctx context.Context) {
		defer close(h.done)
		h.run(ctx)
	})
	return h
}

// Status says since when events come, or why they do not; AsOf is unset.
func (h *EventHub) Status() MirrorStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.status
}

// Done is closed when the hub has ended.
func (h *EventHub) Done() <-chan struct{} { return h.done }

// run follows until ctx ends, whatever happens: what is known of the stream so far stays known.
func (h *EventHub) run(ctx context.Context) {
	defer h.update(func() { h.ended = true })
	var f *follower
	for ctx.Err() == nil {
		var err error
		if f == nil {
			f, err = h.begin(ctx)
		}
		if f != nil {
			err = f.run(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		h.c.log.Warn("events do not come", "error", err, "again_in", eventsRefused)
		h.say(err)
		wait := eventsRefused
		if f == nil && errors.Is(err, sdk.ErrUnavailable) {
			wait = followPause
		}
		pause(ctx, wait)
	}
}

// begin reads the newest events, and gives what follows from there.
func (h *EventHub) begin(ctx context.Context) (*follower, error) {
	q, err := h.c.eventQuery(ctx, EventsSpec{})
	if err != nil {
		return nil, err
	}
	now, err := h.c.serverTime(ctx)
	if err != nil {
		return nil, err
	}
	filter := q.filter
	filter.MaxCount = eventPage
	var page []types.BaseEvent
	err = h.c.withEvents(ctx, filter, func(collector types.ManagedObjectReference) error {
		page, err = h.c.latestEvents(ctx, collector)
		return err
	})
	if refused := new(collectorRefused); errors.As(err, &refused) {
		var res *types.QueryEventsResponse
		res, err = methods.QueryEvents(ctx, h.c.vim, &types.QueryEvents{This: *h.c.vim.ServiceContent.EventManager, Filter: filter})
		if err == nil {
			page = res.Returnval
		}
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(page, func(a, b types.BaseEvent) int { return int(a.GetEvent().Key) - int(b.GetEvent().Key) })
	q.filter.MaxCount = followPage
	f := &follower{c: h.c, q: q, begin: now.Add(-followOverlap), newest: now, seen: map[int32]bool{}, ran: true, say: h.say}
	f.use = func(raw types.BaseEvent, e Event) error {
		h.add(raw, e)
		return nil
	}
	if len(page) > 0 {
		f.begin, f.newest = time.Time{}, page[len(page)-1].GetEvent().CreatedTime
	}
	for _, raw := range page {
		f.remember(raw)
		h.add(raw, q.event(raw))
	}
	h.update(func() {
		h.begun = true
		if len(page) >= eventPage && len(h.ring) > 0 && h.floor == 0 {
			h.floor = h.ring[0].Key - 1
		}
		h.status = MirrorStatus{State: MirrorLive, Since: time.Now()}
	})
	return f, nil
}

// say notes an interruption, or its end.
func (h *EventHub) say(err error) {
	h.update(func() {
		state := MirrorLive
		if err != nil {
			state = MirrorLost
		}
		if !h.begun {
			state = MirrorLoading
		}
		if h.status.State != state {
			h.status.State, h.status.Since = state, time.Now()
		}
		h.status.Err = err
	})
}

// add remembers an event.
func (h *EventHub) add(raw types.BaseEvent, e Event) {
	h.update(func() {
		h.ring = append(h.ring, &keptEvent{e, eventAbout(raw)})
		if over := len(h.ring) - h.keep; over > 0 {
			h.floor = max(h.floor, h.ring[over-1].Key)
			clear(h.ring[:over])
			h.ring, h.first = h.ring[over:], h.first+over
		}
	})
}

// update changes the hub and wakes all who wait.
func (h *EventHub) update(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
	close(h.changed)
	h.changed = make(chan struct{})
}

// EventsGoneError says that events after the key Since are not remembered any more. It is sdk.ErrInvalid; read those in between with ListEvents, and
// watch after Oldest.
type EventsGoneError struct {
	Since  int32 // the key that was asked for
	Oldest int32 // the smallest key that can be asked for
}

func (e *EventsGoneError) Error() string {
	return fmt.Sprintf("events after %d are not remembered any more, only those after %d", e.Since, e.Oldest)
}

// Unwrap makes it sdk.ErrInvalid.
func (e *EventsGoneError) Unwrap() error { return sdk.ErrInvalid }

// eventAbout are the objects that an event is about.
func eventAbout(raw types.BaseEvent) []types.ManagedObjectReference {
	e := raw.GetEvent()
	var refs []types.ManagedObjectReference
	if e.Vm != nil {
		refs = append(refs, e.Vm.Vm)
	}
	if e.Host != nil {
		refs = append(refs, e.Host.Host)
	}
	if e.ComputeResource != nil {
		refs = append(refs, e.ComputeResource.ComputeResource)
	}
	if e.Ds != nil {
		refs = append(refs, e.Ds.Datastore)
	}
	if e.Net != nil {
		refs = append(refs, e.Net.Network)
	}
	if e.Dvs != nil {
		refs = append(refs, e.Dvs.Dvs)
	}
	if e.Datacenter != nil {
		refs = append(refs, e.Datacenter.Datacenter)
	}
	if pool, ok := raw.(types.BaseResourcePoolEvent); ok {
		refs = append(refs, pool.GetResourcePoolEvent().ResourcePool.ResourcePool)
	}
	return refs
}
