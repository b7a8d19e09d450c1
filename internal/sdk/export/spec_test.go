package export_test

import (
	"errors"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

func TestSpec_Validate(t *testing.T) {
	disk := export.DiskSpec{ID: "disk-0", Address: "scsi0:0", Path: "/x/disk-0.qcow2", Format: "qcow2"}
	other := export.DiskSpec{ID: "disk-1", Address: "scsi0:1", Path: "/x/disk-1.raw", Format: "raw"}
	with := func(change func(*export.Spec)) export.Spec {
		s := export.Spec{Name: "web", Dir: "/x", Disks: []export.DiskSpec{disk, other}}
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		spec export.Spec
		want error
	}{
		"as it is":               {with(func(*export.Spec) {}), nil},
		"no disk":                {with(func(s *export.Spec) { s.Disks = nil }), sdk.ErrInvalid},
		"id twice":               {with(func(s *export.Spec) { s.Disks[1].ID = "disk-0" }), sdk.ErrInvalid},
		"address twice":          {with(func(s *export.Spec) { s.Disks[1].Address = "scsi0:0" }), sdk.ErrInvalid},
		"path twice":             {with(func(s *export.Spec) { s.Disks[1].Path = "/x/./disk-0.qcow2" }), sdk.ErrInvalid},
		"id with a slash":        {with(func(s *export.Spec) { s.Disks[0].ID = "../disk" }), sdk.ErrInvalid},
		"no address":             {with(func(s *export.Spec) { s.Disks[0].Address = "" }), sdk.ErrInvalid},
		"unknown format":         {with(func(s *export.Spec) { s.Disks[0].Format = "vhd" }), sdk.ErrInvalid},
		"neither made nor kept":  {with(func(s *export.Spec) { s.Disks[0].Path = "" }), sdk.ErrInvalid},
		"only kept":              {with(func(s *export.Spec) { s.Disks[0].Path = ""; s.Disks[1].Path = ""; s.Keep = export.KeepOVA }), nil},
		"kept nowhere":           {with(func(s *export.Spec) { s.Keep = export.KeepVMDK; s.Dir = "" }), sdk.ErrInvalid},
		"name that is a path":    {with(func(s *export.Spec) { s.Keep = export.KeepOVF; s.Name = "../web" }), sdk.ErrInvalid},
		"unknown kept":           {with(func(s *export.Spec) { s.Keep = "vhd" }), sdk.ErrInvalid},
		"unknown compression":    {with(func(s *export.Spec) { s.Compression.Mode = "lzma" }), sdk.ErrInvalid},
		"deflate 10":             {with(func(s *export.Spec) { s.Compression = export.Compression{Mode: export.Deflate, Level: 10} }), sdk.ErrInvalid},
		"pass-through 3":         {with(func(s *export.Spec) { s.Compression.Level = 3 }), sdk.ErrInvalid},
		"raw cannot be deflated": {with(func(s *export.Spec) { s.Compression.Mode = export.Deflate }), sdk.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.spec.Validate(); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
