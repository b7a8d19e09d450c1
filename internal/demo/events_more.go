package demo

import (
	"reflect"
	"slices"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// moreEvents are those that the simulator does not describe: category and message as a vCenter's event list has them
// ("EventManager.description", "vSphere Web Services API"), the message in the simulator's form.
var moreEvents = []types.EventDescriptionEventDetail{
	{Key: "TaskEvent", Category: "info", FullFormat: "Task: {{.Info.DescriptionId}}"},
	{Key: "VmRenamedEvent", Category: "info", FullFormat: "Renamed {{.OldName}} to {{.NewName}} in {{.Datacenter.Name}}"},
	{Key: "VmMessageWarningEvent", Category: "warning", FullFormat: "Virtual machine {{.Vm.Name}}: {{.Message}}"},
	{Key: "VmFailedToPowerOnEvent", Category: "error", FullFormat: "Cannot power on {{.Vm.Name}}"},
	{Key: "VmFailedToPowerOffEvent", Category: "error", FullFormat: "Cannot power off {{.Vm.Name}}"},
	{Key: "HostConnectedEvent", Category: "info", FullFormat: "Connected to {{.Host.Name}} in {{.Datacenter.Name}}"},
	{Key: "HostDisconnectedEvent", Category: "info", FullFormat: "Disconnected from {{.Host.Name}} in {{.Datacenter.Name}}. Reason: {{.Reason}}"},
	{Key: "HostConnectionLostEvent", Category: "error", FullFormat: "Host {{.Host.Name}} in {{.Datacenter.Name}} is not responding"},
	{Key: "ResourcePoolCreatedEvent", Category: "info", FullFormat: "Created resource pool {{.ResourcePool.Name}} in compute-resource {{.ComputeResource.Name}}"},
	{Key: "ResourcePoolDestroyedEvent", Category: "info", FullFormat: "Removed resource pool {{.ResourcePool.Name}} on {{.ComputeResource.Name}}"},
	{Key: "DatastoreDiscoveredEvent", Category: "info", FullFormat: "Discovered datastore {{.Datastore.Name}} on {{.Host.Name}}"},
	{Key: "DatastoreDestroyedEvent", Category: "info", FullFormat: "Removed unconfigured datastore {{.Datastore.Name}}"},
	{Key: "AlarmStatusChangedEvent", Category: "info", FullFormat: "Alarm {{.Alarm.Name}} on {{.Entity.Name}} changed from {{.From}} to {{.To}}"},
	{Key: "AlarmCreatedEvent", Category: "info", FullFormat: "Created alarm {{.Alarm.Name}} on {{.Entity.Name}}"},
	{Key: "GeneralUserEvent", Category: "user", FullFormat: "User logged event: {{.Message}}"},
	{Key: "GeneralVmInfoEvent", Category: "info", FullFormat: "Virtual machine {{.Vm.Name}}: {{.Message}}"},
	{Key: "GeneralHostWarningEvent", Category: "warning", FullFormat: "Issue detected on {{.Host.Name}}: {{.Message}}"},
}

// describeEvents completes the event manager's description and gives the category of each type.
func describeEvents(manager *simulator.EventManager) map[string]string {
	info := slices.Clone(manager.Description.EventInfo)
	known := map[string]bool{}
	for _, e := range info {
		known[e.Key] = true
	}
	for _, e := range moreEvents {
		if !known[e.Key] {
			e.Description = e.Key
			info = append(info, e)
		}
	}
	manager.Description.EventInfo = info
	categories := map[string]string{}
	for _, e := range info {
		categories[e.Key] = e.Category
	}
	return categories
}

// recordNew sees each new object before anyone works with it. A task gets the events that vCenter writes for it and the
// simulator does not: TaskEvent at its start, and at its success the event of what it did.
func (v *VCenter) recordNew(obj mo.Reference) {
	switch obj := obj.(type) {
	case *simulator.Task:
		run := obj.Execute
		if run == nil {
			return
		}
		before := ""
		if entity, ok := v.registry.Get(refOr(obj.Info.Entity)).(mo.Entity); ok {
			before = entity.Entity().Name
		}
		obj.Execute = func(t *simulator.Task) (types.AnyType, types.BaseMethodFault) {
			at := v.eventAt(refOr(t.Info.Entity))
			v.post(&types.TaskEvent{Event: at, Info: types.TaskInfo{
				Key: t.Info.Key, Task: t.Self, Name: t.Info.Name, DescriptionId: t.Info.DescriptionId, Entity: t.Info.Entity,
				EntityName: before, State: types.TaskInfoStateQueued, QueueTime: t.Info.QueueTime,
			}})
			result, fault := run(t)
			if fault == nil {
				v.recordDone(t, at, before)
			}
			return result, fault
		}
	case *simulator.ResourcePool:
		v.post(&types.ResourcePoolCreatedEvent{ResourcePoolEvent: v.poolEvent(obj)})
	}
}

func refOr(ref *types.ManagedObjectReference) types.ManagedObjectReference {
	if ref == nil {
		return types.ManagedObjectReference{}
	}
	return *ref
}

// recordDone writes the event of what a task did.
func (v *VCenter) recordDone(t *simulator.Task, at types.Event, before string) {
	_, verb, _ := strings.Cut(t.Info.DescriptionId, ".")
	host, vm := types.HostEvent{Event: at}, types.VmEvent{Event: at}
	switch {
	case verb == "rename" && at.Vm != nil:
		v.post(&types.VmRenamedEvent{VmEvent: vm, OldName: before, NewName: v.name(at.Vm.Vm)})
	case verb == "enterMaintenanceMode":
		v.post(&types.EnteredMaintenanceModeEvent{HostEvent: host})
	case verb == "exitMaintenanceMode":
		v.post(&types.ExitMaintenanceModeEvent{HostEvent: host})
	case verb == "disconnectHost" || verb == "disconnect":
		v.post(&types.HostDisconnectedEvent{HostEvent: host, Reason: string(types.HostDisconnectedEventReasonCodeUserRequest)})
	case verb == "reconnectHost" || verb == "reconnect":
		v.post(&types.HostConnectedEvent{HostEvent: host})
	}
}

// recordGone sees each object before it goes.
func (v *VCenter) recordGone(ref types.ManagedObjectReference) {
	if pool, ok := v.registry.Get(ref).(*simulator.ResourcePool); ok {
		v.post(&types.ResourcePoolDestroyedEvent{ResourcePoolEvent: v.poolEvent(pool)})
	}
}

func (v *VCenter) poolEvent(pool *simulator.ResourcePool) types.ResourcePoolEvent {
	return types.ResourcePoolEvent{Event: v.eventAt(pool.Owner), ResourcePool: types.ResourcePoolEventArgument{
		EntityEventArgument: types.EntityEventArgument{Name: pool.Name}, ResourcePool: pool.Self,
	}}
}

// post writes an event. Nobody's locks are taken but the event manager's.
func (v *VCenter) post(event types.BaseEvent) {
	ctx := v.systemContext()
	manager := v.registry.EventManager()
	ctx.WithLock(manager, func() { manager.PostEvent(ctx, &types.PostEvent{EventToPost: event}) })
}

// eventAt is an event with the arguments that tell where an object is.
func (v *VCenter) eventAt(ref types.ManagedObjectReference) types.Event {
	var e types.Event
	for range 64 {
		entity, ok := v.registry.Get(ref).(mo.Entity)
		if !ok {
			break
		}
		arg := types.EntityEventArgument{Name: entity.Entity().Name}
		switch ref.Type {
		case "VirtualMachine":
			e.Vm = &types.VmEventArgument{EntityEventArgument: arg, Vm: ref}
			if vm, ok := entity.(*simulator.VirtualMachine); ok && vm.Runtime.Host != nil {
				e.Host = &types.HostEventArgument{EntityEventArgument: types.EntityEventArgument{Name: v.name(*vm.Runtime.Host)}, Host: *vm.Runtime.Host}
				if host, ok := v.registry.Get(*vm.Runtime.Host).(mo.Entity); ok && host.Entity().Parent != nil {
					cluster := *host.Entity().Parent
					e.ComputeResource = &types.ComputeResourceEventArgument{EntityEventArgument: types.EntityEventArgument{Name: v.name(cluster)}, ComputeResource: cluster}
				}
			}
		case "HostSystem":
			e.Host = &types.HostEventArgument{EntityEventArgument: arg, Host: ref}
		case "ClusterComputeResource", "ComputeResource":
			e.ComputeResource = &types.ComputeResourceEventArgument{EntityEventArgument: arg, ComputeResource: ref}
		case "Datastore":
			e.Ds = &types.DatastoreEventArgument{EntityEventArgument: arg, Datastore: ref}
		case "Datacenter":
			e.Datacenter = &types.DatacenterEventArgument{EntityEventArgument: arg, Datacenter: ref}
		}
		if entity.Entity().Parent == nil {
			break
		}
		ref = *entity.Entity().Parent
	}
	return e
}

func (v *VCenter) name(ref types.ManagedObjectReference) string {
	if entity, ok := v.registry.Get(ref).(mo.Entity); ok {
		return entity.Entity().Name
	}
	return ""
}

// eventPost answers EventManager.PostEvent. An EventEx gets its message, which the simulator leaves empty; one about no object
// is about the root folder, and one about an object that is gone is refused, where the simulator panics. An event that sets off
// an alarm is followed by AlarmStatusChangedEvent.
type eventPost struct{ v *VCenter }

// Reference is the event manager's.
func (p *eventPost) Reference() types.ManagedObjectReference {
	return p.v.registry.EventManager().Self
}

// PostEvent writes an event of the caller's.
func (p *eventPost) PostEvent(ctx *simulator.Context, req *types.PostEvent) soap.HasFault {
	if req.EventToPost == nil || reflect.ValueOf(req.EventToPost).IsNil() {
		return &methods.PostEventBody{Fault_: simulator.Fault("", &types.InvalidArgument{InvalidProperty: "eventToPost"})}
	}
	manager := p.v.registry.EventManager()
	event, ok := req.EventToPost.(*types.EventEx)
	if !ok {
		return manager.PostEvent(ctx, req)
	}
	if event.ObjectId == "" {
		event.ObjectType, event.ObjectId = p.v.model.ServiceContent.RootFolder.Type, p.v.model.ServiceContent.RootFolder.Value
	}
	about := types.ManagedObjectReference{Type: event.ObjectType, Value: event.ObjectId}
	entity, ok := p.v.registry.Get(about).(mo.Entity)
	if !ok {
		return &methods.PostEventBody{Fault_: simulator.Fault("", &types.ManagedObjectNotFound{Obj: about})}
	}
	if event.ObjectName == "" {
		event.ObjectName = entity.Entity().Name
	}
	if event.FullFormattedMessage == "" {
		event.FullFormattedMessage = event.Message
	}
	before := slices.Clone(entity.Entity().TriggeredAlarmState)
	res := manager.PostEvent(ctx, req)
	for _, change := range alarmChanges(before, entity.Entity().TriggeredAlarmState) {
		name := change.alarm.Value
		if alarm, ok := p.v.registry.Get(change.alarm).(*simulator.Alarm); ok {
			name = alarm.Info.Name
		}
		at := p.v.eventAt(about)
		manager.PostEvent(ctx, &types.PostEvent{EventToPost: &types.AlarmStatusChangedEvent{
			AlarmEvent: types.AlarmEvent{Event: at, Alarm: types.AlarmEventArgument{EntityEventArgument: types.EntityEventArgument{Name: name}, Alarm: change.alarm}},
			Source:     types.ManagedEntityEventArgument{EntityEventArgument: types.EntityEventArgument{Name: event.ObjectName}, Entity: about},
			Entity:     types.ManagedEntityEventArgument{EntityEventArgument: types.EntityEventArgument{Name: event.ObjectName}, Entity: about},
			From:       string(change.from), To: string(change.to),
		}})
	}
	return res
}

type alarmChange struct {
	alarm    types.ManagedObjectReference
	from, to types.ManagedEntityStatus
}

func alarmChanges(before, after []types.AlarmState) []alarmChange {
	const green = types.ManagedEntityStatusGreen
	status := func(states []types.AlarmState, alarm types.ManagedObjectReference) types.ManagedEntityStatus {
		for _, s := range states {
			if s.Alarm == alarm {
				return s.OverallStatus
			}
		}
		return green
	}
	var changes []alarmChange
	seen := map[types.ManagedObjectReference]bool{}
	for _, s := range append(slices.Clone(before), after...) {
		from, to := status(before, s.Alarm), status(after, s.Alarm)
		if from != to && !seen[s.Alarm] {
			changes = append(changes, alarmChange{s.Alarm, from, to})
		}
		seen[s.Alarm] = true
	}
	return changes
}
