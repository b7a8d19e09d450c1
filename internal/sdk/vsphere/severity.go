package vsphere

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// The severities of events: vCenter's own categories.
const (
	SeverityInfo    = "info"
	SeverityWarning = "warning"
	SeverityError   = "error"
	SeverityUser    = "user" // written by a person
)

// Severities are all of them, the mildest first.
func Severities() []string {
	return []string{SeverityInfo, SeverityUser, SeverityWarning, SeverityError}
}

// eventTypes is what a vCenter says about the types of its events.
type eventTypes struct {
	severity map[string]string // by type name or by the id inside an EventEx
}

// eventTypes asks the vCenter once in a session's life.
func (c *Client) eventTypes(ctx context.Context) (*eventTypes, error) {
	return c.known.get(ctx, "", func() (*eventTypes, error) {
		manager := *c.vim.ServiceContent.EventManager
		content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: manager}},
			[]types.PropertySpec{{Type: manager.Type, PathSet: []string{"description.eventInfo"}}})
		if err != nil {
			return nil, fmt.Errorf("read the types of events: %w", err)
		}
		object, err := find(content, manager)
		if err != nil {
			return nil, err
		}
		info, _ := properties(object)["description.eventInfo"].(types.ArrayOfEventDescriptionEventDetail)
		return newEventTypes(info.EventDescriptionEventDetail), nil
	})
}

// newEventTypes reads the description. The types behind EventEx share one key there; each has its id before a | in its format.
func newEventTypes(details []types.EventDescriptionEventDetail) *eventTypes {
	t := &eventTypes{severity: map[string]string{}}
	for _, d := range details {
		name := d.Key
		if name == "EventEx" || name == "ExtendedEvent" {
			if id, _, ok := strings.Cut(d.FullFormat, "|"); ok {
				name = id
			}
		}
		t.severity[name] = d.Category
	}
	return t
}

// of is the severity of an event: what it says itself, else the category of its type.
func (t *eventTypes) of(event types.BaseEvent) string {
	severity := t.severity[eventTypeName(event)]
	if ex, ok := event.(*types.EventEx); ok && ex.Severity != "" {
		severity = ex.Severity
	}
	if !slices.Contains(Severities(), severity) {
		return SeverityInfo
	}
	return severity
}

// eventTypeName is the id of an EventEx or ExtendedEvent, else the name of the type.
func eventTypeName(event types.BaseEvent) string {
	switch e := event.(type) {
	case *types.EventEx:
		if e.EventTypeId != "" {
			return e.EventTypeId
		}
	case *types.ExtendedEvent:
		if e.EventTypeId != "" {
			return e.EventTypeId
		}
	}
	return reflect.TypeOf(event).Elem().Name()
}

// expand turns the types asked for into what a filter matches, which are exact names: a base type (VmEvent, AlarmEvent) is all
// that derive from it. A name that there is not is sdk.ErrInvalid; an extension's own id (com.example.x) that resembles
// none is let through, since extensions need not describe theirs.
func (t *eventTypes) expand(wanted []string) ([]string, error) {
	names := map[string]bool{}
	for _, name := range wanted {
		typ, ok := types.TypeFunc()(name)
		if _, described := t.severity[name]; described || ok && isEvent(typ, "Event") {
			names[name] = true
			t.addDerived(names, name)
			continue
		}
		err := didYouMean(sdk.Invalidf("there is no event type %q", name), name, slices.Sorted(maps.Keys(t.severity)))
		near := len(sdk.Hints(err)) > 0
		if strings.Contains(name, ".") && !near {
			names[name] = true
			continue
		}
		if !near {
			err = sdk.WithHint(err, "types are named as vSphere does: VmPoweredOnEvent, HostConnectedEvent, AlarmStatusChangedEvent; VmEvent means all of VMs")
		}
		return nil, err
	}
	return slices.Sorted(maps.Keys(names)), nil
}

// addDerived adds the described types that derive from base.
func (t *eventTypes) addDerived(names map[string]bool, base string) {
	for name := range t.severity {
		if typ, ok := types.TypeFunc()(name); ok && isEvent(typ, base) {
			names[name] = true
		}
	}
}

// isEvent says whether a type is the named one or embeds it.
func isEvent(typ reflect.Type, base string) bool {
	for range 16 {
		if typ.Name() == base {
			return true
		}
		if typ.Kind() != reflect.Struct || typ.NumField() == 0 || !typ.Field(0).Anonymous {
			return false
		}
		typ = typ.Field(0).Type
	}
	return false
}

// families say what an event is about, by the type that its type derives from, the more special first.
var families = []struct{ base, family string }{
	{"AlarmEvent", "alarm"}, {"VmEvent", "vm"}, {"HostEvent", "host"}, {"ResourcePoolEvent", "resource_pool"}, {"ClusterEvent", "cluster"},
	{"DatacenterEvent", "datacenter"}, {"DvsEvent", "network"}, {"DVPortgroupEvent", "network"}, {"SessionEvent", "session"},
	{"TaskEvent", "task"}, {"ScheduledTaskEvent", "task"}, {"LicenseEvent", "license"}, {"AuthorizationEvent", "permission"},
	{"CustomFieldEvent", "custom_field"}, {"TemplateUpgradeEvent", "vm"},
}

// eventFamily of an event: vm, host, datastore, alarm, cluster, …; other when nothing tells.
func eventFamily(event types.BaseEvent) string {
	typ := reflect.TypeOf(event).Elem()
	if strings.Contains(typ.Name(), "Datastore") { // some derive from HostEvent
		return "datastore"
	}
	for _, f := range families {
		if isEvent(typ, f.base) {
			return f.family
		}
	}
	object := ""
	if ex, ok := event.(*types.EventEx); ok {
		object = ex.ObjectType
		if strings.Contains(strings.ToLower(ex.EventTypeId), "alarm") {
			return "alarm"
		}
	}
	switch object {
	case "VirtualMachine":
		return "vm"
	case "HostSystem":
		return "host"
	case "Datastore", "StoragePod":
		return "datastore"
	case "ClusterComputeResource", "ComputeResource":
		return "cluster"
	case "ResourcePool", "VirtualApp":
		return "resource_pool"
	case "Datacenter":
		return "datacenter"
	case "Network", "DistributedVirtualPortgroup", "DistributedVirtualSwitch", "VmwareDistributedVirtualSwitch":
		return "network"
	}
	return "other"
}
