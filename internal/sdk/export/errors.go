package export

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// ErrBusy marks a lease that the server refuses because another one, perhaps of a run that was killed, is open on the VM.
// Run waits for that one to end.
var ErrBusy = errors.New("another export holds the VM")

// isCut says whether a transfer ended for a reason that another one may not meet.
func isCut(err error) bool {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sdk.ErrUnavailable) || errors.Is(err, syscall.ECONNRESET) {
		return true
	}
	_, network := errors.AsType[net.Error](err)
	return network
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// explainFull says of a full target what is missing. It is called after the partial files are gone.
func explainFull(err error, path string, needed int64) error {
	if !isDiskFull(err) {
		return err
	}
	dir := filepath.Dir(path)
	err = sdk.Kind(sdk.ErrConflict, fmt.Errorf("write %s: %w", path, err))
	free, ferr := freeBytes(dir)
	if ferr != nil {
		return sdk.WithHint(err, "the disk may need %s; free space in %s", sdk.FormatBytes(needed), dir)
	}
	return sdk.WithHint(err, "the disk may need %s (%d bytes), %s has %s (%d bytes) free; free space and run again",
		sdk.FormatBytes(needed), needed, dir, sdk.FormatBytes(free), free)
}
