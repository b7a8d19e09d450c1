package guest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// findings are what stands between this guest and a boot on virtio, before FIX.
func (in *inspected) findings() []sdk.Finding {
	var found []sdk.Finding
	add := func(id string, severity sdk.Severity, text, action string) {
		found = append(found, sdk.Finding{ID: id, Severity: severity, Text: text, Action: action})
	}
	if in.Family != familyDebian {
		add("guest.engine", sdk.Warning, fmt.Sprintf("%s (family %s) is not known to the built-in engine", in.Distro, in.Family),
			"Choose the engine virt-v2v or hyper2kvm.")
	}
	if names := in.unstableMounts(); len(names) > 0 {
		add("linux.fstab.unstable_names", sdk.Warning, "fstab names disks by "+strings.Join(names, ", "), "FIX writes UUIDs in their place.")
	}
	if args := in.unstableArguments(); len(args) > 0 {
		add("linux.grub.unstable_root", sdk.Warning, "the kernel command line has "+strings.Join(args, ", "), "FIX writes UUIDs in their place.")
	}
	for _, k := range in.kernels {
		if !k.InInitrd {
			add("linux.initramfs.no_virtio", sdk.Warning, fmt.Sprintf("the initramfs of kernel %s cannot find a virtio disk", k.Version),
				"FIX appends the drivers from the guest's own modules.")
		}
	}
	if len(in.kernels) == 0 {
		add("linux.kernel.none", sdk.Warning, "there is no kernel in /boot", "Check that the disk with /boot is among the VM's disks.")
	}
	if in.Firmware == "uefi" && !in.espHas("efi/boot/bootx64") {
		add("linux.uefi_fallback_missing", sdk.Warning, `the EFI system partition has no \EFI\BOOT\BOOTX64.EFI`, "FIX copies the distribution's loader there.")
	}
	if in.espHas("efi/linux/") {
		add("linux.uki", sdk.Critical, "the guest boots a unified kernel image, which cannot be extended",
			"Install the virtio drivers in the guest before the migration.")
	}
	for _, fs := range in.Filesystems {
		if fs.Type == "crypto_LUKS" {
			add("linux.luks", sdk.Warning, fs.Device+" is encrypted and stays as it is", "Check that the guest can still unlock it.")
		}
	}
	return found
}

// unstableMounts are fstab's devices that the new hardware names differently.
func (in *inspected) unstableMounts() []string {
	var names []string
	for _, e := range in.fstab {
		if unstable(e.Spec) && !e.has("noauto") {
			names = append(names, clean(e.Spec))
		}
	}
	return names
}

func (in *inspected) unstableArguments() []string {
	var args []string
	for _, arg := range grubDevices(in.grub) {
		text := arg.Name + "=" + clean(arg.Device)
		if unstable(arg.Device) && !slices.Contains(args, text) {
			args = append(args, text)
		}
	}
	return args
}
