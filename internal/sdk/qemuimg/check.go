package qemuimg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// Exit codes of qemu-img check.
const (
	checkCorrupt     = 2
	checkLeaks       = 3
	checkUnsupported = 63
)

// Check runs qemu-img check and is nil when the image is clean; otherwise sdk.ErrInvalid with the counts. A format without
// structure, such as raw, is clean when it can be opened.
func Check(ctx context.Context, path, format string) error {
	img, err := layered(ctx, path, format)
	if err != nil {
		return err
	}
	res, err := proc.Run(ctx, proc.Cmd{Name: tool, Args: []string{"check", "--output=json", "-f", format, img.Path}})
	if err == nil {
		return nil
	}
	var exit *proc.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("check %s: %w", path, err)
	}
	var found struct {
		Corruptions int64 `json:"corruptions"`
		Leaks       int64 `json:"leaks"`
		Errors      int64 `json:"check-errors"`
	}
	_ = json.Unmarshal(res.Stdout, &found) // the counts are only for the text
	switch exit.Code {
	case checkUnsupported:
		return nil
	case checkCorrupt:
		return sdk.WithHint(sdk.Invalidf("image %s is corrupt: %d errors, %d leaked clusters", path, found.Corruptions, found.Leaks),
			"make the image again; its data cannot be trusted")
	case checkLeaks:
		return sdk.WithHint(sdk.Invalidf("image %s has %d leaked clusters", path, found.Leaks),
			"its data is whole; qemu-img check -r leaks frees the space")
	}
	return fmt.Errorf("check %s (%d errors on the way): %w", path, found.Errors, foreign(err))
}

var mismatch = regexp.MustCompile(`offset (\d+)`)

// Compare is nil when both images have the same guest content; sdk.ErrConflict names the first offset that differs, or the
// sizes when those differ. Either image may be an overlay.
func Compare(ctx context.Context, a, aFormat, b, bFormat string) error {
	imgA, err := layered(ctx, a, aFormat)
	if err != nil {
		return err
	}
	imgB, err := layered(ctx, b, bFormat)
	if err != nil {
		return err
	}
	if imgA.VirtualBytes != imgB.VirtualBytes {
		return sdk.Conflictf("images %s and %s differ in size: %d and %d bytes", a, b, imgA.VirtualBytes, imgB.VirtualBytes)
	}
	res, err := proc.Run(ctx, proc.Cmd{Name: tool, Args: []string{"compare", "-f", aFormat, "-F", bFormat, imgA.Path, imgB.Path}})
	var exit *proc.ExitError
	if errors.As(err, &exit) && exit.Code == 1 {
		where := "at an offset that qemu-img does not name"
		if m := mismatch.FindSubmatch(res.Stdout); m != nil {
			where = fmt.Sprintf("at byte %s", m[1])
		}
		return sdk.Conflictf("images %s and %s differ %s", a, b, where)
	}
	if err != nil {
		return fmt.Errorf("compare %s with %s: %w", a, b, foreign(err))
	}
	return nil
}
