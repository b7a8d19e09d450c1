package vmdk

import "io"

// Header describes a streamOptimized VMDK (version 3): fields as in VMware's "Virtual Disk Format 5.0", sizes in bytes.
type Header struct {
	CapacityBytes int64
	GrainBytes    int64
	Descriptor    string // the embedded text descriptor, without trailing NULs
}

// Grain is one compressed grain. Data is the zlib stream (RFC 1950) and is only valid until the next call of Next.
type Grain struct {
	Offset int64 // in the disk, bytes, a multiple of GrainBytes
	Data   []byte
}

// Reader reads grains from a stream in file order, without seeking. Its input is hostile: every size is bounded, offsets
// must lie in the disk and may not repeat, grain tables and directory must agree with the grains seen, and the
// end-of-stream marker must be there.
type Reader struct{}

// NewReader reads the header and the descriptor. Anything but a compressed, marker-carrying stream is sdk.ErrInvalid.
func NewReader(r io.Reader) (*Reader, error) { panic("contract") }

// Header of the stream.
func (r *Reader) Header() Header { panic("contract") }

// Next returns the next grain, or io.EOF after the end-of-stream marker and the checks. A stream that stops earlier is
// io.ErrUnexpectedEOF; one that is wrong is sdk.ErrInvalid.
func (r *Reader) Next() (Grain, error) { panic("contract") }

// Consumed is the number of bytes read from the stream so far.
func (r *Reader) Consumed() int64 { panic("contract") }

// Inflate decompresses a grain into dst (GrainBytes long, or shorter for the last grain of a disk whose capacity is not a
// multiple of it) and checks its Adler-32. It returns the number of bytes. Safe for concurrent use.
func Inflate(dst, zlibStream []byte) (int, error) { panic("contract") }

// RawDeflate strips the zlib wrapper of a grain: 2 bytes in front, 4 behind (RFC 1950), leaving a deflate stream (RFC 1951).
// It checks the header's method and that no preset dictionary is used.
func RawDeflate(zlibStream []byte) ([]byte, error) { panic("contract") }

// WriterSpec asks for a stream.
type WriterSpec struct {
	CapacityBytes int64
	Level         int    // deflate level 1–9; 0: 1, as ESXi does
	Adapter       string // ddb.adapterType; empty: lsilogic
	Parallel      int    // compressors; 0: GOMAXPROCS
}

// Write turns a disk image into a streamOptimized VMDK as ESXi serves it: grains in order, all-zero grains left out, grain
// tables, directory and footer at the end (gdOffset −1 in the header). Unallocated ranges are skipped quickly when src is an
// *os.File with holes (SEEK_DATA). Deterministic for equal input.
func Write(w io.Writer, src io.ReaderAt, spec WriterSpec) error { panic("contract") }
