package manifest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

var (
	idPattern       = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	checksumPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	sourceFormats   = []string{"vmdk", "qcow2", "raw", "vhd", "vhdx", "vdi"}
	outputFormats   = []string{"qcow2", "raw", "vdi"}
	diskTypes       = []string{DiskBoot, DiskData, DiskUnknown}
	firmwares       = []string{FirmwareBIOS, FirmwareUEFI, FirmwareUnknown}
	fstabModes      = []string{FstabStabilizeAll, FstabBypathOnly, FstabNoop}
)

// Validate is nil for a manifest that the consumer takes; otherwise sdk.ErrInvalid that names every field that is wrong by its
// path. It looks at no file; Verify does.
func (m *Manifest) Validate() error {
	c := &checker{}
	c.check(m.ManifestVersion == Version, "manifest_version", "is %q, want %q", m.ManifestVersion, Version)
	if m.Source != nil {
		c.check(m.Source.Provider != "", "source.provider", "is empty")
	}
	m.checkVM(c)
	m.checkDisks(c)
	c.oneOf(m.Pipeline.Fix.FstabMode, fstabModes, "pipeline.fix.fstab_mode")
	level := m.Pipeline.Convert.CompressLevel
	c.check(level >= 0 && level <= 9, "pipeline.convert.compress_level", "is %d, want 1 to 9", level)
	if m.Output != nil {
		c.oneOf(m.Output.Format, outputFormats, "output.format")
	}
	return c.err()
}

func (m *Manifest) checkVM(c *checker) {
	if m.VM == nil {
		return
	}
	c.check(m.VM.CPU >= 0, "vm.cpu", "is %d, want at least 1", m.VM.CPU)
	c.check(m.VM.MemGB >= 0, "vm.mem_gb", "is %d, want at least 1", m.VM.MemGB)
	c.oneOf(m.VM.Firmware, firmwares, "vm.firmware")
}

func (m *Manifest) checkDisks(c *checker) {
	c.check(len(m.Disks) > 0, "disks", "is empty, want at least one")
	seen := map[string]int{}
	for i, d := range m.Disks {
		at := fmt.Sprintf("disks[%d].", i)
		c.check(idPattern.MatchString(d.ID), at+"id", "is %q, want letters, digits, - and _", d.ID)
		if first, ok := seen[d.ID]; ok {
			c.check(false, at+"id", "is %q as disks[%d].id is", d.ID, first)
		} else {
			seen[d.ID] = i
		}
		c.check(slices.Contains(sourceFormats, d.SourceFormat), at+"source_format", "is %q, want one of %s",
			d.SourceFormat, strings.Join(sourceFormats, ", "))
		c.check(d.Bytes >= 0, at+"bytes", "is %d, want 0 or more", d.Bytes)
		c.check(d.LocalPath != "", at+"local_path", "is empty")
		c.check(d.Checksum == "" || checksumPattern.MatchString(d.Checksum), at+"checksum",
			"is %q, want sha256: and 64 lower-case hex digits", d.Checksum)
		c.check(d.bootOrder() >= 0, at+"boot_order_hint", "is %d, want 0 or more", d.bootOrder())
		c.oneOf(d.DiskType, diskTypes, at+"disk_type")
	}
}

// checker collects what is wrong.
type checker struct{ wrong []string }

func (c *checker) check(ok bool, field, format string, args ...any) {
	if !ok {
		c.wrong = append(c.wrong, field+" "+fmt.Sprintf(format, args...))
	}
}

// oneOf takes the empty string as absent.
func (c *checker) oneOf(got string, want []string, field string) {
	c.check(got == "" || slices.Contains(want, got), field, "is %q, want one of %s", got, strings.Join(want, ", "))
}

func (c *checker) err() error {
	if len(c.wrong) == 0 {
		return nil
	}
	return sdk.Invalidf("manifest: %s", strings.Join(c.wrong, "; "))
}
