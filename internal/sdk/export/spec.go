package export

import (
	"path/filepath"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	defaultParallel = 4
	defaultAttempts = 5
	maxName         = 80 // keeps every member's name in one tar header
)

// Keep says what is kept as the server served it.
type Keep string

// What can be kept beside, or instead of, the converted disks.
const (
	KeepNothing Keep = ""
	KeepVMDK    Keep = "vmdk" // one streamOptimized VMDK a disk
	KeepOVF     Keep = "ovf"  // the VMDKs, the OVF descriptor and its .mf
	KeepOVA     Keep = "ova"  // one tar of those, OVF first
)

// Compression of the converted qcow2 disks.
type Compression struct {
	Mode  CompressionMode `json:"mode"`
	Level int             `json:"level,omitempty"` // deflate 1–9, zstd 1–19; 0: the mode's default (6, 3)
}

// CompressionMode selects how clusters are stored.
type CompressionMode string

// The modes. PassThrough keeps the deflate streams the server made.
const (
	PassThrough  CompressionMode = "pass-through"
	Uncompressed CompressionMode = "none"
	Deflate      CompressionMode = "deflate"
	Zstd         CompressionMode = "zstd"
)

// DiskSpec asks for one disk.
type DiskSpec struct {
	ID      string `json:"id"`      // disk-0, disk-1, … in boot order
	Address string `json:"address"` // on the source
	Path    string `json:"path"`    // where the converted image goes; empty: not converted, only kept
	Format  string `json:"format"`  // of Path: qcow2 or raw
}

// Spec asks for an export.
type Spec struct {
	Name        string      `json:"name"` // base name of kept files
	Dir         string      `json:"dir"`  // where kept files go
	Disks       []DiskSpec  `json:"disks"`
	Keep        Keep        `json:"keep,omitempty"`
	Compression Compression `json:"compression"`
	Verify      bool        `json:"verify"`             // inflate every grain and check its Adler-32
	Checksum    bool        `json:"checksum"`           // SHA-256 of every file made
	Parallel    int         `json:"parallel,omitempty"` // disks at once; 0: 4
	Attempts    int         `json:"attempts,omitempty"` // tries a disk before giving up; 0: 5
}

// Validate says what cannot be right about the spec.
func (s Spec) Validate() error {
	if len(s.Disks) == 0 {
		return sdk.Invalidf("no disk to export")
	}
	switch s.Keep {
	case KeepNothing:
	case KeepVMDK, KeepOVF, KeepOVA:
		if err := s.validateKept(); err != nil {
			return err
		}
	default:
		return sdk.Invalidf("unknown kind of kept file %q; there are vmdk, ovf and ova", s.Keep)
	}
	if err := s.Compression.validate(); err != nil {
		return err
	}
	ids, addresses, paths := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, d := range s.Disks {
		if err := d.validate(s); err != nil {
			return err
		}
		if ids[d.ID] || addresses[d.Address] || (d.Path != "" && paths[filepath.Clean(d.Path)]) {
			return sdk.Invalidf("disk %q: its id, address or path is there twice", d.ID)
		}
		ids[d.ID], addresses[d.Address], paths[filepath.Clean(d.Path)] = true, true, true
	}
	return nil
}

func (s Spec) validateKept() error {
	switch {
	case s.Dir == "":
		return sdk.Invalidf("no directory for the files to keep")
	case s.Name == "" || len(s.Name) > maxName:
		return sdk.Invalidf("the name of kept files must have 1 to %d bytes; %q has %d", maxName, s.Name, len(s.Name))
	case strings.ContainsAny(s.Name, "/\\\n\r\x00") || strings.HasPrefix(s.Name, "."):
		return sdk.Invalidf("%q cannot be the name of a file", s.Name)
	}
	return nil
}

func (d DiskSpec) validate(s Spec) error {
	switch {
	case d.ID == "" || strings.ContainsAny(d.ID, "/\\\n\r\x00") || len(d.ID) > 15:
		return sdk.Invalidf("disk id %q is not usable in file names", d.ID)
	case d.Address == "":
		return sdk.Invalidf("disk %q has no address on the source", d.ID)
	case d.Path == "" && s.Keep == KeepNothing:
		return sdk.Invalidf("disk %q is neither converted nor kept", d.ID)
	case d.Path == "":
		return nil
	case d.Format != "qcow2" && d.Format != "raw":
		return sdk.Invalidf("disk %q: format %q is neither qcow2 nor raw", d.ID, d.Format)
	case d.Format == "raw" && (s.Compression.Mode == Deflate || s.Compression.Mode == Zstd):
		return sdk.Invalidf("disk %q: a raw image cannot be compressed", d.ID)
	}
	return nil
}

func (c Compression) validate() error {
	most := 0
	switch c.Mode {
	case "", PassThrough, Uncompressed:
	case Deflate:
		most = 9
	case Zstd:
		most = 19
	default:
		return sdk.Invalidf("unknown compression %q; there are pass-through, none, deflate and zstd", c.Mode)
	}
	if c.Level < 0 || c.Level > most {
		if most == 0 {
			return sdk.Invalidf("compression %q has no level", c.Mode)
		}
		return sdk.Invalidf("compression level %d; %s has 1 to %d", c.Level, c.Mode, most)
	}
	return nil
}

// defaults returns the spec with every zero value replaced by what it stands for.
func (s Spec) defaults() Spec {
	if s.Parallel <= 0 {
		s.Parallel = defaultParallel
	}
	if s.Attempts <= 0 {
		s.Attempts = defaultAttempts
	}
	if s.Compression.Mode == "" {
		s.Compression.Mode = PassThrough
	}
	if s.Compression.Level == 0 {
		switch s.Compression.Mode {
		case Deflate:
			s.Compression.Level = 6
		case Zstd:
			s.Compression.Level = 3
		case PassThrough, Uncompressed:
		}
	}
	return s
}
