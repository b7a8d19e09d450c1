package libvirt

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// firmwareDirs hold QEMU's firmware descriptors (docs/interop/firmware.json of QEMU), which libvirt chooses from.
var firmwareDirs = []string{"/etc/qemu/firmware", "/usr/share/qemu/firmware"}

// firmwareDescriptor is the part of a descriptor that tells whether a secure boot variant has the vendors' keys in it.
type firmwareDescriptor struct {
	Features []string `json:"features"`
	Mapping  struct {
		Executable struct {
			Filename string `json:"filename"`
		} `json:"executable"`
		Template struct {
			Filename string `json:"filename"`
		} `json:"nvram-template"`
	} `json:"mapping"`
}

// enrolledKeys says whether a firmware is installed that boots with secure boot on and knows the vendors' keys: what a guest
// that had secure boot needs, and what libvirt's capabilities do not tell.
func enrolledKeys(dirs []string) bool {
	for _, dir := range dirs {
		files, _ := filepath.Glob(filepath.Join(dir, "*.json")) //nolint:errcheck // the pattern is right
		for _, file := range files {
			if d, err := readFirmwareDescriptor(file); err == nil && d.secure() {
				return true
			}
		}
	}
	return false
}

func readFirmwareDescriptor(path string) (*firmwareDescriptor, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, 1<<20))
	if err != nil {
		return nil, err
	}
	var d firmwareDescriptor
	return &d, json.Unmarshal(data, &d)
}

func (d *firmwareDescriptor) secure() bool {
	if !slices.Contains(d.Features, "secure-boot") || !slices.Contains(d.Features, "enrolled-keys") {
		return false
	}
	for _, file := range []string{d.Mapping.Executable.Filename, d.Mapping.Template.Filename} {
		if _, err := os.Stat(file); err != nil {
			return false
		}
	}
	return true
}
