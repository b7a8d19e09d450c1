package vsphere

import (
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// The provisionings of a disk's file: thin grows as it is written, lazy is allocated and zeroed when written, eager is allocated and
// zeroed at once.
const (
	thinDisk  = "thin"
	lazyDisk  = "lazy"
	eagerDisk = "eager"
)

func provisioningOf(backing types.BaseVirtualDeviceBackingInfo) string {
	switch b := backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		switch {
		case isTrue(b.ThinProvisioned):
			return thinDisk
		case isTrue(b.EagerlyScrub):
			return eagerDisk
		}
		return lazyDisk
	case *types.VirtualDiskSeSparseBackingInfo, *types.VirtualDiskSparseVer2BackingInfo:
		return thinDisk
	}
	return ""
}

func setProvisioning(b *types.VirtualDiskFlatVer2BackingInfo, provisioning string) {
	b.ThinProvisioned = types.NewBool(provisioning == thinDisk)
	b.EagerlyScrub = types.NewBool(provisioning == eagerDisk)
}

func modeOf(backing types.BaseVirtualDeviceBackingInfo) string {
	switch b := backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		return b.DiskMode
	case *types.VirtualDiskSeSparseBackingInfo:
		return b.DiskMode
	case *types.VirtualDiskSparseVer2BackingInfo:
		return b.DiskMode
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		return b.DiskMode
	}
	return ""
}

// withMode copies a backing with another disk mode.
func withMode(backing types.BaseVirtualDeviceBackingInfo, mode string) (types.BaseVirtualDeviceBackingInfo, error) {
	switch b := backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		changed := *b
		changed.DiskMode = mode
		return &changed, nil
	case *types.VirtualDiskSeSparseBackingInfo:
		changed := *b
		changed.DiskMode = mode
		return &changed, nil
	case *types.VirtualDiskRawDiskMappingVer1BackingInfo:
		changed := *b
		changed.DiskMode = mode
		return &changed, nil
	}
	return nil, sdk.Conflictf("its mode cannot be changed: it is a %s", className(backing))
}

// parentOf is the file of the disk that this one holds the differences to; empty when it is whole.
func parentOf(backing types.BaseVirtualDeviceBackingInfo) string {
	switch b := backing.(type) {
	case *types.VirtualDiskFlatVer2BackingInfo:
		if b.Parent != nil {
			return b.Parent.FileName
		}
	case *types.VirtualDiskSeSparseBackingInfo:
		if b.Parent != nil {
			return b.Parent.FileName
		}
	case *types.VirtualDiskSparseVer2BackingInfo:
		if b.Parent != nil {
			return b.Parent.FileName
		}
	}
	return ""
}

func fileDatastore(backing types.BaseVirtualDeviceBackingInfo) *types.ManagedObjectReference {
	if file, ok := backing.(types.BaseVirtualDeviceFileBackingInfo); ok {
		return file.GetVirtualDeviceFileBackingInfo().Datastore
	}
	return nil
}

func isTrue(b *bool) bool { return b != nil && *b }
