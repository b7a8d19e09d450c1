package guest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const familyDebian = "debian"

// inspected is what Inspect learned and FIX works on.
type inspected struct {
	Inspection
	names    deviceNames
	etc      tree
	fstab    []fstabEntry
	grubCfg  string // path
	grub     string // text of grub.cfg
	kernels  []*kernel
	units    []string // names of the VMware tools' services that are installed
	ifaces   []iface
	esp      string   // where the EFI system partition is mounted; empty: there is none
	espFiles []string // below it
}

// kernel is an installed kernel with what FIX needs of it.
type kernel struct {
	Kernel
	modules *kernelModules
	ram     *initramfs // nil: no initramfs, or unreadable
	size    int        // of the initramfs file
	problem string     // why the initramfs cannot be read
}

// Inspect finds out what the guest is. A guest that cannot be recognised is ErrInvalid with what was seen.
func (a *Appliance) Inspect(ctx context.Context) (*Inspection, error) {
	a.found, a.fixed = nil, nil
	if _, err := a.call(ctx, "umount-all"); err != nil {
		return nil, fmt.Errorf("inspect: %w", err)
	}
	filesystems, err := a.listFilesystems(ctx)
	if err != nil {
		return nil, fmt.Errorf("inspect: %w", err)
	}
	in, err := a.inspect(ctx, filesystems, deviceNames{filesystems: filesystems, disks: a.disks})
	if err != nil {
		return nil, fmt.Errorf("inspect: %w", err)
	}
	a.found = in
	found := in.Inspection
	return &found, nil
}

// inspect looks at some of the appliance's file systems as one guest, and leaves it mounted.
func (a *Appliance) inspect(ctx context.Context, filesystems []Filesystem, names deviceNames) (*inspected, error) {
	found, err := a.candidates(ctx, filesystems)
	if err != nil {
		return nil, err
	}
	in := &inspected{names: names}
	in.Filesystems = filesystems
	in.Mounts = map[string]string{}
	root := slices.IndexFunc(found, func(c candidate) bool { return c.kind == "linux" })
	if root < 0 {
		return in.notLinux(found)
	}
	if err := a.mountGuest(ctx, in, found, found[root]); err != nil {
		return nil, err
	}
	for _, c := range found[root+1:] {
		if c.kind == "linux" || c.kind == "windows" {
			in.find("guest.multiple_systems", sdk.Warning, fmt.Sprintf("%s holds a second system; %s was taken", c.fs.Device, in.Root),
				"Check that this is the system that boots.")
		}
	}
	if err := a.readGuest(ctx, in); err != nil {
		return nil, err
	}
	in.Findings = append(in.Findings, in.findings()...)
	return in, nil
}

func (in *inspected) find(id string, severity sdk.Severity, text, action string) {
	in.Findings = append(in.Findings, sdk.Finding{ID: id, Severity: severity, Text: text, Action: action})
}

// notLinux recognises Windows, and says of anything else what was seen.
func (in *inspected) notLinux(found []candidate) (*inspected, error) {
	for _, c := range found {
		if c.kind == "windows" {
			in.Type, in.Distro, in.Family, in.Product = "windows", "windows", "windows", "Windows"
			in.Root, in.RootUUID = c.fs.Device, c.fs.UUID
			in.find("guest.engine", sdk.Warning, "Windows needs drivers that the built-in engine does not bring", "Choose the engine virt-v2v with a virtio-win image.")
			return in, nil
		}
	}
	var seen []string
	for _, fs := range in.Filesystems {
		seen = append(seen, fs.Device+" "+fs.Type)
		if fs.Type == "crypto_LUKS" {
			return nil, sdk.WithHint(sdk.Invalidf("the guest's root is encrypted: %s is LUKS", fs.Device),
				"encrypted guests are not supported; migrate with fix = false when the initramfs has virtio drivers already")
		}
	}
	if len(seen) == 0 {
		seen = []string{"no file system"}
	}
	return nil, sdk.WithHint(sdk.Invalidf("no operating system is recognised on the disks; seen: %s", strings.Join(seen, ", ")),
		"check that all disks of the VM were listed, the boot disk first")
}

// readGuest reads all that the inspection and FIX decide from.
func (a *Appliance) readGuest(ctx context.Context, in *inspected) (err error) {
	if info, ok, err := a.stat(ctx, "/etc"); err != nil || !ok || info.mode&modeType != modeDir {
		return errors.Join(err, sdk.Invalidf("the guest's /etc is not a directory"))
	}
	if in.etc, err = a.readTree(ctx, "/etc", maxTreeContent, ""); err != nil {
		return err
	}
	in.fstab = parseFstab(in.etc.text("fstab"))
	if err := a.readRelease(ctx, in); err != nil {
		return err
	}
	if err := a.readBoot(ctx, in); err != nil {
		return err
	}
	if err := a.readServices(ctx, in); err != nil {
		return err
	}
	in.ifaces, in.Network = configuredInterfaces(in.etc)
	in.Hostname = clean(strings.TrimSpace(in.etc.text("hostname")))
	return nil
}

// toolUnits are the services of VMware's tools, open or not.
var toolUnits = []string{"open-vm-tools.service", "vmtoolsd.service", "vgauth.service", "vmware-tools.service", "vmware-tools-thinprint.service"}

func (a *Appliance) readServices(ctx context.Context, in *inspected) error {
	present, err := a.glob(ctx, "/{lib,usr/lib,etc}/systemd/system/{open-vm-tools,vmtoolsd,vgauth,vmware-tools,vmware-tools-thinprint}.service")
	if err != nil {
		return err
	}
	program, err := a.glob(ctx, "/usr/{bin/vmtoolsd,sbin/vmtoolsd,bin/dracut,sbin/update-initramfs,bin/mkinitcpio}")
	if err != nil {
		return err
	}
	for _, unit := range toolUnits {
		if slices.ContainsFunc(present, func(p string) bool { return path.Base(p) == unit }) || in.etc.has("init.d/"+strings.TrimSuffix(unit, ".service")) {
			in.units = append(in.units, unit)
		}
	}
	has := func(name string) bool {
		return slices.ContainsFunc(program, func(p string) bool { return path.Base(p) == name })
	}
	in.VMwareTools = has("vmtoolsd") || len(in.units) > 0
	in.InitTool = "none"
	for _, tool := range []struct{ program, name string }{
		{"mkinitcpio", "mkinitcpio"}, {"dracut", "dracut"}, {"update-initramfs", "initramfs-tools"},
	} {
		if has(tool.program) {
			in.InitTool = tool.name
		}
	}
	return nil
}
