package vsphere

import (
	"regexp"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// morefTypes says which type of object an id is of, by how vCenter begins it; the longer beginning comes first.
var morefTypes = []struct{ begin, typ string }{
	{"vm-", "VirtualMachine"},
	{"host-", "HostSystem"},
	{"domain-c", "ClusterComputeResource"},
	{"domain-s", "ComputeResource"},
	{"resgroup-v", "VirtualApp"},
	{"resgroup-", "ResourcePool"},
	{"group-p", "StoragePod"},
	{"group-", "Folder"},
	{"datacenter-", "Datacenter"},
	{"datastore-", "Datastore"},
	{"dvportgroup-", "DistributedVirtualPortgroup"},
	{"network-o", "OpaqueNetwork"},
	{"network-", "Network"},
	{"dvs-", "VmwareDistributedVirtualSwitch"},
	{"snapshot-", "VirtualMachineSnapshot"},
	{"task-", "Task"},
}

var (
	typedMoref = regexp.MustCompile(`^([A-Z][A-Za-z]+):([A-Za-z0-9-]+)$`)
	urnMoref   = regexp.MustCompile(`^urn:vmomi:([A-Z][A-Za-z]+):([A-Za-z0-9-]+)(?::[0-9A-Za-z-]+)?$`)
)

// ParseMoref reads a managed object reference without a call: the id alone (vm-42) where vCenter's naming tells the type,
// Type:id, or the URN that the vSphere Client shows.
func ParseMoref(text string) (types.ManagedObjectReference, error) {
	text = strings.TrimSpace(text)
	for _, pattern := range []*regexp.Regexp{urnMoref, typedMoref} {
		if m := pattern.FindStringSubmatch(text); m != nil {
			if known := morefType(m[2]); known != "" && known != m[1] {
				return types.ManagedObjectReference{}, sdk.Invalidf("%q contradicts itself: %s is the id of a %s", text, m[2], known)
			}
			return types.ManagedObjectReference{Type: m[1], Value: m[2]}, nil
		}
	}
	if typ := morefType(text); typ != "" {
		return types.ManagedObjectReference{Type: typ, Value: text}, nil
	}
	return types.ManagedObjectReference{}, sdk.WithHint(sdk.Invalidf("%q is not a managed object reference", text),
		"write it like vm-42, or with its type, like VirtualMachine:vm-42")
}

// morefType is the type of object that an id is of; empty when its form does not tell.
func morefType(id string) string {
	if !anyMoref.MatchString(id) || strings.Contains(id, ":") {
		return ""
	}
	for _, t := range morefTypes {
		if strings.HasPrefix(id, t.begin) {
			return t.typ
		}
	}
	return ""
}
