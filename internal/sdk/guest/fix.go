package guest

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// fixer carries one run of Fix.
type fixer struct {
	a      *Appliance
	in     *inspected
	spec   FixSpec
	result FixResult
	pins   []iface
}

// Fix makes the guest boot on virtio hardware by plain edits; it runs no code of the guest. Inspect must have succeeded. A
// family it does not know is ErrInvalid with the engines that may. Progress is in percent. After an error the disks are
// half edited: throw the overlay away.
func (a *Appliance) Fix(ctx context.Context, spec FixSpec, report sdk.ProgressFunc) (*FixResult, error) {
	if err := a.fixable(&spec); err != nil {
		return nil, fmt.Errorf("fix: %w", err)
	}
	f := &fixer{a: a, in: a.found, spec: spec, result: FixResult{Edits: []Edit{}}}
	steps := []struct {
		what string
		on   bool
		do   func(context.Context) error
	}{
		{"fstab", spec.Fstab != FstabNoop, f.tables},
		{"boot loader", spec.Bootloader, f.bootloader},
		{"interface names", spec.Network, f.network},
		{"initramfs", spec.Initramfs, f.initramfs},
		{"VMware tools", spec.VMwareTools, f.tools},
		{"EFI", spec.Bootloader, f.fallbackLoader},
	}
	for i, step := range steps {
		report.Report(sdk.Progress{Done: int64(100 * i / len(steps)), Total: 100, Unit: "percent", Message: step.what})
		if !step.on {
			continue
		}
		start := time.Now()
		if err := step.do(ctx); err != nil {
			return nil, fmt.Errorf("fix %s: %w", step.what, err)
		}
		a.log.Debug("fix", "step", step.what, "took", time.Since(start))
	}
	if !spec.DryRun {
		a.fixed = &spec
	}
	report.Report(sdk.Progress{Status: sdk.Succeeded, Done: 100, Total: 100, Unit: "percent"})
	return &f.result, nil
}

func (a *Appliance) fixable(spec *FixSpec) error {
	if a.found == nil {
		return sdk.Conflictf("the guest has not been inspected")
	}
	if a.readOnly && !spec.DryRun {
		return sdk.Conflictf("the appliance is read-only")
	}
	switch spec.Fstab {
	case "":
		spec.Fstab = FstabStabilizeAll
	case FstabStabilizeAll, FstabByPathOnly, FstabNoop:
	default:
		return sdk.Invalidf("fstab %q is not %s, %s or %s", spec.Fstab, FstabStabilizeAll, FstabByPathOnly, FstabNoop)
	}
	in := a.found
	if in.Family != familyDebian {
		return sdk.WithHint(sdk.Invalidf("%s (family %s) is not known to the built-in engine, which fixes Debian and Ubuntu", in.Distro, in.Family),
			"the engines virt-v2v and hyper2kvm may know it")
	}
	if in.espHas("efi/linux/") {
		return sdk.WithHint(sdk.Invalidf("the guest boots a unified kernel image, whose initramfs is inside a signed file and cannot be extended"),
			"install the virtio drivers in the guest before the migration, then migrate with fix = false")
	}
	return nil
}

func (f *fixer) find(id string, severity sdk.Severity, text, action string) {
	f.result.Findings = append(f.result.Findings, sdk.Finding{ID: id, Severity: severity, Text: text, Action: action})
}

func (f *fixer) record(e Edit) { f.result.Edits = append(f.result.Edits, e) }

// rewrite replaces a text file when the text differs.
func (f *fixer) rewrite(ctx context.Context, name, before, after, reason string) error {
	if before == after {
		return nil
	}
	was, is := changedLines(before, after)
	f.record(Edit{Path: name, Action: "modify", Before: was, After: is, Reason: reason})
	if f.spec.DryRun {
		return nil
	}
	return f.a.replaceFile(ctx, name, []byte(after))
}

// create writes a file below /etc, unless it is there with this text.
func (f *fixer) create(ctx context.Context, name, text, reason string) error {
	below := strings.TrimPrefix(name, "/etc/")
	if f.in.etc.has(below) {
		return f.rewrite(ctx, name, f.in.etc.text(below), text, reason)
	}
	f.record(Edit{Path: name, Action: "create", After: text, Reason: reason})
	if f.spec.DryRun {
		return nil
	}
	return f.a.createFile(ctx, name, []byte(text))
}

func (f *fixer) do(ctx context.Context, e Edit, calls ...[]string) error {
	f.record(e)
	if f.spec.DryRun {
		return nil
	}
	for _, args := range calls {
		if _, err := f.a.call(ctx, args...); err != nil {
			return err
		}
	}
	return nil
}

// stable gives an unstable name its UUID; the root is known by what is in it, not by its name.
func (f *fixer) stable(device string, isRoot bool) (string, bool) {
	if !unstable(device) || (f.spec.Fstab == FstabByPathOnly && !isByPath(device)) {
		return "", false
	}
	if isRoot && plainUUID.MatchString(f.in.RootUUID) {
		return "UUID=" + f.in.RootUUID, true
	}
	stable, ok := f.in.names.stable(device)
	if !ok {
		f.find("linux.device.unresolved", sdk.Warning, fmt.Sprintf("%s names no file system on the disks", clean(device)),
			"Check where the guest uses it; it will not find the device.")
	}
	return stable, ok
}

