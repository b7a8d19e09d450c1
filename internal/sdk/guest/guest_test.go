package guest

import (
	"context"
	"encoding/json"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
)

// overlay makes a qcow2 over a raw image.
func overlay(t *testing.T, base string) Disk {
	t.Helper()
	path := filepath.Join(t.TempDir(), "overlay.qcow2")
	out, err := exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", path).CombinedOutput()
	if err != nil {
		t.Fatalf("qemu-img create: %v: %s", err, out)
	}
	return Disk{Path: path, Format: "qcow2"}
}

func open(t *testing.T, disks ...Disk) *Appliance {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // which ends before the clean-up does
	a, err := Open(ctx, Spec{Disks: disks, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a
}

var everything = FixSpec{
	Bootloader: true, Initramfs: true, Network: true, VMwareTools: true,
	NICs: []NIC{{MAC: "00:50:56:00:00:01"}},
}

func TestFix_RealGuest(t *testing.T) {
	for firmware, root := range map[string]string{"bios": "/dev/sda1", "uefi": "/dev/sda2"} {
		t.Run(firmware, func(t *testing.T) { fixRealGuest(t, firmware, root) })
	}
}

func fixRealGuest(t *testing.T, firmware, root string) {
	need.Appliance(t)
	base := need.Guest(t, firmware)
	a := open(t, overlay(t, base))

	in, err := a.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := json.MarshalIndent(in, "", " ")
	t.Logf("inspection: %s", text)
	if in.Family != "debian" || in.Distro != "debian" || in.Root != root || in.Firmware != firmware || in.Hostname != "vmw-web01" ||
		in.InitTool != "initramfs-tools" || in.Bootloader != "grub2" || !in.VMwareTools || !slices.Equal(in.Network, []string{"ifupdown"}) {
		t.Errorf("inspection is wrong: %s", text)
	}
	if len(in.Kernels) != 1 || in.Kernels[0].InInitrd || !slices.Equal(in.Kernels[0].Virtio, virtioDrivers) {
		t.Errorf("kernels: %+v", in.Kernels)
	}

	before, err := a.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(before) == 0 {
		t.Error("validate finds nothing wrong before fix")
	}

	dry := everything
	dry.DryRun = true
	planned, err := a.Fix(t.Context(), dry, nil)
	if err != nil {
		t.Fatal(err)
	}
	done, err := a.Fix(t.Context(), everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ = json.MarshalIndent(done, "", " ")
	t.Logf("fix: %s", text)
	if got, want := paths(done), paths(planned); !slices.Equal(got, want) {
		t.Errorf("fix edited %q, the dry run said %q", got, want)
	}
	checkEdits(t, done, firmware)

	after, err := a.Validate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(after) != 0 {
		t.Errorf("validate after fix: %+v", after)
	}

	if _, err := a.Inspect(t.Context()); err != nil {
		t.Errorf("second inspect: %v", err)
	}
	again, err := a.Fix(t.Context(), everything, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Edits) != 0 {
		t.Errorf("a second fix edits again: %q", paths(again))
	}
}

func paths(r *FixResult) []string {
	var list []string
	for _, e := range r.Edits {
		list = append(list, e.Action+" "+e.Path)
	}
	return list
}

func checkEdits(t *testing.T, r *FixResult, firmware string) {
	t.Helper()
	want := []string{
		"modify /etc/fstab", "modify /boot/grub/grub.cfg", "modify /etc/default/grub", "remove /boot/grub/device.map",
		"create /etc/systemd/network/10-hypersdk-ens192.link", "modify /etc/initramfs-tools/modules",
		"link /etc/systemd/system/open-vm-tools.service",
	}
	if firmware == "uefi" {
		want = append(want, "create /boot/efi/EFI/BOOT/BOOTX64.EFI", "create /boot/efi/EFI/BOOT/grubx64.efi")
	}
	got := paths(r)
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("no edit %q in %q", w, got)
		}
	}
	if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "append /boot/initrd.img-") }) {
		t.Errorf("no initramfs was extended: %q", got)
	}
	for _, e := range r.Edits {
		if e.Reason == "" {
			t.Errorf("%s %s has no reason", e.Action, e.Path)
		}
	}
}
