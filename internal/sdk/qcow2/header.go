package qcow2

import "encoding/binary"

// ClusterBytes is the cluster size that this package writes: equal to a VMDK grain.
const ClusterBytes = 64 << 10

// Compression types of the header (docs/interop/qcow2.txt of QEMU).
const (
	Zlib = 0 // raw deflate
	Zstd = 1
)

const (
	clusterBits      = 16
	sector           = 512
	refcountOrder    = 4   // 16 bits
	headerBytes      = 112 // with the compression type, padded to 8
	incompatCompress = 1 << 3
	maxVirtual       = int64(1) << 50 // QEMU accepts an L1 table of 32 MiB, which is 2 PiB

	l2Entries       = ClusterBytes / 8
	l2Covers        = int64(l2Entries) * ClusterBytes // 512 MiB of disk
	refcountEntries = ClusterBytes / 2                // a refcount block covers 2 GiB of file
)

const (
	flagCopied     = 1 << 63 // refcount is 1: may be written in place
	flagCompressed = 1 << 62
	csizeShift     = 62 - (clusterBits - 8) // in a compressed entry: sectors above, byte offset below
)

// layout is where Close put the tables.
type layout struct {
	l1, refcounts    int64 // file offsets
	refcountClusters int
}

func header(spec Spec, l layout) []byte {
	b := make([]byte, headerBytes+8) // 8 zero bytes: the end of the header extensions
	be := binary.BigEndian
	copy(b, "QFI\xfb")
	be.PutUint32(b[4:], 3)
	be.PutUint32(b[20:], clusterBits)
	be.PutUint64(b[24:], uint64(spec.VirtualBytes))
	be.PutUint32(b[36:], uint32(l1Entries(spec.VirtualBytes)))
	be.PutUint64(b[40:], uint64(l.l1))
	be.PutUint64(b[48:], uint64(l.refcounts))
	be.PutUint32(b[56:], uint32(l.refcountClusters))
	if spec.Compression != Zlib {
		be.PutUint64(b[72:], incompatCompress)
	}
	be.PutUint32(b[96:], refcountOrder)
	be.PutUint32(b[100:], headerBytes)
	b[104] = spec.Compression
	return b
}

func l1Entries(virtual int64) int64 { return (virtual + l2Covers - 1) / l2Covers }

// compressedEntry is the L2 entry of a payload: its byte offset, and how many sectors it touches beyond the first.
func compressedEntry(at int64, size int) uint64 {
	more := uint64((at+int64(size)-1)/sector - at/sector)
	return flagCompressed | more<<csizeShift | uint64(at)
}
