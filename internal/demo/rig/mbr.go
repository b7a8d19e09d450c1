package rig

import (
	"encoding/binary"
	"os"
	"testing"
)

// MBRDisk is Disk with a master boot record in front: one active Linux partition from 1 MiB to the end. It does not boot.
func MBRDisk(t testing.TB, size int64, pattern Pattern) string {
	t.Helper()
	const start = 2048 // sectors
	if size <= start*512 {
		t.Fatalf("a disk of %d bytes has no room for a partition at 1 MiB", size)
	}
	mbr := make([]byte, 512)
	binary.LittleEndian.PutUint32(mbr[440:], 0x68797073)
	entry := mbr[446:462]
	entry[0], entry[4] = 0x80, 0x83
	binary.LittleEndian.PutUint32(entry[8:], start)
	binary.LittleEndian.PutUint32(entry[12:], uint32(size/512-start))
	mbr[510], mbr[511] = 0x55, 0xaa

	path := Disk(t, size, pattern)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() //nolint:errcheck // checked by Sync
	if _, err := f.WriteAt(mbr, 0); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	return path
}
