package rig_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func TestDisk_IsDeterministic(t *testing.T) {
	for _, p := range []rig.Pattern{rig.Zero, rig.Random, rig.Text, rig.Sparse, rig.Mixed} {
		t.Run(string(p), func(t *testing.T) {
			const size = 1<<20 + 512
			first, second := read(t, rig.Disk(t, size, p)), read(t, rig.Disk(t, size, p))
			if len(first) != size || !bytes.Equal(first, second) {
				t.Errorf("got %d bytes, equal %v; want %d, equal", len(first), bytes.Equal(first, second), size)
			}
			if empty := len(bytes.Trim(first, "\x00")) == 0; empty != (p == rig.Zero) {
				t.Errorf("got a disk of zeros: %v", empty)
			}
		})
	}
}

func TestMBRDisk_HasOnePartition(t *testing.T) {
	got := read(t, rig.MBRDisk(t, 2<<20, rig.Text))
	if got[510] != 0x55 || got[511] != 0xaa || got[446] != 0x80 || got[450] != 0x83 {
		t.Errorf("got a boot record %x, want an active Linux partition", got[440:512])
	}
	if !bytes.Equal(got[1<<20:], read(t, rig.Disk(t, 2<<20, rig.Text))[1<<20:]) {
		t.Error("the partition's content is not the pattern's")
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
