package demo

import (
	"reflect"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// matches is EventFilterSpec as the "vSphere Web Services API" has it: every part that is set has to let the event through.
func (l *eventLog) matches(ctx *simulator.Context, spec *types.EventFilterSpec, event types.BaseEvent) bool {
	e := event.GetEvent()
	switch {
	case spec.EventChainId != 0 && spec.EventChainId != e.ChainId:
		return false
	case len(spec.EventTypeId) > 0 && !slices.Contains(spec.EventTypeId, eventTypeID(event)):
		return false
	case len(spec.Type) > 0 && !slices.Contains(spec.Type, typeName(event)):
		return false
	case len(spec.Category) > 0 && !slices.Contains(spec.Category, l.category(event)):
		return false
	case spec.UserName != nil && !byUser(spec.UserName, e.UserName):
		return false
	case spec.Time != nil && spec.Time.BeginTime != nil && e.CreatedTime.Before(*spec.Time.BeginTime),
		spec.Time != nil && spec.Time.EndTime != nil && e.CreatedTime.After(*spec.Time.EndTime):
		return false
	}
	return spec.Entity == nil || concerns(ctx, event, spec.Entity)
}

func byUser(spec *types.EventFilterSpecByUsername, user string) bool {
	if user == "" {
		return spec.SystemUser
	}
	return slices.ContainsFunc(spec.UserList, func(u string) bool { return strings.EqualFold(u, user) })
}

func typeName(event types.BaseEvent) string { return reflect.TypeOf(event).Elem().Name() }

// eventTypeID is what eventTypeId matches: the id inside an EventEx or ExtendedEvent, else the event's type.
func eventTypeID(event types.BaseEvent) string {
	switch e := event.(type) {
	case *types.EventEx:
		return e.EventTypeId
	case *types.ExtendedEvent:
		return e.EventTypeId
	}
	return typeName(event)
}

// category is info, warning, error or user.
func (l *eventLog) category(event types.BaseEvent) string {
	if e, ok := event.(*types.EventEx); ok && e.Severity != "" {
		return e.Severity
	}
	if category, ok := l.categories[typeName(event)]; ok {
		return category
	}
	return string(types.EventCategoryInfo)
}

// concerns says whether an event pertains to the entity ("self"), to what is below it ("children"), or to either ("all").
func concerns(ctx *simulator.Context, event types.BaseEvent, spec *types.EventFilterSpecByEntity) bool {
	subjects, around := pertainsTo(event)
	root := ctx.Map.EventManager() != nil && spec.Entity.Type == "Folder" && isRoot(ctx, spec.Entity)
	self := slices.Contains(subjects, spec.Entity) || root && len(subjects) == 0
	if spec.Recursion == types.EventFilterSpecRecursionOptionSelf {
		return self
	}
	if self && spec.Recursion == types.EventFilterSpecRecursionOptionAll {
		return true
	}
	if root || slices.Contains(around, spec.Entity) {
		return !self
	}
	return slices.ContainsFunc(append(slices.Clone(subjects), around...), func(ref types.ManagedObjectReference) bool {
		return below(ctx, ref, spec.Entity)
	})
}

func isRoot(ctx *simulator.Context, ref types.ManagedObjectReference) bool {
	folder, ok := ctx.Map.Get(ref).(mo.Entity)
	return ok && folder.Entity().Parent == nil
}

// pertainsTo gives the objects that an event is about, and those that are merely around them.
func pertainsTo(event types.BaseEvent) (subjects, around []types.ManagedObjectReference) {
	e := event.GetEvent()
	add := func(ref types.ManagedObjectReference) { subjects = append(subjects, ref) }
	if x, ok := event.(*types.EventEx); ok && x.ObjectId != "" {
		add(types.ManagedObjectReference{Type: x.ObjectType, Value: x.ObjectId})
	}
	if x, ok := event.(types.BaseResourcePoolEvent); ok {
		add(x.GetResourcePoolEvent().ResourcePool.ResourcePool)
	}
	if e.Vm != nil {
		add(e.Vm.Vm)
	}
	if e.Host != nil {
		add(e.Host.Host)
	}
	if e.Ds != nil {
		add(e.Ds.Datastore)
	}
	if e.Net != nil {
		add(e.Net.Network)
	}
	if e.Dvs != nil {
		add(e.Dvs.Dvs)
	}
	if e.ComputeResource != nil {
		around = append(around, e.ComputeResource.ComputeResource)
	}
	if e.Datacenter != nil {
		around = append(around, e.Datacenter.Datacenter)
	}
	if len(subjects) == 0 {
		return around, nil
	}
	return subjects, around
}

// below says whether an object is somewhere under another.
func below(ctx *simulator.Context, ref, root types.ManagedObjectReference) bool {
	for range 64 {
		entity, ok := ctx.Map.Get(ref).(mo.Entity)
		if !ok || entity.Entity().Parent == nil {
			return false
		}
		if ref = *entity.Entity().Parent; ref == root {
			return true
		}
	}
	return false
}
