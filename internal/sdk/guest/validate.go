package guest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Validate reads back, after Fix: that fstab and the bootloader name filesystems that exist, that each kernel's initramfs
// has the virtio drivers, that a UEFI guest has the fallback loader. What would keep the guest from booting is critical, unless
// FIX was told to leave it.
func (a *Appliance) Validate(ctx context.Context) ([]sdk.Finding, error) {
	if a.found == nil {
		return nil, fmt.Errorf("validate: %w", sdk.Conflictf("the guest has not been inspected"))
	}
	if a.found.Type != "linux" {
		return nil, nil
	}
	now := &inspected{names: a.found.names, esp: a.found.esp}
	now.Root, now.RootUUID = a.found.Root, a.found.RootUUID
	now.Filesystems, now.Mounts = a.found.Filesystems, maps.Clone(a.found.Mounts)
	if err := a.readGuest(ctx, now); err != nil {
		return nil, fmt.Errorf("validate: %w", err)
	}
	v := &verdict{in: now, spec: a.fixed}
	if v.spec == nil {
		v.spec = &FixSpec{Fstab: FstabNoop}
	}
	v.mounts()
	v.arguments()
	v.kernels()
	v.loader()
	return v.findings, nil
}

// verdict collects what Validate finds.
type verdict struct {
	in       *inspected
	spec     *FixSpec
	findings []sdk.Finding
}

// fail adds a finding that is critical where FIX was to see to it.
func (v *verdict) fail(ours bool, id, text, action string) {
	severity := sdk.Warning
	if ours {
		severity = sdk.Critical
	}
	v.findings = append(v.findings, sdk.Finding{ID: id, Severity: severity, Text: text, Action: action})
}

// pseudo are file systems without a device.
var pseudo = []string{"tmpfs", "proc", "sysfs", "devtmpfs", "devpts", "nfs", "nfs4", "cifs", "9p", "fuse", "none", "overlay", "iso9660", "udf", "auto"}

func (v *verdict) mounts() {
	for _, e := range v.in.fstab {
		optional := e.has("nofail") || e.has("noauto")
		if slices.Contains(pseudo, e.Type) || e.has("bind") || e.has("_netdev") || strings.HasPrefix(e.Type, "fuse.") {
			continue
		}
		if unstable(e.Spec) {
			v.fail(v.spec.Fstab == FstabStabilizeAll && !optional, "linux.fstab.unstable_names",
				fmt.Sprintf("fstab mounts %s on %s, a name that the new hardware does not have", clean(e.Spec), clean(e.Mount)),
				"Write the file system's UUID into the guest's fstab.")
			continue
		}
		if tag, _, ok := strings.Cut(e.Spec, "="); !ok || tag != "UUID" && tag != "LABEL" {
			continue
		}
		if _, ok := v.in.names.resolve(e.Spec); !ok {
			v.fail(v.spec.Fstab != FstabNoop && !optional, "linux.fstab.missing_device",
				fmt.Sprintf("fstab mounts %s on %s, which is on none of the disks", clean(e.Spec), clean(e.Mount)),
				"Check that all disks of the VM were listed.")
		}
	}
}

func (v *verdict) arguments() {
	seen := map[kernelArgument]bool{}
	for _, arg := range grubDevices(v.in.grub) {
		if seen[arg] {
			continue
		}
		seen[arg] = true
		_, known := v.in.names.resolve(strings.Trim(arg.Device, `"`))
		tag, _, tagged := strings.Cut(arg.Device, "=")
		isRoot := arg.Name == "root"
		switch {
		case unstable(arg.Device):
			v.fail(v.spec.Bootloader && isRoot, "linux.grub.unstable_root", fmt.Sprintf("the kernel command line has %s=%s", arg.Name, clean(arg.Device)),
				"Write the root's UUID into the guest's boot loader configuration.")
		case !known && tagged && (tag == "UUID" || tag == "LABEL"):
			v.fail(v.spec.Bootloader && isRoot, "linux.grub.missing_root",
				fmt.Sprintf("the kernel command line has %s=%s, which is on none of the disks", arg.Name, clean(arg.Device)), "Check that all disks were listed.")
		}
	}
}

func (v *verdict) kernels() {
	good := 0
	for _, k := range v.in.kernels {
		if k.InInitrd {
			good++
			continue
		}
		able := k.modules.has("virtio_blk") && k.modules.has("virtio_pci")
		text := fmt.Sprintf("the initramfs of kernel %s cannot find a virtio disk", k.Version)
		if k.problem != "" {
			text = k.problem
		}
		v.fail(v.spec.Initramfs && able, "linux.initramfs.no_virtio", text, "Rebuild it in the guest with the virtio drivers, or choose the engine virt-v2v.")
	}
	if good == 0 {
		v.fail(v.spec.Initramfs, "linux.kernel.none_boots", "no installed kernel can find a virtio disk",
			"Choose the engine virt-v2v, or install a kernel with virtio in the guest.")
	}
}

func (v *verdict) loader() {
	if v.in.Firmware == "uefi" && !v.in.espHas("efi/boot/bootx64") {
		v.fail(v.spec.Bootloader, "linux.uefi_fallback_missing", `the EFI system partition has no \EFI\BOOT\BOOTX64.EFI`,
			"Install the guest's boot loader to the removable media path.")
	}
}