// tables makes fstab, crypttab and initramfs-tools' resume device name file systems by UUID.
func (f *fixer) tables(ctx context.Context) error {
	etc := f.in.etc
	fstab := rewriteDevices(etc.text("fstab"), 0, func(fields []string) (string, bool) {
		return f.stable(fields[0], len(fields) > 1 && fields[1] == "/")
	})
	if err := f.rewrite(ctx, "/etc/fstab", etc.text("fstab"), fstab, "disk names change with the disk's bus; UUIDs do not"); err != nil {
		return err
	}
	crypttab := rewriteDevices(etc.text("crypttab"), 1, func(fields []string) (string, bool) { return f.stable(fields[1], false) })
	if err := f.rewrite(ctx, "/etc/crypttab", etc.text("crypttab"), crypttab, "disk names change with the disk's bus; UUIDs do not"); err != nil {
		return err
	}
	const resume = "initramfs-tools/conf.d/resume"
	text := rewriteResume(etc.text(resume), func(device string) (string, bool) { return f.stable(device, false) })
	return f.rewrite(ctx, "/etc/"+resume, etc.text(resume), text, "the boot would wait for a disk that has another name now")
}

// bootloader makes GRUB pass the root by UUID, now and after the guest's next update-grub.
func (f *fixer) bootloader(ctx context.Context) error {
	stable := func(argument, device string) (string, bool) {
		if !unstable(device) {
			return "", false
		}
		if argument == "root" && plainUUID.MatchString(f.in.RootUUID) {
			return "UUID=" + f.in.RootUUID, true
		}
		return f.in.names.stable(device)
	}
	if f.in.Bootloader != "grub2" {
		f.find("linux.bootloader.unknown", sdk.Warning, fmt.Sprintf("the boot loader is %s, which is not rewritten", f.in.Bootloader),
			"Check that its kernel command line names the root by UUID.")
	}
	if f.in.grubCfg != "" {
		after := rewriteGrubCfg(f.in.grub, stable)
		if err := f.rewrite(ctx, f.in.grubCfg, f.in.grub, after, "the kernel must find its root under the disk's new name"); err != nil {
			return err
		}
	}
	for _, name := range f.in.etc.names() {
		dir, base := path.Split(name)
		if name != "default/grub" && (dir != "default/grub.d/" || !strings.HasSuffix(base, ".cfg")) {
			continue
		}
		before := f.in.etc.text(name)
		if err := f.rewrite(ctx, "/etc/"+name, before, rewriteGrubDefault(before, stable), "the guest's next update-grub keeps it so"); err != nil {
			return err
		}
	}
	return f.deviceMap(ctx)
}

func (f *fixer) deviceMap(ctx context.Context) error {
	const name = "/boot/grub/device.map"
	data, err := f.a.readFile(ctx, name, 64<<10)
	if err != nil || data == nil {
		return err
	}
	return f.do(ctx, Edit{Path: name, Action: "remove", Before: string(data), Reason: "it names disks that are no more; GRUB finds them itself without it"},
		[]string{"rm", name})
}

// network pins the interface names of the guest's configuration to the source's addresses.
func (f *fixer) network(ctx context.Context) error {
	const rules = "udev/rules.d/70-persistent-net.rules"
	old := f.in.etc.text(rules)
	pins, unpinned := pin(f.in.ifaces, f.spec.NICs, persistentNames(old))
	f.pins = slices.DeleteFunc(pins, func(p iface) bool { return p.matched && (p.By == "netplan" || p.By == "networkd") })
	if len(unpinned) > 0 {
		f.find("guest.network.unpinned", sdk.Warning,
			fmt.Sprintf("the guest configures %s, for which the VM has no adapter left", strings.Join(unpinned, ", ")),
			"Check the guest's network after its first boot.")
	}
	if err := f.rewrite(ctx, "/etc/"+rules, old, dropPersistent(old, f.pins), "the rule gives this interface's name to another address"); err != nil {
		return err
	}
	for _, p := range f.pins {
		name, text := linkFile(p)
		reason := fmt.Sprintf("%s configures %s; on virtio the adapter would get another name", p.By, p.Name)
		if err := f.create(ctx, "/etc/systemd/network/"+name, text, reason); err != nil {
			return err
		}
	}
	return nil
}

// tools masks the services of VMware's tools; the package stays, because removing it from outside would damage dpkg's records.
func (f *fixer) tools(ctx context.Context) error {
	for _, unit := range f.in.units {
		name := "/etc/systemd/system/" + unit
		there, ok := f.in.etc["systemd/system/"+unit]
		if ok && there.Link == "/dev/null" {
			continue
		}
		if ok && there.Link == "" {
			f.find("guest.tools.kept", sdk.Info, name+" is the guest's own file; it is left as it is", "Disable VMware's tools in the guest.")
			continue
		}
		e := Edit{Path: name, Action: "link", Before: there.Link, After: "/dev/null", Reason: "VMware's tools have nothing to talk to on KVM"}
		if err := f.do(ctx, e, []string{"mkdir-p", path.Dir(name)}, []string{"ln-sf", "/dev/null", name}); err != nil {
			return err
		}
	}
	return nil
}

// changedLines are the lines that an edit takes out and puts in.
func changedLines(before, after string) (was, is string) {
	old, now := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(after))
	if len(old) == len(now) {
		var a, b []string
		for i := range old {
			if old[i] != now[i] {
				a, b = append(a, old[i]), append(b, now[i])
			}
		}
		return strings.Join(a, ""), strings.Join(b, "")
	}
	for len(old) > 0 && len(now) > 0 && old[0] == now[0] {
		old, now = old[1:], now[1:]
	}
	for len(old) > 0 && len(now) > 0 && old[len(old)-1] == now[len(now)-1] {
		old, now = old[:len(old)-1], now[:len(now)-1]
	}
	return strings.Join(old, ""), strings.Join(now, "")
}
