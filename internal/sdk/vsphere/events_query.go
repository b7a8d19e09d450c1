package vsphere

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// eventQuery is a spec in vCenter's terms.
type eventQuery struct {
	filter types.EventFilterSpec
	types  *eventTypes
	wanted []string // severities; empty: all
	since  time.Time
}

// eventQuery resolves what the spec names.
func (c *Client) eventQuery(ctx context.Context, spec EventsSpec) (*eventQuery, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	known, err := c.eventTypes(ctx)
	if err != nil {
		return nil, err
	}
	q := &eventQuery{types: known, wanted: spec.Severity}
	q.filter.Category = spec.Severity
	q.filter.DisableFullMessage = types.NewBool(false)
	if q.filter.EventTypeId, err = known.expand(spec.Types); err != nil {
		return nil, inField("types", err)
	}
	if spec.User != "" {
		q.filter.UserName = &types.EventFilterSpecByUsername{UserList: []string{spec.User}}
	}
	if err := c.eventTimes(ctx, spec, q); err != nil {
		return nil, err
	}
	if spec.Entity == "" {
		return q, nil
	}
	ref, err := c.resolveAny(ctx, spec.Entity)
	if err != nil {
		return nil, inField("entity", err)
	}
	recursion := spec.Recursion
	if recursion == "" {
		recursion = string(types.EventFilterSpecRecursionOptionAll)
	}
	q.filter.Entity = &types.EventFilterSpecByEntity{Entity: ref, Recursion: types.EventFilterSpecRecursionOption(recursion)}
	return q, nil
}

// eventTimes sets the bounds in time; the clock is asked only when there is one.
func (c *Client) eventTimes(ctx context.Context, spec EventsSpec, q *eventQuery) error {
	if spec.Since == "" && spec.Until == "" {
		return nil
	}
	now, err := c.serverTime(ctx)
	if err != nil {
		return err
	}
	q.filter.Time = new(types.EventFilterSpecByTime)
	if spec.Since != "" {
		if q.since, err = ParseTime(spec.Since, now); err != nil {
			return inField("since", err)
		}
		q.filter.Time.BeginTime = &q.since
	}
	if spec.Until == "" {
		return nil
	}
	until, err := ParseTime(spec.Until, now)
	if err != nil {
		return inField("until", err)
	}
	if !q.since.IsZero() && !q.since.Before(until) {
		return inField("since", sdk.WithHint(sdk.Invalidf("since %s is not before until %s",
			q.since.Format(time.RFC3339), until.Format(time.RFC3339)), timeForms))
	}
	q.filter.Time.EndTime = &until
	return nil
}

// wants filters what a server may not have.
func (q *eventQuery) wants(e Event) bool {
	return len(q.wanted) == 0 || slices.Contains(q.wanted, e.Severity)
}

// event translates.
func (q *eventQuery) event(raw types.BaseEvent) Event {
	e := raw.GetEvent()
	event := Event{
		Key: e.Key, CreatedAt: e.CreatedTime.UTC(), EventType: eventTypeName(raw), Severity: q.types.of(raw), Category: eventFamily(raw),
		Message: strings.TrimSpace(e.FullFormattedMessage), User: e.UserName, ChainID: e.ChainId,
	}
	if e.Datacenter != nil {
		event.Datacenter = unescapeName(e.Datacenter.Name)
	}
	if e.Host != nil {
		event.Host = unescapeName(e.Host.Name)
	}
	if e.Vm != nil {
		event.VM = unescapeName(e.Vm.Name)
	}
	event.Entity, event.EntityType = subject(raw, event.Category)
	if event.Message == "" {
		event.Message = event.EventType
		if ex, ok := raw.(*types.EventEx); ok && ex.Message != "" {
			event.Message = ex.Message
		}
	}
	return event
}

// subject is the name and type of what an event is about: the most special of its arguments.
func subject(raw types.BaseEvent, family string) (name, kind string) {
	e := raw.GetEvent()
	switch x := raw.(type) {
	case *types.EventEx:
		if x.ObjectId != "" {
			return unescapeName(x.ObjectName), x.ObjectType
		}
	case *types.AlarmStatusChangedEvent:
		return unescapeName(x.Entity.Name), x.Entity.Entity.Type
	case *types.TaskEvent:
		if x.Info.Entity != nil {
			return unescapeName(x.Info.EntityName), x.Info.Entity.Type
		}
	case types.BaseResourcePoolEvent:
		pool := x.GetResourcePoolEvent().ResourcePool
		return unescapeName(pool.Name), pool.ResourcePool.Type
	}
	switch {
	case family == "datastore" && e.Ds != nil:
		return unescapeName(e.Ds.Name), e.Ds.Datastore.Type
	case e.Vm != nil:
		return unescapeName(e.Vm.Name), e.Vm.Vm.Type
	case e.Host != nil:
		return unescapeName(e.Host.Name), e.Host.Host.Type
	case e.Ds != nil:
		return unescapeName(e.Ds.Name), e.Ds.Datastore.Type
	case e.Net != nil:
		return unescapeName(e.Net.Name), e.Net.Network.Type
	case e.Dvs != nil:
		return unescapeName(e.Dvs.Name), e.Dvs.Dvs.Type
	case e.ComputeResource != nil:
		return unescapeName(e.ComputeResource.Name), e.ComputeResource.ComputeResource.Type
	case e.Datacenter != nil:
		return unescapeName(e.Datacenter.Name), e.Datacenter.Datacenter.Type
	}
	return "", ""
}
