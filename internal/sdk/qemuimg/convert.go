package qemuimg

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// ConvertSpec asks for a conversion.
type ConvertSpec struct {
	Src, SrcFormat string
	Dst, DstFormat string
	Options        []string // -o, as name=value; a comma in a value is taken as it is
	Compress       bool     // qcow2 and vmdk only
}

// Validate says what cannot be right about the spec.
func (s ConvertSpec) Validate() error {
	if s.Src == "" || s.Dst == "" {
		return sdk.Invalidf("a conversion needs a source and a destination")
	}
	if err := checkFormat(s.Src, s.SrcFormat); err != nil {
		return err
	}
	if err := checkFormat(s.Dst, s.DstFormat); err != nil {
		return err
	}
	if s.Compress && s.DstFormat != "qcow2" && s.DstFormat != "vmdk" {
		return sdk.Invalidf("image %s: format %s cannot be compressed", s.Dst, s.DstFormat)
	}
	for _, o := range s.Options {
		name, _, ok := strings.Cut(o, "=")
		if !ok || name == "" {
			return sdk.Invalidf("image %s: option %q is not name=value", s.Dst, o)
		}
		if strings.HasPrefix(name, "backing") || strings.HasPrefix(name, "data_file") {
			return sdk.Invalidf("image %s: option %q would make it refer to another file", s.Dst, name)
		}
	}
	return nil
}

// Convert runs qemu-img convert to a temporary name beside Dst and renames. The source must stand on its own. Progress is in
// percent.
func Convert(ctx context.Context, spec ConvertSpec, report sdk.ProgressFunc) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	src, err := plain(ctx, spec.Src, spec.SrcFormat)
	if err != nil {
		return err
	}
	dst, err := filepath.Abs(spec.Dst)
	if err != nil {
		return fmt.Errorf("convert to %s: %w", spec.Dst, err)
	}
	p := newPercent(report)
	err = replace(dst, func(tmp string) error {
		_, err := proc.Run(ctx, proc.Cmd{Name: tool, Args: spec.args(src.Path, tmp), Line: p.line})
		return err
	})
	if err != nil {
		return fmt.Errorf("convert %s to %s: %w", spec.Src, spec.Dst, err)
	}
	p.finish()
	return nil
}

func (s ConvertSpec) args(src, dst string) []string {
	args := []string{"convert", "-p", "-f", s.SrcFormat, "-O", s.DstFormat}
	if s.Compress {
		args = append(args, "-c")
	}
	if s.Compress && s.DstFormat == "qcow2" {
		args = append(args, "-W") // clusters in any order, so that all cores compress
	}
	for _, o := range s.Options {
		args = append(args, "-o", strings.ReplaceAll(o, ",", ",,"))
	}
	return append(args, src, dst)
}
