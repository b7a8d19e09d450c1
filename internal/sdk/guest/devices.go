package guest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// deviceNames resolves the names that a guest gives to block devices into file systems of the appliance.
type deviceNames struct {
	filesystems []Filesystem
	disks       int // how many are attached
	first       int // the appliance's letter of the guest's first disk, 0 for sda
}

var (
	// diskName: sda1, hdb2, vdc, xvda3 by letter; nvme0n1p2 and mmcblk0p1 by number.
	diskName = regexp.MustCompile(`^/dev/(?:(?:s|h|v|xv)d([a-z]{1,2})([0-9]*)|nvme([0-9]+)n1(?:p([0-9]+))?)$`)
	// byPath: VMware's SCSI targets are in the order of the disks; target 7 is the controller's own.
	byPath = regexp.MustCompile(`^/dev/disk/by-path/[!-~]*-(?:scsi-[0-9]+:[0-9]+:([0-9]+):[0-9]+|ata-([0-9]+)(?:\.[0-9]+)?|nvme-([0-9]+))(?:-part([0-9]+))?$`)
)

// unstable says whether a name may mean another device, or none, once the guest's hardware changes.
func unstable(name string) bool {
	return diskName.MatchString(name) || strings.HasPrefix(name, "/dev/disk/by-path/") || strings.HasPrefix(name, "/dev/disk/by-id/")
}

func isByPath(name string) bool { return strings.HasPrefix(name, "/dev/disk/by-path/") }

// resolve returns the file system that a name of the guest means.
func (d deviceNames) resolve(name string) (Filesystem, bool) {
	kind, value, tagged := strings.Cut(name, "=")
	value = strings.Trim(value, `"`)
	switch {
	case tagged && kind == "UUID":
		return d.find(func(fs Filesystem) bool { return strings.EqualFold(fs.UUID, value) })
	case tagged && kind == "LABEL":
		return d.find(func(fs Filesystem) bool { return fs.Label == value })
	case tagged:
		return Filesystem{}, false
	}
	if uuid, ok := strings.CutPrefix(name, "/dev/disk/by-uuid/"); ok {
		return d.find(func(fs Filesystem) bool { return strings.EqualFold(fs.UUID, uuid) })
	}
	if label, ok := strings.CutPrefix(name, "/dev/disk/by-label/"); ok {
		return d.find(func(fs Filesystem) bool { return fs.Label == label })
	}
	device := name
	if disk, part, ok := diskAndPart(name); ok {
		if disk >= d.disks {
			return Filesystem{}, false
		}
		device = fmt.Sprintf("/dev/sd%s%s", letters(d.first+disk), part)
	} else if lv, ok := mapperName(name); ok {
		device = lv
	}
	return d.find(func(fs Filesystem) bool { return fs.Device == device })
}

func (d deviceNames) find(match func(Filesystem) bool) (Filesystem, bool) {
	var found []Filesystem
	for _, fs := range d.filesystems {
		if match(fs) {
			found = append(found, fs)
		}
	}
	if len(found) != 1 {
		return Filesystem{}, false
	}
	return found[0], true
}

// stable returns what to write in place of an unstable name: UUID=….
func (d deviceNames) stable(name string) (string, bool) {
	fs, ok := d.resolve(name)
	if !ok || !plainUUID.MatchString(fs.UUID) {
		return "", false
	}
	return "UUID=" + fs.UUID, true
}

// plainUUID bounds what is written into the guest's files: a UUID, or the shorter numbers of FAT and NTFS.
var plainUUID = regexp.MustCompile(`^[0-9A-Fa-f-]{4,40}$`)

// diskAndPart returns the index of the disk and the partition's number, empty for the whole disk.
func diskAndPart(name string) (disk int, part string, ok bool) {
	if m := diskName.FindStringSubmatch(name); m != nil {
		if m[1] != "" {
			return letterIndex(m[1]), m[2], true
		}
		disk, err := strconv.Atoi(m[3])
		return disk, m[4], err == nil
	}
	m := byPath.FindStringSubmatch(name)
	if m == nil {
		return 0, "", false
	}
	switch {
	case m[1] != "":
		disk, ok = number(m[1])
		if disk > 7 {
			disk--
		}
	case m[2] != "":
		disk, ok = number(m[2])
		disk--
	default:
		disk, ok = number(m[3])
		disk--
	}
	return disk, m[4], ok && disk >= 0
}

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// letterIndex counts a, b, … z, aa, ab from 0.
func letterIndex(s string) int {
	n := 0
	for _, c := range s {
		n = n*26 + int(c-'a') + 1
	}
	return n - 1
}

func letters(i int) string {
	if i < 26 {
		return string(rune('a' + i))
	}
	return letters(i/26-1) + letters(i%26)
}

// mapperName turns device-mapper's name of a logical volume into LVM's: /dev/mapper/vg--0-root is /dev/vg-0/root.
func mapperName(name string) (string, bool) {
	dm, ok := strings.CutPrefix(name, "/dev/mapper/")
	if !ok {
		return "", false
	}
	const doubled = "\x00"
	vg, lv, ok := strings.Cut(strings.ReplaceAll(dm, "--", doubled), "-")
	if !ok {
		return "", false
	}
	return "/dev/" + strings.ReplaceAll(vg, doubled, "-") + "/" + strings.ReplaceAll(lv, doubled, "-"), true
}
