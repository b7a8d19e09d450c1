package qemuimg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestConvert(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	src := filepath.Join(dir, "src.raw")
	write(t, src, 4<<20, "hello", 1<<20)
	tests := []ConvertSpec{
		{DstFormat: "qcow2"},
		{DstFormat: "qcow2", Compress: true, Options: []string{"compression_type=zstd", "cluster_size=131072"}},
		{DstFormat: "vmdk", Compress: true, Options: []string{"subformat=streamOptimized"}},
		{DstFormat: "raw"},
	}
	for _, spec := range tests {
		spec.Src, spec.SrcFormat, spec.Dst = src, "raw", filepath.Join(t.TempDir(), "out")
		var last sdk.Progress
		if err := Convert(t.Context(), spec, func(p sdk.Progress) { last = p }); err != nil {
			t.Errorf("%+v: %v", spec, err)
			continue
		}
		if last.Done != 100 {
			t.Errorf("%+v: last progress %+v, want 100", spec, last)
		}
		if err := Compare(t.Context(), src, "raw", spec.Dst, spec.DstFormat); err != nil {
			t.Errorf("%+v: %v", spec, err)
		}
		if names := entries(t, filepath.Dir(spec.Dst)); len(names) != 1 {
			t.Errorf("%+v: left %v, want only the image", spec, names)
		}
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(found))
	for i, e := range found {
		names[i] = e.Name()
	}
	return names
}

func TestConvert_FailureKeepsOldFile(t *testing.T) {
	need.Tools(t, "qemu-img")
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src.raw"), filepath.Join(dir, "dst.qcow2")
	write(t, src, 1<<20, "x", 0)
	if err := os.WriteFile(dst, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		opts []string
		want error
	}{
		{"canceled", canceled, nil, context.Canceled},
		{"unknown option", t.Context(), []string{"flavour=sweet"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := Convert(tt.ctx, ConvertSpec{Src: src, SrcFormat: "raw", Dst: dst, DstFormat: "qcow2", Options: tt.opts}, nil)
			if err == nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if got, err := os.ReadFile(dst); err != nil || string(got) != "old" {
				t.Errorf("destination is %q, %v; want the old one", got, err)
			}
			if names := entries(t, dir); len(names) != 2 {
				t.Errorf("left %v, want two files", names)
			}
		})
	}
}

func TestConvertSpec_Validate(t *testing.T) {
	good := ConvertSpec{Src: "a", SrcFormat: "raw", Dst: "b", DstFormat: "qcow2"}
	with := func(change func(*ConvertSpec)) ConvertSpec {
		s := good
		change(&s)
		return s
	}
	tests := []struct {
		name string
		spec ConvertSpec
		ok   bool
	}{
		{"good", good, true},
		{"good option", with(func(s *ConvertSpec) { s.Options = []string{"preallocation=off"} }), true},
		{"no source", with(func(s *ConvertSpec) { s.Src = "" }), false},
		{"no destination", with(func(s *ConvertSpec) { s.Dst = "" }), false},
		{"guessed source format", with(func(s *ConvertSpec) { s.SrcFormat = "" }), false},
		{"no destination format", with(func(s *ConvertSpec) { s.DstFormat = "" }), false},
		{"raw cannot be compressed", with(func(s *ConvertSpec) { s.Compress, s.DstFormat = true, "raw" }), false},
		{"option without a value", with(func(s *ConvertSpec) { s.Options = []string{"compat"} }), false},
		{"backing file", with(func(s *ConvertSpec) { s.Options = []string{"backing_file=/etc/passwd"} }), false},
		{"data file", with(func(s *ConvertSpec) { s.Options = []string{"data_file=/etc/passwd"} }), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.spec.Validate(); (err == nil) != tt.ok || err != nil && !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want ok %v", err, tt.ok)
			}
		})
	}
}

func TestPercent(t *testing.T) {
	var got []int64
	p := newPercent(func(r sdk.Progress) { got = append(got, r.Done) })
	for _, line := range []string{"    (0.00/100%)", "    (0.99/100%)", "    (12.50/100%)", "junk (3.0/100%) junk", "    (7.00/100%)", "    (100.00/100%)"} {
		p.line(line)
	}
	p.finish()
	if len(got) != 3 || got[0] != 0 || got[1] != 12 || got[2] != 100 {
		t.Errorf("got %v, want [0 12 100]", got)
	}
}
