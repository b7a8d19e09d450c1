package qemuimg

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Image is what qemu-img info says.
type Image struct {
	Path          string
	Format        string
	VirtualBytes  int64
	ActualBytes   int64
	Backing       string // full path of the backing file; empty: none
	BackingFormat string
	Compression   string // zlib or zstd for qcow2
}

// Info reads an image's header. Formats are never guessed for hostile images: format names it.
func Info(ctx context.Context, path, format string) (*Image, error) { panic("contract") }

// CreateOverlay makes a qcow2 whose backing file is base.
func CreateOverlay(ctx context.Context, path, base, baseFormat string) error { panic("contract") }

// Check runs qemu-img check and is nil when the image is clean; otherwise sdk.ErrInvalid with the counts.
func Check(ctx context.Context, path, format string) error { panic("contract") }

// Compare is nil when both images have the same guest content; sdk.ErrConflict names the first offset that differs.
func Compare(ctx context.Context, a, aFormat, b, bFormat string) error { panic("contract") }

// Commit merges an overlay into its backing file and may be run again. Progress is in percent.
func Commit(ctx context.Context, overlay string, report sdk.ProgressFunc) error { panic("contract") }

// ConvertSpec asks for a conversion.
type ConvertSpec struct {
	Src, SrcFormat string
	Dst, DstFormat string
	Options        []string // -o, as name=value
	Compress       bool
}

// Convert runs qemu-img convert to a temporary name beside Dst and renames.
func Convert(ctx context.Context, spec ConvertSpec, report sdk.ProgressFunc) error { panic("contract") }
