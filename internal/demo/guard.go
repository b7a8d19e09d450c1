package demo

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// guard answers, with the fault that a vCenter has for them, the inputs that would kill the simulator's process, leak a lock
// that everyone then waits for, or compute for minutes.
func (v *VCenter) guard(ctx *simulator.Context, m *simulator.Method) types.BaseMethodFault {
	if fault := v.guardReferences(ctx, m); fault != nil {
		return fault
	}
	if fault := guardName(m); fault != nil {
		return fault
	}
	if fault := v.guardHeld(m); fault != nil {
		return fault
	}
	switch body := m.Body.(type) {
	case *types.CreateVM_Task:
		return v.guardConfig(&body.Config)
	case *types.CreateChildVM_Task:
		return v.guardConfig(&body.Config)
	case *types.RegisterVM_Task:
		return v.guardDatastorePath(body.Path)
	case *types.ImportVApp:
		if spec, ok := body.Spec.(*types.VirtualMachineImportSpec); ok {
			return v.guardConfig(&spec.ConfigSpec)
		}
	case *types.ReconfigVM_Task:
		if fault := v.guardReconfigure(ctx, body); fault != nil {
			return fault
		}
		return v.guardConfig(&body.Spec)
	case *types.CloneVM_Task:
		return v.guardClone(body)
	case *types.RelocateVM_Task:
		return v.guardDevices(body.Spec.DeviceChange)
	case *types.ResetVM_Task:
		return v.guardReset(body.This)
	case *types.Rename_Task:
		return v.guardRename(ctx, body)
	case *types.PowerOnVM_Task:
		if fault := v.guardTemplate(ctx, body.This); fault != nil {
			return fault
		}
		return v.guardAdmission(ctx, body.This)
	case *types.QueryPerf:
		return guardQueryPerf(body, v.opts.Clock())
	}
	return nil
}

// guardTask turns a panic in a task into the task's error. The simulator runs tasks in goroutines of their own, where a
// panic would end the process.
func guardTask(task *simulator.Task) {
	run := task.Execute
	if run == nil {
		return
	}
	task.Execute = func(t *simulator.Task) (result types.AnyType, fault types.BaseMethodFault) {
		defer func() {
			if p := recover(); p != nil {
				result, fault = nil, &types.SystemError{Reason: fmt.Sprintf("the simulator cannot do this: %v", p)}
			}
		}()
		return run(t)
	}
}

// guardReferences checks the references in the arguments: one that names nothing is ManagedObjectNotFound, one to the
// wrong type of object is InvalidArgument. Both are what vCenter answers for any method.
func (v *VCenter) guardReferences(ctx *simulator.Context, m *simulator.Method) types.BaseMethodFault {
	switch m.This.Type {
	case "PropertyCollector", "ViewManager", "ListView", "EventManager", "EventHistoryCollector", "TaskManager", "SessionManager":
		return nil // they check themselves, or mean objects that may be gone
	}
	var fault types.BaseMethodFault
	walkReferences(reflect.ValueOf(m.Body), "", 0, func(field string, ref types.ManagedObjectReference) {
		if fault == nil && field != "This" {
			fault = v.guardReference(ctx, field, ref)
		}
	})
	return fault
}

func (v *VCenter) guardReference(ctx *simulator.Context, field string, ref types.ManagedObjectReference) types.BaseMethodFault {
	found := v.registry.Get(ref) != nil
	if !found && ctx.Session != nil {
		found = ctx.Session.Get(ref) != nil
	}
	if !found {
		return &types.ManagedObjectNotFound{Obj: ref}
	}
	allowed := map[string][]string{
		"Pool": {"ResourcePool", "VirtualApp"}, "ResourcePool": {"ResourcePool", "VirtualApp"},
		"Host": {"HostSystem"}, "Datastore": {"Datastore", "StoragePod"}, "Folder": {"Folder", "StoragePod"},
	}[field]
	for _, t := range allowed {
		if ref.Type == t {
			return nil
		}
	}
	if allowed != nil {
		return &types.InvalidArgument{InvalidProperty: strings.ToLower(field[:1]) + field[1:]}
	}
	return nil
}

// walkReferences calls visit for each set reference inside a request, with the name of its field.
func walkReferences(val reflect.Value, field string, depth int, visit func(string, types.ManagedObjectReference)) {
	if depth > 32 {
		return
	}
	switch val.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !val.IsNil() {
			walkReferences(val.Elem(), field, depth+1, visit)
		}
	case reflect.Slice:
		if val.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range val.Len() {
			walkReferences(val.Index(i), field, depth+1, visit)
		}
	case reflect.Struct:
		if ref, ok := val.Interface().(types.ManagedObjectReference); ok {
			if ref.Value != "" {
				visit(field, ref)
			}
			return
		}
		for i := range val.NumField() {
			if f := val.Type().Field(i); f.IsExported() {
				walkReferences(val.Field(i), f.Name, depth+1, visit)
			}
		}
	default: // nothing else holds a reference
	}
}

