package vmdk

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"runtime"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// WriterSpec asks for a stream.
type WriterSpec struct {
	CapacityBytes int64
	Level         int    // deflate level 1–9; 0: 1, as ESXi does
	Adapter       string // ddb.adapterType; empty: lsilogic
	Parallel      int    // compressors; 0: GOMAXPROCS
}

// What ESXi writes: 64 KiB grains, the descriptor in 20 sectors, the first marker at sector 128.
const (
	writerGrain      = 128
	writerDescriptor = 20
	writerOverhead   = 128
)

func (s WriterSpec) withDefaults() WriterSpec {
	if s.Level == 0 {
		s.Level = 1
	}
	if s.Adapter == "" {
		s.Adapter = "lsilogic"
	}
	if s.Parallel == 0 {
		s.Parallel = runtime.GOMAXPROCS(0)
	}
	return s
}

func (s WriterSpec) extent() (extent, error) {
	e := extent{
		version: 3, flags: writerFlags, capacity: uint64(s.CapacityBytes) / sector, grain: writerGrain,
		descriptor: 1, descriptorLength: writerDescriptor, tableEntries: tableEntries,
		directory: directoryAtEnd, overhead: writerOverhead, newlines: newlines, algorithm: deflate,
	}
	switch {
	case s.CapacityBytes <= 0 || s.CapacityBytes%sector != 0:
		return e, sdk.Invalidf("vmdk capacity is %d bytes, want a positive multiple of %d", s.CapacityBytes, sector)
	case s.Level < 1 || s.Level > 9:
		return e, sdk.Invalidf("deflate level is %d, want 1 to 9", s.Level)
	case s.Parallel < 1:
		return e, sdk.Invalidf("%d compressors, want at least 1", s.Parallel)
	case len(s.descriptor()) > writerDescriptor*sector:
		return e, sdk.Invalidf("adapter type %.20q… is too long", s.Adapter)
	}
	return e, e.validate()
}

// Write turns a disk image into a streamOptimized VMDK as ESXi serves it: grains in order, all-zero grains left out, grain
// tables, directory and footer at the end (gdOffset −1 in the header). Unallocated ranges are skipped quickly when src is an
// *os.File with holes (SEEK_DATA, which moves the file's own offset). An image shorter than the capacity reads as zeros
// behind its end. Deterministic for equal input.
func Write(w io.Writer, src io.ReaderAt, spec WriterSpec) error {
	spec = spec.withDefaults()
	e, err := spec.extent()
	if err != nil {
		return err
	}
	out := &writer{w: bufio.NewWriterSize(w, bufferBytes), extent: e, directory: make([]uint32, e.tables())}
	out.head(spec.descriptor())
	if out.err != nil {
		return out.err
	}
	if err := compress(src, spec, out.batch); err != nil {
		return err
	}
	out.tail()
	if out.err != nil {
		return out.err
	}
	return out.w.Flush()
}

// writer lays out the stream. Its first error stays.
type writer struct {
	w         *bufio.Writer
	extent    extent
	sector    uint64   // where the next marker goes
	directory []uint32 // sector of each table; 0: no grain in it
	table     [tableEntries]uint32
	tableAt   uint64 // index of table
	dirty     bool   // table has entries
	err       error
}

func (w *writer) head(descriptor string) {
	b := make([]byte, w.extent.overhead*sector)
	copy(b, w.extent.encode())
	copy(b[w.extent.descriptor*sector:], descriptor)
	w.write(b)
}

// write appends whole sectors, padding the last one.
func (w *writer) write(parts ...[]byte) {
	n := 0
	for _, p := range parts {
		if w.err == nil {
			_, w.err = w.w.Write(p)
		}
		n += len(p)
	}
	var zeros [sector]byte
	if w.err == nil {
		_, w.err = w.w.Write(zeros[:padded(n)-n])
	}
	w.sector += uint64(padded(n)) / sector
}

// batch appends the grains of a batch, and the table that they complete.
func (w *writer) batch(b *batch) error {
	for i, end := range b.ends {
		begin := 0
		if i > 0 {
			begin = b.ends[i-1]
		}
		if end > begin {
			w.grain(uint64(b.offset)/sector/w.extent.grain+uint64(i), b.packed[begin:end])
		}
	}
	return w.err
}

func (w *writer) grain(number uint64, data []byte) {
	if index := number / tableEntries; index != w.tableAt {
		w.flushTable()
		w.tableAt = index
	}
	if w.sector > math.MaxUint32 {
		w.fail(fmt.Errorf("vmdk stream is larger than 2 TiB, which its tables cannot address"))
		return
	}
	w.table[number%tableEntries] = uint32(w.sector)
	w.dirty = true
	var head [grainHead]byte
	binary.LittleEndian.PutUint64(head[:], number*w.extent.grain)
	binary.LittleEndian.PutUint32(head[8:], uint32(len(data)))
	w.write(head[:], data)
}

func (w *writer) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) marker(kind uint32, sectors uint64) {
	var b [sector]byte
	binary.LittleEndian.PutUint64(b[:], sectors)
	binary.LittleEndian.PutUint32(b[12:], kind)
	w.write(b[:])
}

func (w *writer) flushTable() {
	if !w.dirty {
		return
	}
	w.marker(markerTable, tableSectors)
	w.directory[w.tableAt] = uint32(w.sector)
	w.write(littleEndian(w.table[:]))
	clear(w.table[:])
	w.dirty = false
}

func (w *writer) tail() {
	w.flushTable()
	w.marker(markerDirectory, w.extent.directorySectors())
	footer := w.extent
	footer.directory = w.sector
	w.write(littleEndian(w.directory))
	w.marker(markerFooter, 1)
	w.write(footer.encode())
	w.marker(markerEnd, 0)
}

func littleEndian(words []uint32) []byte {
	b := make([]byte, 0, len(words)*4)
	for _, v := range words {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
