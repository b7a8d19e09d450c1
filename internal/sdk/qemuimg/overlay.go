package qemuimg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// CreateOverlay makes a qcow2 whose backing file is base, and replaces an older overlay of that name. A relative base is
// recorded as it is and means relative to the overlay's directory, so that both can be moved together. The base must stand
// on its own.
func CreateOverlay(ctx context.Context, path, base, baseFormat string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("overlay %s: %w", path, err)
	}
	full := base
	if !filepath.IsAbs(base) {
		full = filepath.Join(filepath.Dir(path), base)
		base = "./" + filepath.Clean(base) // a colon in it would read as a protocol
	}
	if full == path {
		return sdk.Invalidf("overlay %s cannot be its own backing file", path)
	}
	if _, err := plain(ctx, full, baseFormat); err != nil {
		return fmt.Errorf("base of overlay %s: %w", path, err)
	}
	return createOverlay(ctx, path, base, baseFormat)
}

// StackOverlay makes a qcow2 over an overlay that CreateOverlay made, and replaces an older one of that name. The overlay's
// backing file must be base and base must stand on its own: an overlay that somebody pointed elsewhere is sdk.ErrInvalid.
func StackOverlay(ctx context.Context, path, overlay, base string) error {
	middle, err := layered(ctx, overlay, "qcow2")
	if err != nil {
		return fmt.Errorf("base of overlay %s: %w", path, err)
	}
	if middle.Backing != base {
		return sdk.Invalidf("overlay %s stands on %q, not on %q", overlay, middle.Backing, base)
	}
	if _, err := plain(ctx, base, middle.BackingFormat); err != nil {
		return fmt.Errorf("base of overlay %s: %w", overlay, err)
	}
	return createOverlay(ctx, path, middle.Path, "qcow2")
}

func createOverlay(ctx context.Context, path, base, baseFormat string) error {
	return replace(path, func(tmp string) error {
		_, err := proc.Run(ctx, proc.Cmd{Name: tool, Args: []string{
			"create", "-q", "-f", "qcow2", "-b", base, "-F", baseFormat, tmp,
		}})
		if err != nil {
			return fmt.Errorf("create overlay %s: %w", path, err)
		}
		return nil
	})
}

// Commit merges an overlay into its backing file and may be run again: the overlay stays as it is. Progress is in percent.
func Commit(ctx context.Context, overlay string, report sdk.ProgressFunc) error {
	top, err := layered(ctx, overlay, "qcow2")
	if err != nil {
		return err
	}
	if top.Backing == "" {
		return sdk.Invalidf("image %s has no backing file to commit into", overlay)
	}
	p := newPercent(report)
	_, err = proc.Run(ctx, proc.Cmd{
		Name: tool, Args: []string{"commit", "-p", "-d", "-f", "qcow2", top.Path}, Line: p.line,
	})
	if err != nil {
		return fmt.Errorf("commit %s into %s: %w", overlay, top.Backing, err)
	}
	if err := syncFile(top.Backing); err != nil {
		return fmt.Errorf("commit %s into %s: %w", overlay, top.Backing, err)
	}
	p.finish()
	return nil
}

// replace has write make a temporary file beside path and renames it, durably. On failure the old file is untouched and the
// temporary one removed.
func replace(path string, write func(tmp string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	tmp := f.Name()
	defer os.Remove(tmp) //nolint:errcheck // gone after the rename
	if err := f.Close(); err != nil {
		return err
	}
	if err := write(tmp); err != nil {
		return err
	}
	if err := syncFile(tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

// syncFile makes a file or a directory durable.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // read only
	return f.Sync()
}
