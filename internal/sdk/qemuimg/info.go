package qemuimg

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

const (
	tool = "qemu-img"
	// infoTimeout bounds the reading of a header: a hostile one can make it long.
	infoTimeout = time.Minute
)

// Image is what qemu-img info says.
type Image struct {
	Path          string
	Format        string
	VirtualBytes  int64
	ActualBytes   int64
	Backing       string // full path of the backing file; empty: none
	BackingFormat string // empty: not recorded
	DataFile      string // of a qcow2 that keeps its data elsewhere, as recorded; empty: none
	Compression   string // zlib or zstd for qcow2
}

// Info reads an image's header. Formats are never guessed for hostile images: format names it. A missing file is
// sdk.ErrNotFound; one that is not of the format is sdk.ErrInvalid. An image that a running guest has open can be read too.
func Info(ctx context.Context, path, format string) (*Image, error) {
	path, err := guard(path, format)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, infoTimeout)
	defer cancel()
	res, err := proc.Run(ctx, proc.Cmd{Name: tool, Args: []string{"info", "--output=json", "-U", "-f", format, path}})
	if err != nil {
		return nil, fmt.Errorf("read the header of %s: %w", path, foreign(err))
	}
	return parseInfo(path, res.Stdout)
}

func parseInfo(path string, data []byte) (*Image, error) {
	var info struct {
		Format        string `json:"format"`
		VirtualSize   int64  `json:"virtual-size"`
		ActualSize    int64  `json:"actual-size"`
		Backing       string `json:"backing-filename"`
		FullBacking   string `json:"full-backing-filename"`
		BackingFormat string `json:"backing-filename-format"`
		Specific      struct {
			Data struct {
				Compression string `json:"compression-type"`
				DataFile    string `json:"data-file"`
			} `json:"data"`
		} `json:"format-specific"`
	}
	if err := json.Unmarshal(data, &info); err != nil {
		return nil, fmt.Errorf("understand what qemu-img says of %s: %w", path, err)
	}
	img := &Image{
		Path: path, Format: info.Format, VirtualBytes: info.VirtualSize, ActualBytes: info.ActualSize,
		Backing: info.FullBacking, BackingFormat: info.BackingFormat,
		DataFile: info.Specific.Data.DataFile, Compression: info.Specific.Data.Compression,
	}
	if img.Backing == "" {
		img.Backing = info.Backing
	}
	return img, nil
}

// plain reads the header of an image that must stand on its own.
func plain(ctx context.Context, path, format string) (*Image, error) {
	img, err := Info(ctx, path, format)
	if err != nil {
		return nil, err
	}
	if img.Backing != "" {
		return nil, sdk.WithHint(sdk.Invalidf("image %s refers to the backing file %q where none is expected", path, img.Backing),
			"flatten the image first, or use the image that it refers to")
	}
	return img, noDataFile(img)
}

// layered reads the header of an image that may be an overlay. Every backing file below it must be a local file whose
// format is recorded.
func layered(ctx context.Context, path, format string) (*Image, error) {
	top, err := Info(ctx, path, format)
	if err != nil {
		return nil, err
	}
	img := top
	for depth := 0; ; depth++ {
		if err := noDataFile(img); err != nil {
			return nil, err
		}
		switch {
		case img.Backing == "":
			return top, nil
		case depth == maxDepth:
			return nil, sdk.Invalidf("image %s has more than %d backing files", path, maxDepth)
		case !filepath.IsAbs(img.Backing):
			return nil, sdk.Invalidf("image %s refers to the backing file %q, which is not a local file", img.Path, img.Backing)
		case img.BackingFormat == "":
			return nil, sdk.Invalidf("image %s does not record the format of its backing file %s", img.Path, img.Backing)
		}
		if img, err = Info(ctx, img.Backing, img.BackingFormat); err != nil {
			return nil, fmt.Errorf("backing file of %s: %w", path, err)
		}
	}
}

// maxDepth of a chain of overlays: ours have one.
const maxDepth = 8

func noDataFile(img *Image) error {
	if img.DataFile == "" {
		return nil
	}
	return sdk.Invalidf("image %s keeps its data in another file, %q, which is refused", img.Path, img.DataFile)
}
