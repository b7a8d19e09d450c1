package preflight

import (
	"fmt"

	"github.com/dustin/go-humanize"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// maxDiskBytes is above vSphere's own limit of 62 TiB.
const maxDiskBytes = 64 << 40

// noDisk: without a disk there is nothing to export.
func noDisk(in Input) []sdk.Finding {
	if len(in.disks()) > 0 {
		return nil
	}
	text := fmt.Sprintf("VM %q has no disk", in.VM.Name)
	if n := len(in.VM.Disks); n > 0 {
		text = fmt.Sprintf("all %d disks of VM %q are left out", n, in.VM.Name)
	}
	return found("source.disk.none", sdk.Critical, text, "choose another VM, or leave at least one disk in")
}

// datastoreMissing: the bytes of the disk are out of reach.
func datastoreMissing(in Input) []sdk.Finding {
	return each(in.disks(), "source.datastore.missing", sdk.Critical, func(d vsphere.Disk) string {
		if d.Datastore != "" && d.DatastoreAccessible {
			return ""
		}
		return fmt.Sprintf("%s is on datastore %q, which is missing or not accessible", describe(d), d.Datastore)
	}, func(d vsphere.Disk) string { return "bring the datastore back, or " + skip(d) })
}

// diskCapacity: sizes that neither a disk nor our formats can have.
func diskCapacity(in Input) []sdk.Finding {
	return each(in.disks(), "source.disk.capacity.invalid", sdk.Critical, func(d vsphere.Disk) string {
		if n := d.CapacityBytes; n > 0 && n%512 == 0 && n <= maxDiskBytes {
			return ""
		}
		return fmt.Sprintf("%s has a capacity of %d bytes, want a positive multiple of 512 up to 64 TiB", describe(d), d.CapacityBytes)
	}, func(d vsphere.Disk) string { return "correct the disk's size in vSphere, or " + skip(d) })
}

// independentDisk: snapshots leave such a disk out. A persistent one is read like any other by a cold export. The guest's
// writes to a nonpersistent one are thrown away at power-off, which the domain would not do.
func independentDisk(in Input) []sdk.Finding {
	const id = "source.disk.independent"
	var findings []sdk.Finding
	for _, d := range in.disks() {
		switch d.Mode {
		case "independent_persistent":
			findings = append(findings, sdk.Finding{ID: id, Severity: sdk.Warning,
				Text:   describe(d) + " is independent: snapshots of the VM do not contain it",
				Action: "nothing for a cold migration, which reads the disk as it is now"})
		case "independent_nonpersistent", "nonpersistent":
			findings = append(findings, sdk.Finding{ID: id, Severity: sdk.Critical,
				Text:   describe(d) + " is nonpersistent: the guest's changes are thrown away at each power-off, in the domain they would stay",
				Action: "set its disk mode to dependent in vSphere once its content is what you want, or " + skip(d)})
		}
	}
	return findings
}

// rdmDisk: a raw device mapping is a LUN, not a file of the VM.
func rdmDisk(in Input) []sdk.Finding {
	return each(in.disks(), "source.disk.rdm", sdk.Critical, func(d vsphere.Disk) string {
		if !d.RDM {
			return ""
		}
		return describe(d) + " is a raw device mapping, which an export lease does not serve"
	}, func(d vsphere.Disk) string {
		return "copy it to a virtual disk (Storage vMotion with a new format), or attach the LUN to the KVM host and " + skip(d)
	})
}

// sharedDisk: another VM may be writing to it, and the copy would tear a cluster apart.
func sharedDisk(in Input) []sdk.Finding {
	return each(in.disks(), "source.disk.shared", sdk.Critical, func(d vsphere.Disk) string {
		if !d.Shared {
			return ""
		}
		return describe(d) + " can be shared with other VMs: a copy is consistent only when none of them writes"
	}, func(d vsphere.Disk) string {
		return "stop the cluster, end the sharing (multi-writer off, bus sharing none), or " + skip(d)
	})
}

func describe(d vsphere.Disk) string {
	return fmt.Sprintf("disk %s (%s, %s)", d.Address, d.Label, size(d.CapacityBytes))
}

func skip(d vsphere.Disk) string {
	return fmt.Sprintf("leave it out: target.disks = { %q = { skip = true } } (hyperexport --skip-disk %s)", d.Address, d.Address)
}

// size is a number of bytes for a person: 1.5 GiB.
func size(n int64) string { return humanize.IBytes(uint64(max(n, 0))) }
