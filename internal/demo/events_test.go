package demo_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/alarm"
	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func queryEvents(t *testing.T, c *govmomi.Client, filter types.EventFilterSpec) []types.BaseEvent {
	t.Helper()
	filter.MaxCount = 1000
	events, err := event.NewManager(c.Client).QueryEvents(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func ofType(names ...string) types.EventFilterSpec { return types.EventFilterSpec{EventTypeId: names} }

func postUserEvents(t *testing.T, c *govmomi.Client, n int) {
	t.Helper()
	for i := range n {
		err := event.NewManager(c.Client).PostEvent(t.Context(), &types.GeneralUserEvent{GeneralEvent: types.GeneralEvent{Message: fmt.Sprint(i)}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func texts(events []types.BaseEvent) []string {
	var out []string
	for _, e := range events {
		out = append(out, e.(*types.GeneralUserEvent).Message)
	}
	return out
}

// "vSphere Web Services API": HistoryCollector.RewindCollector and ResetCollector, EventHistoryCollector.ReadNextEvents,
// ReadPreviousEvents and latestPage.
func TestEventCollector_ScrollsWithoutLosingAny(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	postUserEvents(t, c, 7)
	filter := ofType("GeneralUserEvent")
	filter.MaxCount = 3
	collector, err := event.NewManager(c.Client).CreateCollectorForEvents(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, got []types.BaseEvent, err error, want ...string) {
		t.Helper()
		if err != nil || !slices.Equal(texts(got), want) {
			t.Errorf("%s: got %q %v, want %q", what, texts(got), err, want)
		}
	}
	page, err := collector.LatestPage(t.Context())
	want("latest page", page, err, "6", "5", "4")
	if err := collector.Rewind(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err = collector.ReadNextEvents(t.Context(), 5)
	want("from the oldest", page, err, "0", "1", "2", "3", "4")
	page, err = collector.ReadNextEvents(t.Context(), 5)
	want("on", page, err, "5", "6")
	if err := collector.Reset(t.Context()); err != nil {
		t.Fatal(err)
	}
	page, err = collector.ReadPreviousEvents(t.Context(), 3)
	want("before the latest page", page, err, "3", "2", "1")
	page, err = collector.ReadPreviousEvents(t.Context(), 3)
	want("on back", page, err, "0")
	_, err = collector.ReadNextEvents(t.Context(), 1001)
	wantFault[*types.InvalidArgument](t, err)
	if err := collector.Destroy(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// "vSphere Web Services API", PropertyCollector.WaitForUpdatesEx: of a property that changes several times the last value comes, and
// those before it may be left out.
func TestEventCollector_TheLastLatestPageComes(t *testing.T) {
	const posted = 40
	v := rig.VCenter(t, demo.Options{})
	c := login(t, v)
	filter := ofType("GeneralUserEvent")
	filter.MaxCount = 3
	collector, err := event.NewManager(c.Client).CreateCollectorForEvents(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pages := 0
	var last []string
	err = property.Wait(ctx, property.DefaultCollector(c.Client), collector.Reference(), []string{"latestPage"}, func(changes []types.PropertyChange) bool {
		for _, change := range changes {
			if page, ok := change.Val.(types.ArrayOfEvent); ok {
				pages, last = pages+1, texts(page.Event)
			}
		}
		if pages == 1 { // the first one is what there is: nothing
			postUserEvents(t, login(t, v), posted)
		}
		return len(last) > 0 && last[0] == fmt.Sprint(posted-1)
	})
	if err != nil || !slices.Equal(last, []string{"39", "38", "37"}) || pages > posted+1 {
		t.Errorf("got %q after %d pages, %v", last, pages, err)
	}
}

// "vSphere Web Services API", EventManager.maxCollector; a collector ends with its session.
func TestEventCollector_ThirtyTwoInAll(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := login(t, v)
	for range 32 {
		if _, err := event.NewManager(c.Client).CreateCollectorForEvents(t.Context(), types.EventFilterSpec{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := event.NewManager(c.Client).CreateCollectorForEvents(t.Context(), types.EventFilterSpec{})
	wantFault[*types.InvalidState](t, err)
	v.EndSessions()
	if _, err := event.NewManager(login(t, v).Client).CreateCollectorForEvents(t.Context(), types.EventFilterSpec{}); err != nil {
		t.Errorf("the collectors outlived their session: %v", err)
	}
}

// "vSphere Web Services API", EventFilterSpec.
func TestEventFilter_UserCategoryAndEntity(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 2})
	c := login(t, v)
	postUserEvents(t, c, 1)
	if n := len(queryEvents(t, c, types.EventFilterSpec{UserName: &types.EventFilterSpecByUsername{UserList: []string{"nobody"}}})); n != 0 {
		t.Errorf("%d events of nobody", n)
	}
	if n := len(queryEvents(t, c, types.EventFilterSpec{Category: []string{"user"}})); n != 1 {
		t.Errorf("%d events of category user, want 1", n)
	}
	vm, other := findVM(t, c, stockVM), findVM(t, c, "/DC0/vm/DC0_C0_RP0_VM1")
	of := func(ref types.ManagedObjectReference, how types.EventFilterSpecRecursionOption) (n int) {
		for range queryEvents(t, c, types.EventFilterSpec{
			EventTypeId: []string{"VmPoweredOnEvent"}, Entity: &types.EventFilterSpecByEntity{Entity: ref, Recursion: how},
		}) {
			n++
		}
		return n
	}
	dc, root := datacenter(t, c), c.ServiceContent.RootFolder
	for _, tc := range []struct {
		ref  types.ManagedObjectReference
		how  types.EventFilterSpecRecursionOption
		want int
	}{
		{vm.Reference(), "self", 1}, {vm.Reference(), "children", 0}, {other.Reference(), "all", 1},
		{dc, "self", 0}, {dc, "children", 2}, {dc, "all", 2}, {root, "self", 0}, {root, "all", 2},
	} {
		if got := of(tc.ref, tc.how); got != tc.want {
			t.Errorf("%s %s: got %d events, want %d", tc.ref, tc.how, got, tc.want)
		}
	}
}

func newest[T types.BaseEvent](t *testing.T, c *govmomi.Client, name string) T {
	t.Helper()
	events := queryEvents(t, c, ofType(name))
	if len(events) == 0 {
		var none T
		t.Errorf("no %s", name)
		return none
	}
	e, _ := events[0].(T)
	return e
}

// "vSphere Web Services API": TaskEvent, VmRenamedEvent, EnteredMaintenanceModeEvent, HostDisconnectedEvent,
// ResourcePoolCreatedEvent and their like.
func TestEvents_ThatTasksLeave(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	finder := find.NewFinder(c.Client)
	vm := findVM(t, c, stockVM)
	run := func(task *object.Task, err error) {
		t.Helper()
		if err := finish(t, task, err); err != nil {
			t.Fatal(err)
		}
	}
	run(vm.CreateSnapshot(t.Context(), "base", "", false, false))
	if e := newest[*types.TaskEvent](t, c, "TaskEvent"); e == nil || e.Info.DescriptionId != "VirtualMachine.createSnapshot" || e.Vm == nil || e.Info.EntityName != "DC0_C0_RP0_VM0" {
		t.Errorf("got %+v, want the snapshot's task", e)
	}
	run(vm.Rename(t.Context(), "renamed"))
	if e := newest[*types.VmRenamedEvent](t, c, "VmRenamedEvent"); e == nil || e.OldName != "DC0_C0_RP0_VM0" || e.NewName != "renamed" {
		t.Errorf("got %+v, want the renaming", e)
	}
	host, err := finder.HostSystem(t.Context(), "/DC0/host/DC0_C0/DC0_C0_H0")
	if err != nil {
		t.Fatal(err)
	}
	run(host.EnterMaintenanceMode(t.Context(), 0, false, nil))
	run(host.ExitMaintenanceMode(t.Context(), 0))
	run(host.Disconnect(t.Context()))
	run(host.Reconnect(t.Context(), nil, nil))
	for _, name := range []string{"EnteredMaintenanceModeEvent", "ExitMaintenanceModeEvent", "HostDisconnectedEvent", "HostConnectedEvent"} {
		events := queryEvents(t, c, ofType(name))
		if len(events) != 1 || events[0].GetEvent().Host.Host != host.Reference() || events[0].GetEvent().FullFormattedMessage == "" {
			t.Errorf("%s: got %+v, want one about the host", name, events)
		}
	}
	parent, err := finder.ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := parent.Create(t.Context(), "dev", types.DefaultResourceConfigSpec())
	if err != nil {
		t.Fatal(err)
	}
	run(pool.Destroy(t.Context()))
	if e := newest[*types.ResourcePoolCreatedEvent](t, c, "ResourcePoolCreatedEvent"); e == nil || e.ResourcePool.Name != "dev" || e.ComputeResource == nil {
		t.Errorf("got %+v, want the new pool", e)
	}
	if e := newest[*types.ResourcePoolDestroyedEvent](t, c, "ResourcePoolDestroyedEvent"); e == nil || e.ResourcePool.Name != "dev" {
		t.Errorf("got %+v, want the pool that went", e)
	}
}

// "vSphere Web Services API": EventEx, AlarmStatusChangedEvent.
func TestEvents_ExtensionsAndAlarms(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	manager := event.NewManager(c.Client)
	vm := findVM(t, c, stockVM)
	if err := manager.PostEvent(t.Context(), &types.EventEx{EventTypeId: "com.example.hello", Message: "hello"}); err != nil {
		t.Fatal(err)
	}
	if e := newest[*types.EventEx](t, c, "com.example.hello"); e == nil || e.FullFormattedMessage != "hello" || e.ObjectType != "Folder" {
		t.Errorf("got %+v, want its message, about the root folder", e)
	}
	err := manager.PostEvent(t.Context(), &types.EventEx{EventTypeId: "com.example.hello", ObjectType: "VirtualMachine", ObjectId: "vm-0"})
	wantFault[*types.ManagedObjectNotFound](t, err)

	_, err = alarm.NewManager(c.Client).CreateAlarm(t.Context(), vm, &types.AlarmSpec{
		Name: "on fire", Enabled: true,
		Expression: &types.OrAlarmExpression{Expression: []types.BaseAlarmExpression{
			&types.EventAlarmExpression{EventType: "EventEx", EventTypeId: "com.example.fire", ObjectType: "VirtualMachine", Status: types.ManagedEntityStatusRed},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	fire := &types.EventEx{EventTypeId: "com.example.fire", ObjectType: "VirtualMachine", ObjectId: vm.Reference().Value}
	if err := manager.PostEvent(context.WithoutCancel(t.Context()), fire); err != nil {
		t.Fatal(err)
	}
	if e := newest[*types.AlarmStatusChangedEvent](t, c, "AlarmStatusChangedEvent"); e == nil || e.Alarm.Name != "on fire" || e.From != "green" || e.To != "red" ||
		e.Entity.Entity != vm.Reference() {
		t.Errorf("got %+v, want the alarm from green to red", e)
	}
}
