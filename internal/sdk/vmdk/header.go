package vmdk

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"regexp"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Header describes a streamOptimized VMDK (version 3): fields as in VMware's "Virtual Disk Format 5.0", sizes in bytes.
type Header struct {
	CapacityBytes int64
	GrainBytes    int64
	Descriptor    string // the embedded text descriptor, without trailing NULs
}

const (
	sector         = 512
	magic          = "KDMV"
	tableEntries   = 512                       // grains a grain table
	tableSectors   = tableEntries * 4 / sector // of a grain table
	directoryAtEnd = 0xffff_ffff_ffff_ffff     // gdOffset of a header whose footer has the true one
	maxCapacity    = int64(64<<40) / sector    // sectors; vSphere's own limit is 62 TiB
	maxTables      = 1 << 21                   // 64 TiB in 64 KiB grains
	maxDescriptor  = 1 << 20 / sector          // sectors
	maxSlack       = 1 << 20 / sector          // sectors that a writer may leave unused before the first grain
	flagNewlines   = 1 << 0                    // the newline detection bytes are valid
	flagZeroed     = 1 << 2                    // a grain table entry of 1 is a grain of zeros
	flagDeflate    = 1 << 16                   // grains are compressed
	flagMarkers    = 1 << 17                   // grains, tables and the end carry markers
	deflate        = 1                         // compressAlgorithm
	newlines       = "\n \r\n"                 // what a transfer in text mode would damage
	minGrain       = 8                         // sectors
	maxGrain       = 256                       // sectors
	writerFlags    = flagNewlines | flagDeflate | flagMarkers
)

// extent is the SparseExtentHeader as it lies on disk, in sectors.
type extent struct {
	version          uint32
	flags            uint32
	capacity         uint64
	grain            uint64
	descriptor       uint64 // first sector of the descriptor; 0: none
	descriptorLength uint64
	tableEntries     uint32
	redundant        uint64 // first sector of the redundant grain directory
	directory        uint64 // first sector of the grain directory, or directoryAtEnd
	overhead         uint64 // sectors before the first marker
	newlines         string
	algorithm        uint16
}

func decodeExtent(b []byte) extent {
	le := binary.LittleEndian
	return extent{
		version:          le.Uint32(b[4:]),
		flags:            le.Uint32(b[8:]),
		capacity:         le.Uint64(b[12:]),
		grain:            le.Uint64(b[20:]),
		descriptor:       le.Uint64(b[28:]),
		descriptorLength: le.Uint64(b[36:]),
		tableEntries:     le.Uint32(b[44:]),
		redundant:        le.Uint64(b[48:]),
		directory:        le.Uint64(b[56:]),
		overhead:         le.Uint64(b[64:]),
		newlines:         string(b[73:77]),
		algorithm:        le.Uint16(b[77:]),
	}
}

func (e extent) encode() []byte {
	b := make([]byte, sector)
	le := binary.LittleEndian
	copy(b, magic)
	le.PutUint32(b[4:], e.version)
	le.PutUint32(b[8:], e.flags)
	le.PutUint64(b[12:], e.capacity)
	le.PutUint64(b[20:], e.grain)
	le.PutUint64(b[28:], e.descriptor)
	le.PutUint64(b[36:], e.descriptorLength)
	le.PutUint32(b[44:], e.tableEntries)
	le.PutUint64(b[48:], e.redundant)
	le.PutUint64(b[56:], e.directory)
	le.PutUint64(b[64:], e.overhead)
	copy(b[73:], e.newlines)
	le.PutUint16(b[77:], e.algorithm)
	return b
}

// validate refuses what is not a compressed stream with markers, and bounds every number that later code computes with.
func (e extent) validate() error {
	switch {
	case e.version < 1 || e.version > 3:
		return sdk.Invalidf("vmdk version is %d, want 1 to 3", e.version)
	case e.flags&flagDeflate == 0 || e.flags&flagMarkers == 0 || e.algorithm != deflate:
		return sdk.WithHint(sdk.Invalidf("vmdk is not streamOptimized: flags %#x, compression %d", e.flags, e.algorithm),
			"convert it first: qemu-img convert -O vmdk -o subformat=streamOptimized")
	case e.flags&flagNewlines != 0 && e.newlines != newlines:
		return sdk.Invalidf("vmdk header was damaged by a transfer in text mode")
	case e.capacity == 0 || e.capacity > uint64(maxCapacity):
		return sdk.Invalidf("vmdk capacity is %d sectors, want 1 to %d", e.capacity, maxCapacity)
	case e.grain < minGrain || e.grain > maxGrain || bits.OnesCount64(e.grain) != 1:
		return sdk.Invalidf("vmdk grain is %d sectors, want a power of two from %d to %d", e.grain, minGrain, maxGrain)
	case e.tableEntries != tableEntries:
		return sdk.Invalidf("vmdk grain tables have %d entries, want %d", e.tableEntries, tableEntries)
	case e.tables() > maxTables:
		return sdk.Invalidf("vmdk needs %d grain tables, more than %d", e.tables(), maxTables)
	case e.descriptorLength > maxDescriptor:
		return sdk.Invalidf("vmdk descriptor is %d sectors, more than %d", e.descriptorLength, maxDescriptor)
	case e.overhead < 1 || e.overhead > e.maxOverhead():
		return sdk.Invalidf("vmdk overhead is %d sectors, want 1 to %d", e.overhead, e.maxOverhead())
	case e.descriptorLength > 0 && (e.descriptor < 1 || e.descriptor > e.overhead-e.descriptorLength):
		return sdk.Invalidf("vmdk descriptor at sector %d is not before the first grain", e.descriptor)
	case e.directory == 0:
		return sdk.Invalidf("vmdk has no grain directory")
	}
	return nil
}

func (e extent) tables() uint64 {
	perTable := e.grain * tableEntries
	return (e.capacity + perTable - 1) / perTable
}

func (e extent) directorySectors() uint64 { return (e.tables()*4 + sector - 1) / sector }

// directoryInFront says whether tables and directory lie before the first grain, as QEMU writes them.
func (e extent) directoryInFront() bool { return e.directory < e.overhead }

// maxOverhead leaves room for two sets of tables, the descriptor and alignment.
func (e extent) maxOverhead() uint64 {
	return 2*(e.directorySectors()+e.tables()*tableSectors) + maxDescriptor + maxSlack
}

func (e extent) header(descriptor []byte) Header {
	return Header{
		CapacityBytes: int64(e.capacity) * sector,
		GrainBytes:    int64(e.grain) * sector,
		Descriptor:    string(bytes.TrimRight(descriptor, "\x00")),
	}
}

var parentCID = regexp.MustCompile(`(?mi)^\s*parentCID\s*=\s*"?([0-9a-f]+)`)

// validateDescriptor refuses a disk that is only the difference to another one.
func validateDescriptor(text string) error {
	m := parentCID.FindStringSubmatch(text)
	if m == nil || strings.EqualFold(m[1], "ffffffff") {
		return nil
	}
	return sdk.WithHint(sdk.Invalidf("vmdk is a delta of a parent disk (parentCID %s)", m[1]),
		"export the VM again: a lease serves the whole disk")
}
