package qemuimg

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

var formats = []string{"raw", "qcow2", "vmdk", "vdi", "vhdx", "vpc"}

// magics are the first bytes of the formats that have some. A VMDK must be a sparse extent: a text descriptor names
// other files, which a hostile one could choose.
var magics = map[string]string{"qcow2": "QFI\xfb", "vmdk": "KDMV", "vhdx": "vhdxfile"}

// guard returns the absolute path of an existing image that can be handed to qemu-img as format.
func guard(path, format string) (string, error) {
	if err := checkFormat(path, format); err != nil {
		return "", err
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("image %s: %w", path, err)
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", sdk.NotFoundf("image %s does not exist", path)
	case err != nil:
		return "", fmt.Errorf("image %s: %w", path, err)
	case !st.Mode().IsRegular() && st.Mode().Type() != os.ModeDevice:
		return "", sdk.Invalidf("image %s is neither a file nor a block device", path)
	}
	return path, checkMagic(path, format)
}

func checkFormat(path, format string) error {
	if !slices.Contains(formats, format) {
		return sdk.Invalidf("image %s: format %q is not one of %s; formats are never guessed", path, format, strings.Join(formats, ", "))
	}
	return nil
}

func checkMagic(path, format string) error {
	want, ok := magics[format]
	if !ok {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("image %s: %w", path, err)
	}
	defer f.Close() //nolint:errcheck // read only
	got := make([]byte, len(want))
	if n, err := io.ReadFull(f, got); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("image %s: %w", path, err)
	} else if string(got[:n]) != want {
		return sdk.Invalidf("image %s does not begin like %s", path, format)
	}
	return nil
}

// foreign attaches the kind to an error of qemu-img: an exit code other than 0 of a verb that only reads means that the
// image is not what it was said to be.
func foreign(err error) error {
	var exit *proc.ExitError
	if errors.As(err, &exit) && exit.Signal == "" {
		return sdk.Kind(sdk.ErrInvalid, err)
	}
	return err
}
