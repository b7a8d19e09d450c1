package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	followPage    = 100         // events that vCenter sends again with each change
	followOverlap = time.Minute // read again after an interruption, for events that were written out of order
	followMemory  = 10000       // keys that are known to have been handed on
	pollEvery     = 5 * time.Second
	followPause   = time.Second // after a failure; doubled each time, up to a minute
	maxPause      = time.Minute
)

// StreamEvents hands on events as they happen, in the order of their keys, until ctx ends or use fails: first those since
// spec.Since when it is set, then the new ones, which vCenter pushes. Each event comes once, also when the connection or the
// session is lost in between, and none that vCenter still has is left out. Where vCenter has no collector to give, it is
// asked every five seconds. Limit and Until have no meaning here and are refused.
func (c *Client) StreamEvents(ctx context.Context, spec EventsSpec, use func(Event) error) error {
	if err := c.streamEvents(ctx, spec, use); err != nil {
		return fmt.Errorf("follow events: %w", err)
	}
	return nil
}

func (c *Client) streamEvents(ctx context.Context, spec EventsSpec, use func(Event) error) error {
	switch {
	case spec.Limit != 0:
		return inField("limit", sdk.Invalidf("following has no limit"))
	case spec.Until != "":
		return inField("until", sdk.Invalidf("following has no end"))
	}
	if spec.Since == "" {
		spec.Since = "now"
	}
	q, err := c.eventQuery(ctx, spec)
	if err != nil {
		return err
	}
	q.filter.MaxCount = followPage
	hand := func(_ types.BaseEvent, e Event) error { return use(e) }
	f := &follower{c: c, q: q, use: hand, begin: q.since, newest: q.since, seen: map[int32]bool{}}
	return f.run(ctx)
}

// follower is one stream of events.
type follower struct {
	c   *Client
	q   *eventQuery
	use func(types.BaseEvent, Event) error
	say func(error) // told of every interruption, and nil when it is over; may be nil

	begin, newest time.Time // of what is followed; of what was handed on
	seen          map[int32]bool
	order         []int32 // of the keys in seen
	forgotten     int32   // the greatest key that was dropped from seen
	ran           bool    // it worked once
	made          bool    // the collector was made this time
	told          bool    // that it is interrupted
	last          int32   // key that was handed on
	used          error   // what use said
}

// errGap says that a page may not reach back to what was seen last.
var errGap = errors.New("more events at once than a page holds")

// run follows, and begins again where it was after whatever is not final.
func (f *follower) run(ctx context.Context) error {
	wait := followPause
	for {
		err := f.follow(ctx)
		var refused *collectorRefused
		if errors.As(err, &refused) {
			if err = f.poll(ctx); err == nil {
				f.ran, wait = true, followPause
				f.tell(nil, 0)
				pause(ctx, pollEvery)
				continue
			}
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case f.used != nil:
			return f.used
		case f.made && (errors.Is(err, errGap) || errors.Is(err, sdk.ErrNotFound)): // the collector went with its session
			wait = followPause
			continue
		case !f.ran, errors.Is(err, sdk.ErrNotFound), errors.Is(err, sdk.ErrDenied), errors.Is(err, sdk.ErrInvalid), f.c.closing.Load():
			return err
		}
		if f.made {
			wait = followPause
		}
		f.tell(err, wait)
		pause(ctx, wait)
		wait = min(2*wait, maxPause)
	}
}

// tell says whether the stream is interrupted. The log hears it once, however often it is tried before it goes on.
func (f *follower) tell(err error, wait time.Duration) {
	if f.say != nil {
		f.say(err)
	}
	switch {
	case err == nil:
		f.told = false
	case f.told:
		f.c.log.Debug("events are still interrupted", "error", err, "again_in", wait)
	default:
		f.told = true
		f.c.log.Warn("events are interrupted; they go on from the last one as soon as vCenter answers", "last_key", f.last, "error", err)
	}
}

