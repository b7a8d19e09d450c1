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

const (
	maxGrubCfg = 4 << 20
	maxKernels = 16
	maxIndex   = 32 << 20 // of one file of depmod's
)

// readBoot finds the boot loader, the kernels, their initramfs and modules.
func (a *Appliance) readBoot(ctx context.Context, in *inspected) error {
	boot, err := a.find(ctx, "/boot")
	if err != nil {
		return err
	}
	if err := a.readLoader(ctx, in, boot); err != nil {
		return err
	}
	return a.readKernels(ctx, in, boot)
}

func (a *Appliance) readLoader(ctx context.Context, in *inspected, boot []string) (err error) {
	for _, name := range []string{"grub/grub.cfg", "grub2/grub.cfg"} {
		if !slices.Contains(boot, name) {
			continue
		}
		in.grubCfg, in.Bootloader = "/boot/"+name, "grub2"
		text, err := a.readFile(ctx, in.grubCfg, maxGrubCfg)
		if err != nil {
			return err
		}
		in.grub = string(text)
	}
	entries := slices.ContainsFunc(boot, func(name string) bool {
		return strings.HasPrefix(name, "loader/entries/") && strings.HasSuffix(name, ".conf")
	})
	switch {
	case entries && in.Bootloader != "":
		in.Bootloader = "grub2-bls"
	case entries:
		in.Bootloader = "systemd-boot"
	case in.Bootloader == "" && (slices.Contains(boot, "extlinux/extlinux.conf") || slices.Contains(boot, "extlinux.conf")):
		in.Bootloader = "extlinux"
	case in.Bootloader == "":
		in.Bootloader = "unknown"
	}
	in.Firmware = "bios"
	if in.esp == "" {
		return nil
	}
	if in.espFiles, err = a.find(ctx, in.esp); err != nil {
		return err
	}
	if in.espHas("efi/") {
		in.Firmware = "uefi"
	}
	return nil
}

// espHas says whether a loader lies below a directory of the ESP; FAT knows no case.
func (in *inspected) espHas(below string) bool {
	return slices.ContainsFunc(in.espFiles, func(name string) bool {
		name = strings.ToLower(name)
		return strings.HasPrefix(name, below) && strings.HasSuffix(name, ".efi")
	})
}

func (a *Appliance) readKernels(ctx context.Context, in *inspected, boot []string) error {
	dir := "/lib/modules"
	if target, err := a.try(ctx, "readlink", "/lib"); err == nil && strings.Trim(target, "/\n") == "usr/lib" {
		dir = "/usr/lib/modules"
	} else if tolerate(err) != nil {
		return err
	}
	slices.Sort(boot)
	for _, name := range boot {
		version, ok := strings.CutPrefix(name, "vmlinuz-")
		if !ok || strings.Contains(version, "/") || version != clean(version) || len(in.kernels) == maxKernels {
			continue
		}
		k := &kernel{Kernel: Kernel{Version: version, Image: "/boot/" + name}}
		for _, ram := range []string{"initrd.img-" + version, "initramfs-" + version + ".img", "initrd-" + version} {
			if slices.Contains(boot, ram) {
				k.Initramfs = "/boot/" + ram
			}
		}
		if err := a.readKernel(ctx, k, path.Join(dir, version)); err != nil {
			return err
		}
		in.kernels = append(in.kernels, k)
		in.Kernels = append(in.Kernels, k.Kernel)
		if in.Arch == "" {
			in.Arch = archOf(version)
		}
	}
	return nil
}

// archOf reads the architecture off a kernel's version, as Debian, Fedora and SUSE write it; x86_64 where it says nothing,
// which is what vSphere runs.
func archOf(version string) string {
	if strings.HasSuffix(version, "arm64") || strings.HasSuffix(version, "aarch64") {
		return "aarch64"
	}
	if strings.HasSuffix(version, "686") || strings.HasSuffix(version, "686-pae") || strings.HasSuffix(version, "i386") {
		return "i386"
	}
	return "x86_64"
}

func (a *Appliance) readKernel(ctx context.Context, k *kernel, dir string) error {
	index := map[string][]byte{}
	info, ok, err := a.stat(ctx, dir)
	if err != nil {
		return err
	}
	if ok && info.mode&modeType == modeDir {
		files, err := a.readTree(ctx, dir, maxIndex, "*.ko*")
		if err != nil {
			return err
		}
		for name, f := range files {
			if strings.HasPrefix(name, "modules.") && !strings.Contains(name, "/") {
				index[name] = f.Data
			}
		}
	}
	k.modules = newKernelModules(k.Version, dir, index)
	k.Virtio = []string{}
	for _, name := range virtioDrivers {
		if k.modules.has(name) {
			k.Virtio = append(k.Virtio, name)
		}
	}
	return a.readInitramfs(ctx, k)
}

func (a *Appliance) readInitramfs(ctx context.Context, k *kernel) error {
	loaded := map[string]bool{}
	if k.Initramfs != "" {
		image, err := a.readFile(ctx, k.Initramfs, maxInitramfs)
		if err != nil && !errors.Is(err, sdk.ErrInvalid) {
			return err
		}
		if err == nil {
			k.size = len(image)
			k.ram, err = readInitramfs(image)
		}
		if err != nil {
			k.problem = fmt.Sprintf("%s: %v", k.Initramfs, err)
		}
		if k.ram != nil {
			loaded, _ = k.ram.modules(k.Version)
		}
	}
	k.InInitrd = true
	for _, name := range virtioDrivers[:2] {
		k.InInitrd = k.InInitrd && (loaded[name] || k.modules.builtin[name])
	}
	return nil
}