// guardName refuses a new entity without a name, or with one of more than 80 characters, as vCenter does: InvalidName. The
// simulator takes the empty one and panics at the next look at its parent's children.
func guardName(m *simulator.Method) types.BaseMethodFault {
	var name string
	switch body := m.Body.(type) {
	case *types.CreateResourcePool:
		name = body.Name
	case *types.CreateVApp:
		name = body.Name
	case *types.CreateFolder:
		name = body.Name
	case *types.CreateCluster:
		name = body.Name
	case *types.CreateClusterEx:
		name = body.Name
	case *types.CreateDatacenter:
		name = body.Name
	case *types.CreateStoragePod:
		name = body.Name
	case *types.Rename_Task:
		name = body.NewName
	case *types.CloneVM_Task:
		name = body.Name
	case *types.CloneVApp_Task:
		name = body.Name
	default:
		return nil
	}
	return guardEntityName(name)
}

func guardEntityName(name string) types.BaseMethodFault {
	if strings.TrimSpace(name) == "" || len([]rune(name)) > 80 {
		return &types.InvalidName{Name: name}
	}
	return nil
}

// guardHeld refuses to change a VM under an open lease: TaskInProgress.
func (v *VCenter) guardHeld(m *simulator.Method) types.BaseMethodFault {
	switch m.Name {
	case "PowerOnVM_Task", "ReconfigVM_Task", "RelocateVM_Task", "Destroy_Task", "UnregisterVM", "RevertToCurrentSnapshot_Task", "MarkAsTemplate":
		if task := v.leases.holder(m.This); task != nil {
			return &types.TaskInProgress{Task: task.Self}
		}
	}
	return nil
}

// guardClone: the simulator can copy only flat disks, and panics in the task for any other.
func (v *VCenter) guardClone(body *types.CloneVM_Task) types.BaseMethodFault {
	vm, fault := v.vm(body.This)
	if fault != nil {
		return fault
	}
	for _, d := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil)) {
		if _, ok := d.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo); !ok {
			return new(types.NotSupported)
		}
	}
	if fault := v.guardDevices(body.Spec.Location.DeviceChange); fault != nil {
		return fault
	}
	if body.Spec.Config == nil {
		return nil
	}
	return v.guardConfig(body.Spec.Config)
}

// guardConfig checks what a VM's configuration names. RUN.* in extraConfig would make the simulator start containers on this
// machine.
func (v *VCenter) guardConfig(spec *types.VirtualMachineConfigSpec) types.BaseMethodFault {
	for _, o := range spec.ExtraConfig {
		if o != nil && strings.HasPrefix(strings.ToUpper(o.GetOptionValue().Key), "RUN.") {
			return &types.InvalidArgument{InvalidProperty: "spec.extraConfig"}
		}
	}
	if spec.Files != nil && spec.Files.VmPathName != "" {
		if fault := v.guardDatastorePath(spec.Files.VmPathName); fault != nil {
			return fault
		}
	}
	return v.guardDevices(spec.DeviceChange)
}

// guardDevices checks the datastores and networks that devices name.
func (v *VCenter) guardDevices(changes []types.BaseVirtualDeviceConfigSpec) types.BaseMethodFault {
	for i, change := range changes {
		invalid := &types.InvalidDeviceSpec{DeviceIndex: int32(i)}
		if change == nil || change.GetVirtualDeviceConfigSpec().Device == nil {
			return invalid
		}
		switch b := change.GetVirtualDeviceConfigSpec().Device.GetVirtualDevice().Backing.(type) {
		case *types.VirtualEthernetCardNetworkBackingInfo:
			dc, _ := v.registry.Any("Datacenter").(*simulator.Datacenter)
			if dc == nil || v.registry.FindByName(b.DeviceName, dc.Network) == nil {
				return invalid
			}
		case types.BaseVirtualDeviceFileBackingInfo:
			if name := b.GetVirtualDeviceFileBackingInfo().FileName; name != "" {
				if fault := v.guardDatastorePath(name); fault != nil {
					return fault
				}
			}
		}
	}
	return nil
}

func (v *VCenter) guardDatastorePath(name string) types.BaseMethodFault {
	var p object.DatastorePath
	if !p.FromString(name) || v.datastoreNamed(p.Datastore) == nil || strings.Contains(p.Path, "..") {
		return &types.InvalidDatastorePath{DatastorePath: name}
	}
	return nil
}

// guardQueryPerf bounds a query to what vCenter keeps: an hour of 20-second samples, a day of 5-minute samples, a week of
// half hours, a month of two hours, a year of days ("Data Collection Intervals", "vSphere Monitoring and Performance").
func guardQueryPerf(body *types.QueryPerf, now time.Time) types.BaseMethodFault {
	for i := range body.QuerySpec {
		q := &body.QuerySpec[i]
		if q.IntervalId < -1 || q.MaxSample < 0 {
			return &types.InvalidArgument{InvalidProperty: "querySpec"}
		}
		if q.EndTime == nil || q.EndTime.After(now) {
			q.EndTime = &now
		}
		oldest := now.Add(-kept(q.IntervalId))
		if q.StartTime == nil || q.StartTime.Before(oldest) {
			q.StartTime = &oldest
		}
		if q.StartTime.After(*q.EndTime) {
			return &types.InvalidArgument{InvalidProperty: "querySpec.startTime"}
		}
	}
	return nil
}

// kept is how long samples of an interval, in seconds, are kept.
func kept(interval int32) time.Duration {
	const day = 24 * time.Hour
	switch {
	case interval <= 20:
		return time.Hour
	case interval <= 300:
		return day
	case interval <= 1800:
		return 7 * day
	case interval <= 7200:
		return 31 * day
	}
	return 366 * day
}
