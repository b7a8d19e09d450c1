package guest

import (
	"context"
	"slices"
	"strings"
)

// maxDevices bounds how many block devices of a guest are looked at; each costs a call.
const maxDevices = 128

// rootMarks are paths that tell what a file system is; the pattern is the appliance's, the answer the guest's.
const rootMarks = "/{etc/os-release,usr/lib/os-release,etc/fstab,etc/passwd,etc/debian_version,etc/redhat-release,etc/alpine-release," +
	"Windows/System32,WINDOWS/system32,EFI,efi}"

// linuxFilesystems may hold the root of a Linux guest.
var linuxFilesystems = []string{"ext2", "ext3", "ext4", "xfs", "btrfs"}

// listFilesystems finds what is on the disks, logical volumes included.
func (a *Appliance) listFilesystems(ctx context.Context) ([]Filesystem, error) {
	disks, err := a.call(ctx, "list-devices")
	if err != nil {
		return nil, err
	}
	partitions, err := a.call(ctx, "list-partitions")
	if err != nil {
		return nil, err
	}
	devices := strings.Fields(partitions)
	for disk := range strings.FieldsSeq(disks) {
		if !slices.ContainsFunc(devices, func(p string) bool { return strings.HasPrefix(p, disk) }) {
			devices = append(devices, disk)
		}
	}
	found, err := a.identify(ctx, devices)
	if err != nil {
		return nil, err
	}
	var deeper []string
	for kind, command := range map[string]string{"LVM2_member": "lvs", "linux_raid_member": "list-md-devices"} {
		if !slices.ContainsFunc(found, func(fs Filesystem) bool { return fs.Type == kind }) {
			continue
		}
		out, err := a.try(ctx, command)
		if tolerate(err) != nil {
			return nil, err
		}
		deeper = append(deeper, strings.Fields(out)...)
	}
	slices.Sort(deeper)
	more, err := a.identify(ctx, deeper)
	return append(found, more...), err
}

// identify asks blkid about devices; those with nothing on them are left out.
func (a *Appliance) identify(ctx context.Context, devices []string) ([]Filesystem, error) {
	var found []Filesystem
	for _, device := range devices[:min(len(devices), maxDevices)] {
		out, err := a.try(ctx, "blkid", device)
		if err != nil {
			if err := tolerate(err); err != nil {
				return nil, err
			}
			continue
		}
		values := fields(out)
		if values["TYPE"] == "" {
			continue
		}
		found = append(found, Filesystem{
			Device: device, Type: clean(values["TYPE"]), UUID: clean(values["UUID"]), Label: clean(values["LABEL"]),
		})
	}
	return found, nil
}

// candidate is a file system that may be the root of a system, and what speaks for it.
type candidate struct {
	fs    Filesystem
	mount string // what to mount: the device, or a subvolume of it
	kind  string // linux, windows, esp
}

// candidates mounts each file system read-only and looks for what a root has.
func (a *Appliance) candidates(ctx context.Context, filesystems []Filesystem) ([]candidate, error) {
	var found []candidate
	for _, fs := range filesystems {
		mounts := []string{fs.Device}
		switch {
		case fs.Type == "btrfs":
			mounts = []string{fs.Device, "btrfsvol:" + fs.Device + "/@", "btrfsvol:" + fs.Device + "/root", "btrfsvol:" + fs.Device + "/@rootfs"}
		case fs.Type != "vfat" && fs.Type != "ntfs" && !slices.Contains(linuxFilesystems, fs.Type):
			continue
		}
		for _, mount := range mounts {
			kind, err := a.looksLike(ctx, mount)
			if err != nil {
				return nil, err
			}
			if kind != "" {
				found = append(found, candidate{fs: fs, mount: mount, kind: kind})
				break
			}
		}
	}
	return found, nil
}

func (a *Appliance) looksLike(ctx context.Context, mount string) (string, error) {
	if _, err := a.try(ctx, "mount-ro", mount, "/"); err != nil {
		return "", tolerate(err)
	}
	marks, err := a.glob(ctx, rootMarks)
	if err != nil {
		return "", err
	}
	if _, err := a.call(ctx, "umount-all"); err != nil {
		return "", err
	}
	has := func(name string) bool { return slices.Contains(marks, name) }
	switch {
	case has("/Windows/System32"), has("/WINDOWS/system32"):
		return "windows", nil
	case has("/etc/os-release"), has("/usr/lib/os-release"), has("/etc/redhat-release"), has("/etc/debian_version"),
		has("/etc/fstab") && has("/etc/passwd"):
		return "linux", nil
	case has("/EFI"), has("/efi"):
		return "esp", nil
	}
	return "", nil
}

// clean bounds a text of the guest that ends up in reports: printable, one line, not long.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, s)
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.ToValidUTF8(s, "")
}
