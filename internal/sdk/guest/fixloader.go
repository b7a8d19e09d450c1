package guest

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// fallbackLoader makes sure of \EFI\BOOT\BOOTX64.EFI: the boot entry that names the distribution's own loader lies in the
// firmware's memory, which stays behind.
func (f *fixer) fallbackLoader(ctx context.Context) error {
	if f.in.Firmware != "uefi" || f.in.espHas("efi/boot/bootx64") {
		return nil
	}
	has := func(name string) bool {
		return slices.ContainsFunc(f.in.espFiles, func(file string) bool { return strings.EqualFold(file, name) })
	}
	for _, vendor := range []string{"debian", "ubuntu"} {
		from := "EFI/" + vendor + "/"
		copies := [][2]string{{"shimx64.efi", "BOOTX64.EFI"}, {"grubx64.efi", "grubx64.efi"}, {"mmx64.efi", "mmx64.efi"}}
		if !has(from + "shimx64.efi") {
			copies = [][2]string{{"grubx64.efi", "BOOTX64.EFI"}}
		}
		if !has(from + "grubx64.efi") {
			continue
		}
		if err := f.copyLoader(ctx, from, copies, has); err != nil {
			return err
		}
		return nil
	}
	f.find("linux.uefi_fallback_missing", sdk.Critical, `the EFI system partition has no \EFI\BOOT\BOOTX64.EFI and no loader of Debian or Ubuntu to copy`,
		"Install the boot loader in the guest to the removable media path.")
	return nil
}

func (f *fixer) copyLoader(ctx context.Context, from string, copies [][2]string, has func(string) bool) error {
	calls := [][]string{{"mkdir-p", path.Join(f.in.esp, "EFI/BOOT")}}
	for _, c := range copies {
		if !has(from + c[0]) {
			continue
		}
		e := Edit{
			Path: path.Join(f.in.esp, "EFI/BOOT", c[1]), Action: "create", After: "copy of " + path.Join(f.in.esp, from, c[0]),
			Reason: "the firmware's boot entries stay behind; this is where it looks without one",
		}
		calls = append(calls, []string{"cp", path.Join(f.in.esp, from, c[0]), e.Path})
		if err := f.do(ctx, e, calls...); err != nil {
			return err
		}
		calls = nil
	}
	return nil
}
