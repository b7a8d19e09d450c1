package vsphere

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// setPlain puts into spec what of the settings is no device and differs from has.
func (s *VMSettings) setPlain(spec *types.VirtualMachineConfigSpec, has *types.VirtualMachineConfigInfo) error {
	if s.CPUs > 0 && int32(s.CPUs) != has.Hardware.NumCPU {
		spec.NumCPUs = int32(s.CPUs)
	}
	if cores := has.Hardware.NumCoresPerSocket; s.CoresPerSocket > 0 && (cores == nil || int32(s.CoresPerSocket) != *cores) {
		spec.NumCoresPerSocket = types.NewInt32(int32(s.CoresPerSocket))
	}
	if s.MemoryMB > 0 && int32(s.MemoryMB) != has.Hardware.MemoryMB {
		spec.MemoryMB = s.MemoryMB
	}
	if cpus, cores := int32(s.CPUs), has.Hardware.NumCoresPerSocket; cpus > 0 && s.CoresPerSocket == 0 && cores != nil && *cores > 0 && cpus%*cores != 0 {
		return sdk.WithHint(sdk.Invalidf("%d CPUs do not divide into its sockets of %d cores", cpus, *cores), "set the cores per socket too")
	}
	spec.CpuAllocation = s.CPUAllocation.changed(has.CpuAllocation)
	spec.MemoryAllocation = s.MemoryAllocation.changed(has.MemoryAllocation)
	if s.Annotation != nil && cmp.Or(*s.Annotation, clearedAnnotation) != cmp.Or(has.Annotation, clearedAnnotation) {
		spec.Annotation = cmp.Or(*s.Annotation, clearedAnnotation)
	}
	spec.ExtraConfig = changedOptions(s.ExtraConfig, has.ExtraConfig)
	return s.setVApp(spec, has)
}

// changed is what to send so that an allocation becomes as asked; nil when it is.
func (a *VMAllocation) changed(base *types.ResourceAllocationInfo) *types.ResourceAllocationInfo {
	if a == nil {
		return nil
	}
	has := types.ResourceAllocationInfo{}
	if base != nil {
		has = *base
	}
	send, differs := has, false // the whole claim: what is not in it need not be left alone
	if a.Reservation != nil && (has.Reservation == nil || *has.Reservation != *a.Reservation) {
		send.Reservation, differs = a.Reservation, true
	}
	if a.Limit != nil && (has.Limit == nil || *has.Limit != *a.Limit) {
		send.Limit, differs = a.Limit, true
	}
	if a.Shares != "" {
		custom := a.Shares == string(types.SharesLevelCustom)
		if has.Shares == nil || string(has.Shares.Level) != a.Shares || custom && has.Shares.Shares != a.ShareCount {
			send.Shares, differs = &types.SharesInfo{Level: types.SharesLevel(a.Shares)}, true
			if custom {
				send.Shares.Shares = a.ShareCount
			}
		}
	}
	if !differs {
		return nil
	}
	return &send
}

// changedOptions is what to send so that the keys have the values asked; an empty value takes the key away.
func changedOptions(want map[string]string, has []types.BaseOptionValue) []types.BaseOptionValue {
	known := optionMap(has)
	var changed []types.BaseOptionValue
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := known[key]; value != want[key] || !ok && want[key] != "" {
			changed = append(changed, &types.OptionValue{Key: key, Value: want[key]})
		}
	}
	return changed
}

// optionMap writes options as strings, as vCenter's own client shows them.
func optionMap(options []types.BaseOptionValue) map[string]string {
	values := make(map[string]string, len(options))
	for _, option := range options {
		if option != nil {
			o := option.GetOptionValue()
			values[o.Key] = fmt.Sprint(o.Value)
		}
	}
	return values
}

// setVApp sends the vApp properties that differ. Each is sent whole, since a part of one may be taken for a reset of the rest.
func (s *VMSettings) setVApp(spec *types.VirtualMachineConfigSpec, has *types.VirtualMachineConfigInfo) error {
	if len(s.VAppProperties) == 0 {
		return nil
	}
	var properties []types.VAppPropertyInfo
	if has.VAppConfig != nil {
		properties = has.VAppConfig.GetVmConfigInfo().Property
	}
	change := &types.VmConfigSpec{}
	for _, id := range slices.Sorted(maps.Keys(s.VAppProperties)) {
		i := slices.IndexFunc(properties, func(p types.VAppPropertyInfo) bool { return propertyID(p) == id })
		if i < 0 {
			var ids []string
			for _, p := range properties {
				ids = append(ids, propertyID(p))
			}
			return didYouMean(sdk.Invalidf("the source defines no vApp property %q", id), id, ids)
		}
		if property := properties[i]; propertyValue(property) != s.VAppProperties[id] {
			property.Value = s.VAppProperties[id]
			change.Property = append(change.Property, types.VAppPropertySpec{
				ArrayUpdateSpec: types.ArrayUpdateSpec{Operation: types.ArrayUpdateOperationEdit}, Info: &property,
			})
		}
	}
	if len(change.Property) > 0 {
		spec.VAppConfig = change
	}
	return nil
}

// propertyID is a property's name in the OVF environment: class, id and instance (OvfManager, "vSphere Web Services API").
func propertyID(p types.VAppPropertyInfo) string {
	parts := slices.DeleteFunc([]string{p.ClassId, p.Id, p.InstanceId}, func(s string) bool { return s == "" })
	return strings.Join(parts, ".")
}

func propertyValue(p types.VAppPropertyInfo) string {
	if p.Value != "" {
		return p.Value
	}
	return p.DefaultValue
}
