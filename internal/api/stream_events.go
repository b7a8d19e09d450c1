package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/gorilla/websocket"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// missedEvents is how many are read from vCenter for a client that comes back after the hub has forgotten.
const missedEvents = 10000

// eventsFeed is the events that a client chose, in the order of their keys.
type eventsFeed struct {
	missed []*vsphere.Event // those before the hub's memory, to be sent first
	watch  *vsphere.EventWatch
	made   *prepared[*vsphere.Event]
}

func (s *Server) streamEvents(r *http.Request) (feed, error) {
	q := r.URL.Query()
	spec := vsphere.EventsSpec{
		Types: listOf(q.Get("types")), Severity: listOf(q.Get("severity")), Entity: q.Get("entity"), Recursion: q.Get("recursion"), User: q.Get("user"),
	}
	var since int32
	if n, err := strconv.ParseInt(q.Get("since"), 10, 32); err == nil && n > 0 {
		since = int32(n)
	} else {
		spec.Since = q.Get("since")
	}
	f := &eventsFeed{made: s.madeEvents}
	var gone *vsphere.EventsGoneError
	var err error
	f.watch, err = s.events.Watch(r.Context(), spec, since)
	if errors.As(err, &gone) {
		if f.missed, err = s.eventsBetween(r.Context(), spec, since, gone.Oldest); err == nil {
			f.watch, err = s.events.Watch(r.Context(), spec, gone.Oldest)
		}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// eventsBetween reads the events after one key up to another from vCenter, the oldest first.
func (s *Server) eventsBetween(ctx context.Context, spec vsphere.EventsSpec, after, upTo int32) ([]*vsphere.Event, error) {
	spec.Limit = missedEvents
	result, err := s.vc.ListEvents(ctx, spec)
	if err != nil {
		return nil, err
	}
	var missed []*vsphere.Event
	for i := range slices.Backward(result.Events) {
		if e := &result.Events[i]; e.Key > after && e.Key <= upTo {
			missed = append(missed, e)
		}
	}
	return missed, nil
}

func (f *eventsFeed) next(ctx context.Context) ([]*websocket.PreparedMessage, error) {
	events := f.missed
	f.missed = nil
	if len(events) == 0 {
		update, err := f.watch.Next(ctx)
		if err != nil {
			return nil, err
		}
		events = update.Events
	}
	var batch []*websocket.PreparedMessage
	for _, e := range events {
		one, err := f.made.get(e, func() ([][]byte, error) {
			text, err := json.Marshal(e)
			return [][]byte{text}, err
		})
		if err != nil {
			return nil, err
		}
		batch = append(batch, one...)
	}
	return batch, nil
}

func (f *eventsFeed) close() { f.watch.Close() }
