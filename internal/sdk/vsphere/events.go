package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	eventPage     = 1000 // the most that vCenter gives in one read
	defaultEvents = 1000
	maxEvents     = 100000
)

// EventsSpec asks for events. Its zero value is all of them that vCenter keeps, up to the limit.
type EventsSpec struct {
	Entity    string   `json:"entity,omitempty"`    // path, moref or unique name of anything; empty: everything
	Types     []string `json:"types,omitempty"`     // VmPoweredOnEvent, the id of an EventEx, or a base type (VmEvent); empty: all
	Since     string   `json:"since,omitempty"`     // see ParseTime; empty: no bound
	Until     string   `json:"until,omitempty"`     // see ParseTime; empty: now
	Limit     int      `json:"limit,omitempty"`     // the newest so many; 0: 1000
	Recursion string   `json:"recursion,omitempty"` // all (the default), self, children: of the entity
	User      string   `json:"user,omitempty"`      // who caused it, as vCenter writes it: VSPHERE.LOCAL\Administrator
	Severity  []string `json:"severity,omitempty"`  // info, user, warning, error; empty: all
}

// Validate refuses what cannot be right. Field tells which field an error is about.
func (s EventsSpec) Validate() error {
	for _, name := range s.Types {
		if strings.TrimSpace(name) == "" {
			return inField("types", sdk.WithHint(sdk.Invalidf("an event type has no name"), "name no types to get all of them"))
		}
	}
	for _, severity := range s.Severity {
		if !slices.Contains(Severities(), severity) {
			return inField("severity", didYouMean(sdk.WithHint(sdk.Invalidf("there is no severity %q", severity),
				"there is %s", strings.Join(Severities(), ", ")), severity, Severities()))
		}
	}
	switch {
	case s.Limit < 0 || s.Limit > maxEvents:
		return inField("limit", sdk.Invalidf("%d events cannot be had; ask for 1 to %d", s.Limit, maxEvents))
	case s.Recursion != "" && !slices.Contains([]string{"all", "self", "children"}, s.Recursion):
		return inField("recursion", sdk.WithHint(sdk.Invalidf("there is no recursion %q", s.Recursion), "there is all, self and children"))
	}
	return validTimes(map[string]string{"since": s.Since, "until": s.Until})
}

// Event is one entry of vCenter's event log.
type Event struct {
	Key        int32     `json:"key"` // unique in a vCenter, and rising
	CreatedAt  time.Time `json:"created_at"`
	EventType  string    `json:"event_type"` // VmPoweredOnEvent, or the id of an EventEx
	Severity   string    `json:"severity"`   // info, user, warning, error
	Category   string    `json:"category"`   // what it is about: vm, host, datastore, alarm, cluster, resource_pool, …
	Message    string    `json:"message"`
	User       string    `json:"user"`
	Entity     string    `json:"entity"`      // name of what it is about; empty when it is about nothing in particular
	EntityType string    `json:"entity_type"` // VirtualMachine, HostSystem, …
	Datacenter string    `json:"datacenter"`
	Host       string    `json:"host"`
	VM         string    `json:"vm"`
	ChainID    int32     `json:"chain_id"` // key of the event that this one follows from, or its own
}

// EventsResult is a list of events.
type EventsResult struct {
	Events    []Event `json:"events"`    // the newest first
	Truncated bool    `json:"truncated"` // there are older ones that the limit left out
}

