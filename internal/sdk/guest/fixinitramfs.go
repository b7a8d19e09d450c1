package guest

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const maxModule = 32 << 20

// initramfs appends to each kernel's image an archive with the virtio drivers, taken from the guest's own modules, and makes the
// guest's next rebuild keep them.
func (f *fixer) initramfs(ctx context.Context) error {
	for _, k := range f.in.kernels {
		if err := f.kernelInitramfs(ctx, k); err != nil {
			return fmt.Errorf("kernel %s: %w", k.Version, err)
		}
	}
	return f.nextRebuild(ctx)
}

func (f *fixer) kernelInitramfs(ctx context.Context, k *kernel) error {
	switch {
	case !k.modules.has("virtio_blk") || !k.modules.has("virtio_pci"):
		f.find("linux.kernel.no_virtio", sdk.Warning, fmt.Sprintf("kernel %s has no virtio drivers", k.Version),
			"Install a kernel with virtio, or let the boot fall back to other hardware.")
		return nil
	case k.Initramfs == "":
		if !k.InInitrd {
			f.find("linux.initramfs.missing", sdk.Warning, fmt.Sprintf("kernel %s has no initramfs and virtio is not built in", k.Version),
				"Make an initramfs in the guest.")
		}
		return nil
	case k.problem != "":
		f.find("linux.initramfs.unreadable", sdk.Warning, k.problem, "Choose the engine virt-v2v, or rebuild it in the guest with gzip or zstd.")
		return nil
	}
	config := f.initramfsConfig(k)
	if k.InInitrd && len(config) == 0 {
		return nil
	}
	files, added, err := f.initramfsModules(ctx, k)
	if err != nil {
		return err
	}
	files = append(files, config...)
	for _, p := range f.pins {
		name, text := linkFile(p)
		files = append(files, cpioFile{Name: "etc/systemd/network/" + name, Mode: modeRegular | 0o644, Data: []byte(text)})
	}
	return f.writeInitramfs(ctx, k, k.ram.withParents(files), added)
}

// initramfsConfig is the image's own configuration where it must change: the drivers to load, the device to resume from.
func (f *fixer) initramfsConfig(k *kernel) []cpioFile {
	var files []cpioFile
	put := func(name string, before, after []byte) {
		if string(before) != string(after) {
			files = append(files, cpioFile{Name: name, Mode: modeRegular | 0o644, Data: after})
		}
	}
	if f.in.InitTool == "dracut" {
		const list = "etc/modules-load.d/hypersdk-virtio.conf"
		if _, ok := k.ram.files[list]; !ok && !k.InInitrd {
			put(list, nil, mergeModuleList(nil, f.loadable(k)))
		}
		return files
	}
	if list := k.ram.files["conf/modules"].Data; !k.InInitrd {
		put("conf/modules", list, mergeModuleList(list, f.loadable(k)))
	}
	for name, file := range k.ram.files {
		if strings.HasPrefix(name, "conf/conf.d/") && file.Mode&modeType == modeRegular {
			after := rewriteResume(string(file.Data), func(device string) (string, bool) {
				if !unstable(device) {
					return "", false
				}
				return f.in.names.stable(device)
			})
			put(name, file.Data, []byte(after))
		}
	}
	slices.SortFunc(files, func(a, b cpioFile) int { return strings.Compare(a.Name, b.Name) })
	return files
}

// loadable are the virtio drivers that the kernel has as modules.
func (f *fixer) loadable(k *kernel) []string {
	return slices.DeleteFunc(slices.Clone(virtioDrivers), func(name string) bool {
		_, ok := k.modules.paths[name]
		return !ok
	})
}

// initramfsModules reads the drivers that the image does not have, and depmod's index of them all.
func (f *fixer) initramfsModules(ctx context.Context, k *kernel) (files []cpioFile, added []string, err error) {
	dir := path.Join(k.ram.libDir(), "modules", k.Version)
	present, suffixes := k.ram.modules(k.Version)
	for _, file := range k.modules.closure(append(slices.Clone(virtioDrivers), fallbackDrivers...)) {
		name, suffix, _ := moduleName(file)
		if present[name] {
			continue
		}
		if len(suffixes) > 0 && !slices.Contains(suffixes, suffix) {
			return nil, nil, sdk.WithHint(sdk.Invalidf("the initramfs holds %s files and /lib/modules %s files; one index cannot name both", suffixes[0], suffix),
				"rebuild the initramfs in the guest with the virtio drivers listed, or choose the engine virt-v2v")
		}
		data, err := f.a.readFile(ctx, path.Join(k.modules.dir, file), maxModule)
		if err != nil {
			return nil, nil, err
		}
		if data == nil {
			return nil, nil, sdk.Invalidf("modules.dep names %s, which is not there", file)
		}
		files = append(files, cpioFile{Name: path.Join(dir, file), Mode: modeRegular | 0o644, Data: data})
		added = append(added, name)
	}
	if len(added) == 0 {
		return nil, nil, nil
	}
	for name, data := range k.modules.index {
		if data != nil {
			files = append(files, cpioFile{Name: path.Join(dir, name), Mode: modeRegular | 0o644, Data: data})
		}
	}
	slices.SortFunc(files, func(a, b cpioFile) int { return strings.Compare(a.Name, b.Name) })
	return files, added, nil
}

func (f *fixer) writeInitramfs(ctx context.Context, k *kernel, files []cpioFile, added []string) error {
	size := k.size
	var image []byte
	if !k.ram.appendable() {
		old, err := f.a.readFile(ctx, k.Initramfs, maxInitramfs)
		if err != nil {
			return err
		}
		if image, err = rewriteLZ4(old, k.ram.segments); err != nil {
			return err
		}
		size = len(image)
	}
	more, err := segmentToAppend(size, files)
	if err != nil {
		return err
	}
	free, err := f.a.freeBytes(ctx, k.Initramfs)
	if err != nil {
		return err
	}
	if need := int64(len(more) + len(image)); free < need {
		return sdk.WithHint(sdk.Invalidf("disk.full: %s needs %d bytes more and its file system has %d", k.Initramfs, need, free),
			"free some space in the guest's /boot and migrate again")
	}
	action := "append"
	if image != nil {
		action = "modify"
	}
	f.record(Edit{
		Path: k.Initramfs, Action: action, Before: fmt.Sprintf("%d bytes", k.size),
		After:  fmt.Sprintf("%d bytes, with %s", size+len(more), strings.Join(added, ", ")),
		Reason: "the kernel needs the virtio drivers to find its root",
	})
	switch {
	case f.spec.DryRun:
		return nil
	case image != nil:
		return f.a.replaceFile(ctx, k.Initramfs, append(image, more...))
	}
	return f.a.appendFile(ctx, k.Initramfs, k.size, more)
}

// nextRebuild lists the drivers where the guest's own tool looks for them.
func (f *fixer) nextRebuild(ctx context.Context) error {
	const reason = "the guest's next rebuild of its initramfs keeps the drivers"
	if f.in.InitTool == "dracut" || f.in.etc.has("dracut.conf") {
		text := "add_drivers+=\" " + strings.Join(virtioDrivers, " ") + " \"\n"
		if err := f.create(ctx, "/etc/dracut.conf.d/hypersdk-virtio.conf", text, reason); err != nil {
			return err
		}
	}
	const list = "initramfs-tools/modules"
	if !f.in.etc.has(list) && f.in.InitTool != "initramfs-tools" {
		return nil
	}
	before := f.in.etc.text(list)
	return f.create(ctx, "/etc/"+list, string(mergeModuleList([]byte(before), virtioDrivers)), reason)
}
