package guest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// mountGuest mounts the root and, as fstab says, what lies below it that a boot needs.
func (a *Appliance) mountGuest(ctx context.Context, in *inspected, found []candidate, root candidate) error {
	in.Type, in.Root, in.RootUUID = "linux", root.fs.Device, root.fs.UUID
	if err := a.mount(ctx, in, root.mount, "/"); err != nil {
		return err
	}
	text, err := a.readFile(ctx, "/etc/fstab", maxTreeContent)
	if err != nil && !errors.Is(err, sdk.ErrInvalid) {
		return err
	}
	in.fstab = parseFstab(string(text))
	for _, point := range []string{"/usr", "/boot", "/boot/efi", "/efi"} {
		i := slices.IndexFunc(in.fstab, func(e fstabEntry) bool { return e.Mount == point })
		if i < 0 {
			continue
		}
		fs, ok := in.names.resolve(in.fstab[i].Spec)
		if !ok || fs.Device == in.Root {
			continue
		}
		if err := a.mount(ctx, in, fs.Device, point); err != nil {
			return err
		}
	}
	return a.mountESP(ctx, in, found)
}

// mountESP makes sure that an EFI system partition is reachable although fstab does not name it, or not any more.
func (a *Appliance) mountESP(ctx context.Context, in *inspected, found []candidate) error {
	for _, c := range found {
		if c.kind != "esp" {
			continue
		}
		if point := in.mountOf(c.fs.Device); point != "" {
			in.esp = point
			return nil
		}
		for _, point := range []string{"/boot/efi", "/efi", "/boot"} {
			if _, taken := in.Mounts[point]; taken {
				continue
			}
			info, ok, err := a.stat(ctx, point)
			if err != nil {
				return err
			}
			if !ok || info.mode&modeType != modeDir {
				continue
			}
			in.esp = point
			return a.mount(ctx, in, c.fs.Device, point)
		}
	}
	return nil
}

func (in *inspected) mountOf(device string) string {
	for point, mounted := range in.Mounts {
		if mounted == device {
			return point
		}
	}
	return ""
}

func (a *Appliance) mount(ctx context.Context, in *inspected, device, point string) error {
	command := "mount"
	if a.readOnly {
		command = "mount-ro"
	}
	if _, err := a.try(ctx, command, device, point); err != nil {
		return fmt.Errorf("mount %s on %s: %w", device, point, err)
	}
	in.Mounts[point] = device
	return nil
}
