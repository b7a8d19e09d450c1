package preflight

import (
	"fmt"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
)

// maxVirtioBlk is how many virtio-blk disks fit beside the other devices on the PCI bus of a domain.
const maxVirtioBlk = 20

func poolInactive(in Input) []sdk.Finding {
	if in.Target == nil || in.Target.Pool == nil || in.Target.Pool.Active {
		return nil
	}
	return found("target.pool.inactive", sdk.Critical,
		fmt.Sprintf("storage pool %q at the target is not active", in.Target.Pool.Name),
		fmt.Sprintf("start it: virsh -c %s pool-start %s", in.Target.URI, in.Target.Pool.Name))
}

// poolType: images are files, so the pool must be a directory.
func poolType(in Input) []sdk.Finding {
	if in.Target == nil || in.Target.Pool == nil || slices.Contains([]string{"dir", "fs", "netfs"}, in.Target.Pool.Type) {
		return nil
	}
	return found("target.pool.type", sdk.Critical,
		fmt.Sprintf("storage pool %q is of type %q, which holds no image files", in.Target.Pool.Name, in.Target.Pool.Type),
		"name a pool of type dir, fs or netfs, or a directory instead of a pool")
}

// space: the directory's own answer counts before the pool's, which is as old as the pool's last refresh.
func space(in Input) []sdk.Finding {
	free, where := in.Plan.FreeBytes, in.Plan.Dir
	if free < 0 && in.Target != nil && in.Target.Pool != nil {
		free, where = in.Target.Pool.AvailableBytes, "storage pool "+in.Target.Pool.Name
	}
	if free < 0 || in.Plan.NeedBytes <= free {
		return nil
	}
	return found("target.space", sdk.Critical,
		fmt.Sprintf("%s has %s free, and up to %s are needed for images, kept files and overlays", where, size(free), size(in.Plan.NeedBytes)),
		fmt.Sprintf("free %s there, or choose another place", size(in.Plan.NeedBytes-free)))
}

// fileExists: a file that is not this job's own is never overwritten.
func fileExists(in Input) []sdk.Finding {
	return each(in.Plan.Existing, "target.file.exists", sdk.Critical, func(path string) string {
		return fmt.Sprintf("file %q exists already and is not this migration's", path)
	}, func(string) string { return "move it away, or choose another name or directory" })
}

func diskCount(in Input) []sdk.Finding {
	n := len(in.disks())
	virtio := len(in.Plan.Hardware) == 0 || slices.Contains(in.Plan.Hardware, libvirt.HardwareVirtio)
	if in.Target == nil || !virtio || n <= maxVirtioBlk {
		return nil
	}
	return found("target.disk.count", sdk.Warning,
		fmt.Sprintf("VM %q has %d disks, more than the %d that fit as virtio-blk: they will be on virtio-scsi, as /dev/sdX instead of /dev/vdX", in.VM.Name, n, maxVirtioBlk),
		"nothing, when the guest names its filesystems by UUID, as FIX sees to")
}