// ListEvents reads the newest events, the newest first. A type that there is not is sdk.ErrInvalid and names the nearest. Up
// to a thousand events cost three calls; a collector is made for them, and destroyed whatever happens.
func (c *Client) ListEvents(ctx context.Context, spec EventsSpec) (*EventsResult, error) {
	result, err := c.listEvents(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return result, nil
}

func (c *Client) listEvents(ctx context.Context, spec EventsSpec) (*EventsResult, error) {
	q, err := c.eventQuery(ctx, spec)
	if err != nil {
		return nil, err
	}
	limit := spec.Limit
	if limit == 0 {
		limit = defaultEvents
	}
	q.filter.MaxCount = int32(min(limit+1, eventPage))
	events, err := c.collectEvents(ctx, q, limit+1)
	if gone, ok := faultOf(err).(*types.ManagedObjectNotFound); ok && gone.Obj.Type == "EventHistoryCollector" { // with its session
		events, err = c.collectEvents(ctx, q, limit+1)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(events, func(a, b Event) int { return int(b.Key) - int(a.Key) })
	result := &EventsResult{Events: events[:min(limit, len(events))], Truncated: len(events) > limit}
	if result.Events == nil {
		result.Events = []Event{}
	}
	return result, nil
}

func (c *Client) collectEvents(ctx context.Context, q *eventQuery, wanted int) (events []Event, err error) {
	err = c.withEvents(ctx, q.filter, func(collector types.ManagedObjectReference) error {
		events, err = c.newestEvents(ctx, collector, q, wanted)
		return err
	})
	return events, err
}

// newestEvents reads the latest page and, while more are wanted, what lies before it. The two may overlap.
func (c *Client) newestEvents(ctx context.Context, collector types.ManagedObjectReference, q *eventQuery, wanted int) ([]Event, error) {
	page, err := c.latestEvents(ctx, collector)
	if err != nil {
		return nil, err
	}
	var events []Event
	seen := map[int32]bool{}
	take := func(page []types.BaseEvent) {
		for _, raw := range page {
			if event := q.event(raw); !seen[event.Key] && q.wants(event) {
				seen[event.Key] = true
				events = append(events, event)
			}
		}
	}
	take(page)
	if len(page) < int(q.filter.MaxCount) || len(events) >= wanted {
		return events, nil
	}
	if _, err := methods.ResetCollector(ctx, c.vim, &types.ResetCollector{This: collector}); err != nil {
		return nil, err
	}
	for len(events) < wanted {
		res, err := methods.ReadPreviousEvents(ctx, c.vim, &types.ReadPreviousEvents{This: collector, MaxCount: eventPage})
		if err != nil {
			return nil, err
		}
		if len(res.Returnval) == 0 {
			break
		}
		take(res.Returnval)
	}
	return events, nil
}

func (c *Client) latestEvents(ctx context.Context, collector types.ManagedObjectReference) ([]types.BaseEvent, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: collector}},
		[]types.PropertySpec{{Type: collector.Type, PathSet: []string{"latestPage"}}})
	if err != nil {
		return nil, err
	}
	object, err := find(content, collector)
	if err != nil {
		return nil, err
	}
	page, _ := properties(object)["latestPage"].(types.ArrayOfEvent)
	return page.Event, nil
}

// withEvents makes a collector for the time of the call. A vCenter has 32 of them for everyone.
func (c *Client) withEvents(ctx context.Context, filter types.EventFilterSpec, use func(types.ManagedObjectReference) error) error {
	made, err := methods.CreateCollectorForEvents(ctx, c.vim, &types.CreateCollectorForEvents{
		This: *c.vim.ServiceContent.EventManager, Filter: filter,
	})
	if isFault[*types.InvalidState](err) {
		return sdk.WithHint(&collectorRefused{err}, "vCenter has no event collector left (event.maxCollectors, 32 by default); end a client that holds some")
	}
	if err != nil {
		return err
	}
	defer c.dropCollector(ctx, made.Returnval)
	return use(made.Returnval)
}

// collectorRefused says that vCenter makes no event collector now.
type collectorRefused struct{ err error }

func (e *collectorRefused) Error() string { return "make an event collector: " + e.err.Error() }
func (e *collectorRefused) Unwrap() error { return e.err }

func (c *Client) dropCollector(ctx context.Context, collector types.ManagedObjectReference) {
	if c.closing.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if _, err := methods.DestroyCollector(ctx, c.vim, &types.DestroyCollector{This: collector}); err != nil {
		c.log.Debug("destroy event collector", "error", err) // it goes with the session
	}
}
