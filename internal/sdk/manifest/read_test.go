package manifest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// sumOfHello is what sha256sum says of "hello".
const sumOfHello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "disk"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name string
		ctx  context.Context
		disk Disk
		want error
	}{
		{"size and sum", t.Context(), Disk{LocalPath: "disk", Bytes: 5, Checksum: sumOfHello}, nil},
		{"absolute path, no sum", t.Context(), Disk{LocalPath: filepath.Join(dir, "disk"), Bytes: 5}, nil},
		{"missing", t.Context(), Disk{LocalPath: "none", Bytes: 5}, sdk.ErrNotFound},
		{"directory", t.Context(), Disk{LocalPath: ".", Bytes: 5}, sdk.ErrConflict},
		{"size", t.Context(), Disk{LocalPath: "disk", Bytes: 6}, sdk.ErrConflict},
		{"sum", t.Context(), Disk{LocalPath: "disk", Bytes: 5, Checksum: "sha256:00"}, sdk.ErrConflict},
		{"canceled", canceled, Disk{LocalPath: "disk", Bytes: 5, Checksum: sumOfHello}, context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &Manifest{Disks: []Disk{tt.disk}}
			if err := m.Verify(tt.ctx, dir); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestRead_Refuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "none.json")); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("missing: got %v, want ErrNotFound", err)
	}
	huge := filepath.Join(dir, "huge.json")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, maxBytes+1); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(huge); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("huge: got %v, want ErrInvalid", err)
	}
}
