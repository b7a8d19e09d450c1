package manifest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// maxBytes bounds a manifest that is read: one of a hundred disks has 50 KiB.
const maxBytes = 16 << 20

// Read reads and validates the manifest at path. A missing file is sdk.ErrNotFound.
func Read(path string) (*Manifest, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, sdk.NotFoundf("manifest %s does not exist", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	defer f.Close() //nolint:errcheck // read only
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read manifest: %w", err)
	}
	if len(data) > maxBytes {
		return nil, sdk.Invalidf("manifest %s is longer than %d bytes", path, maxBytes)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Parse decodes and validates a manifest. Fields that it does not know are ignored.
func Parse(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, sdk.Invalidf("manifest: %v", err)
	}
	if err := checkGiven(data); err != nil {
		return nil, err
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	return &m, nil
}

// checkGiven refuses what the consumer refuses and Manifest cannot tell from an absent field.
func checkGiven(data []byte) error {
	var given struct {
		VM struct {
			CPU   json.RawMessage `json:"cpu"`
			MemGB json.RawMessage `json:"mem_gb"`
		} `json:"vm"`
		Disks []struct {
			Bytes    json.RawMessage `json:"bytes"`
			Checksum json.RawMessage `json:"checksum"`
		} `json:"disks"`
		Pipeline struct {
			Convert struct {
				CompressLevel json.RawMessage `json:"compress_level"`
			} `json:"convert"`
		} `json:"pipeline"`
	}
	if err := json.Unmarshal(data, &given); err != nil {
		return sdk.Invalidf("manifest: %v", err)
	}
	c := &checker{}
	positive := func(raw json.RawMessage, field string) {
		c.check(string(raw) != "0" && string(raw) != "null", field, "is %s, want 1 or more, or nothing", raw)
	}
	positive(given.VM.CPU, "vm.cpu")
	positive(given.VM.MemGB, "vm.mem_gb")
	positive(given.Pipeline.Convert.CompressLevel, "pipeline.convert.compress_level")
	for i, d := range given.Disks {
		c.check(len(d.Bytes) > 0 && string(d.Bytes) != "null", fmt.Sprintf("disks[%d].bytes", i), "is missing")
		sum := bytes.TrimSpace(d.Checksum)
		c.check(string(sum) != `""` && string(sum) != "null", fmt.Sprintf("disks[%d].checksum", i),
			"is %s, want a checksum, or no field", sum)
	}
	return c.err()
}

// Verify looks at the files: each exists, has the size and, when there is one, the checksum that the manifest says. A relative
// path is relative to dir. A missing file is sdk.ErrNotFound, one that differs sdk.ErrConflict.
func (m *Manifest) Verify(ctx context.Context, dir string) error {
	for i := range m.Disks {
		if err := m.Disks[i].verify(ctx, dir); err != nil {
			return fmt.Errorf("disk %s: %w", m.Disks[i].ID, err)
		}
	}
	return nil
}

func (d *Disk) verify(ctx context.Context, dir string) error {
	path := d.LocalPath
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return sdk.NotFoundf("%s does not exist", path)
	case err != nil:
		return err
	case !st.Mode().IsRegular():
		return sdk.Conflictf("%s is not a file", path)
	case st.Size() != d.Bytes:
		return sdk.Conflictf("%s has %d bytes, the manifest says %d", path, st.Size(), d.Bytes)
	case d.Checksum == "":
		return nil
	}
	sum, err := digest(ctx, path)
	if err != nil {
		return err
	}
	if sum != d.Checksum {
		return sdk.WithHint(sdk.Conflictf("%s has %s, the manifest says %s", path, sum, d.Checksum),
			"the file changed after the export: export the disk again")
	}
	return nil
}

func digest(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if errors.Is(err, io.EOF) {
			return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
		}
		if err != nil {
			return "", err
		}
	}
}