// follow makes a collector, hands on what it has from the oldest to the newest, and then what it is told.
func (f *follower) follow(ctx context.Context) error {
	f.made = false
	return f.c.withEvents(ctx, f.from(), func(collector types.ManagedObjectReference) error {
		f.made = true
		if _, err := methods.RewindCollector(ctx, f.c.vim, &types.RewindCollector{This: collector}); err != nil {
			return err
		}
		for {
			res, err := methods.ReadNextEvents(ctx, f.c.vim, &types.ReadNextEvents{This: collector, MaxCount: eventPage})
			if err != nil {
				return err
			}
			if f.hand(res.Returnval); f.used != nil {
				return f.used
			}
			if len(res.Returnval) < eventPage { // what comes from here on is in the latest page
				break
			}
		}
		return f.listen(ctx, collector)
	})
}

// listen hands on what comes into the latest page, which vCenter sends whole each time.
func (f *follower) listen(ctx context.Context, collector types.ManagedObjectReference) error {
	var gap error
	err := f.c.updates(ctx, types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: collector}},
		PropSet:   []types.PropertySpec{{Type: collector.Type, PathSet: []string{"latestPage"}}},
	}, func(update types.ObjectUpdate) bool {
		f.ran = true
		f.tell(nil, 0)
		if update.Kind == types.ObjectUpdateKindLeave {
			gap = classify(notFound(collector))
			return true
		}
		for _, change := range update.ChangeSet {
			page, ok := change.Val.(types.ArrayOfEvent)
			if !ok {
				continue
			}
			if len(page.Event) >= followPage && !slices.ContainsFunc(page.Event, f.known) {
				gap = errGap
				return true
			}
			f.hand(page.Event)
		}
		return f.used != nil
	})
	if err == nil {
		err = gap
	}
	if f.used != nil {
		return f.used
	}
	return err
}

// poll asks once for what happened since, page by page from the newest back.
func (f *follower) poll(ctx context.Context) error {
	filter := f.from()
	filter.MaxCount = eventPage
	var all []types.BaseEvent
	for {
		res, err := methods.QueryEvents(ctx, f.c.vim, &types.QueryEvents{This: *f.c.vim.ServiceContent.EventManager, Filter: filter})
		if err != nil {
			return err
		}
		all = append(all, res.Returnval...)
		if len(res.Returnval) < eventPage || slices.ContainsFunc(res.Returnval, f.known) {
			break
		}
		oldest := slices.MinFunc(res.Returnval, byCreation).GetEvent().CreatedTime
		if end := filter.Time.EndTime; end != nil && !oldest.Before(*end) {
			break // a thousand in one moment: there is no way past them
		}
		filter.Time.EndTime = &oldest
	}
	f.hand(all)
	return f.used
}

func byCreation(a, b types.BaseEvent) int {
	return a.GetEvent().CreatedTime.Compare(b.GetEvent().CreatedTime)
}

// from is the filter from a little before the newest event that was handed on.
func (f *follower) from() types.EventFilterSpec {
	filter := f.q.filter
	begin := f.newest.Add(-followOverlap)
	if begin.Before(f.begin) {
		begin = f.begin
	}
	filter.Time = &types.EventFilterSpecByTime{BeginTime: &begin}
	return filter
}

func (f *follower) known(raw types.BaseEvent) bool {
	key := raw.GetEvent().Key
	return f.seen[key] || key <= f.forgotten
}

// hand hands on the events of a page that were not yet, by key.
func (f *follower) hand(page []types.BaseEvent) {
	page = slices.DeleteFunc(slices.Clone(page), f.known)
	slices.SortFunc(page, func(a, b types.BaseEvent) int { return int(a.GetEvent().Key) - int(b.GetEvent().Key) })
	for _, raw := range page {
		if f.known(raw) { // twice in one reading
			continue
		}
		f.remember(raw)
		event := f.q.event(raw)
		if !f.q.wants(event) {
			continue
		}
		if f.used = f.use(raw, event); f.used != nil {
			return
		}
	}
}

func (f *follower) remember(raw types.BaseEvent) {
	e := raw.GetEvent()
	f.seen[e.Key], f.last = true, e.Key
	f.order = append(f.order, e.Key)
	if e.CreatedTime.After(f.newest) {
		f.newest = e.CreatedTime
	}
	for len(f.order) > followMemory {
		f.forgotten = max(f.forgotten, f.order[0])
		delete(f.seen, f.order[0])
		f.order = f.order[1:]
	}
}
