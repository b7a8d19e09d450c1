package vmdk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Marker types. A marker with a size is a grain.
const (
	markerEnd       = 0
	markerTable     = 1
	markerDirectory = 2
	markerFooter    = 3
)

const (
	grainHead  = 12 // of a grain's marker: address and size; the data follows in the same sector
	maxPadding = 1 << 20
)

// Reader reads grains from a stream in file order, without seeking. Its input is hostile: every size is bounded, offsets
// must lie in the disk and may not repeat, grain tables and directory must agree with the grains seen, and the
// end-of-stream marker must be there. The one stream that may lack the marker is QEMU's, which never writes it: its tables
// lie in front and say which grains must come.
//
// Memory is 1 MiB and about 100 bytes for each 32 MiB of disk that has data.
type Reader struct {
	in     input
	extent extent
	header Header
	grains *ledger
	state  state
	err    error // sticky

	front      map[uint32]uint64 // sums of tables that lie before the grains, by index
	tables     map[uint32]uint64 // sums of tables among the grains, by sector
	read       map[uint32]uint64 // the same by index, once the directory named them
	directory  uint64            // sector of the directory that was read
	hasFooter  bool
	maxPayload uint32
}

// state is what may come next.
type state int

const (
	inGrains state = iota
	afterDirectory
	afterFooter
)

// NewReader reads the header and the descriptor. Anything but a compressed, marker-carrying stream is sdk.ErrInvalid.
func NewReader(r io.Reader) (*Reader, error) {
	vr := &Reader{in: input{r: r}, grains: newLedger(), tables: map[uint32]uint64{}}
	if err := vr.readHead(); err != nil {
		return nil, vr.at(err)
	}
	return vr, nil
}

// Header of the stream.
func (r *Reader) Header() Header { return r.header }

// Consumed is the number of bytes read from the stream so far.
func (r *Reader) Consumed() int64 { return r.in.fetched }

// Next returns the next grain, or io.EOF after the end-of-stream marker and the checks. A stream that stops earlier is
// io.ErrUnexpectedEOF; one that is wrong is sdk.ErrInvalid. An error of the underlying reader comes through as it is.
func (r *Reader) Next() (Grain, error) {
	for r.err == nil {
		g, err := r.step()
		if err == nil && g.Data != nil {
			return g, nil
		}
		r.err = r.at(err)
	}
	return Grain{}, r.err
}

// at says where in the stream it happened.
func (r *Reader) at(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("vmdk stream at byte %d: %w", r.in.position, err)
}

// step reads one marker and what belongs to it. Data is nil unless it was a grain.
func (r *Reader) step() (Grain, error) {
	at := uint64(r.in.position / sector)
	m, err := r.in.peek(sector)
	if errors.Is(err, io.ErrUnexpectedEOF) && len(m) == 0 && r.extent.directoryInFront() {
		return Grain{}, r.finish(false)
	}
	if err != nil {
		return Grain{}, err
	}
	value, size := binary.LittleEndian.Uint64(m), binary.LittleEndian.Uint32(m[8:])
	if size > 0 {
		return r.grain(at, value, size)
	}
	kind := binary.LittleEndian.Uint32(m[12:])
	r.in.skip(sector)
	switch {
	case kind == markerEnd:
		return Grain{}, r.end(value)
	case r.extent.directoryInFront():
		return Grain{}, sdk.Invalidf("marker of type %d in a stream whose tables lie in front", kind)
	case kind == markerTable:
		return Grain{}, r.table(at+1, value)
	case kind == markerDirectory:
		return Grain{}, r.readDirectory(at+1, value)
	case kind == markerFooter:
		return Grain{}, r.footer(value)
	}
	return Grain{}, sdk.Invalidf("marker of unknown type %d", kind)
}

func (r *Reader) grain(at, lba uint64, size uint32) (Grain, error) {
	switch {
	case r.state != inGrains:
		return Grain{}, sdk.Invalidf("grain behind the grain directory")
	case size > r.maxPayload:
		return Grain{}, sdk.Invalidf("grain of %d compressed bytes, more than %d", size, r.maxPayload)
	case lba%r.extent.grain != 0 || lba >= r.extent.capacity:
		return Grain{}, sdk.Invalidf("grain at disk sector %d, outside the disk or between grains", lba)
	case at > 1<<32-1:
		return Grain{}, sdk.Invalidf("grain at stream sector %d, which no table can name", at)
	}
	data, err := r.in.peek(padded(grainHead + int(size)))
	if err != nil {
		return Grain{}, err
	}
	if !r.grains.add(lba/r.extent.grain, uint32(at)) {
		return Grain{}, sdk.Invalidf("grain at disk sector %d comes twice", lba)
	}
	r.in.skip(len(data))
	end := grainHead + int(size)
	return Grain{Offset: int64(lba) * sector, Data: data[grainHead:end:end]}, nil
}

// end checks that everything that was announced has come, and that only padding follows.
func (r *Reader) end(value uint64) error {
	switch {
	case value != 0:
		return sdk.Invalidf("end-of-stream marker with value %d", value)
	case r.extent.directoryInFront():
	case r.state == inGrains:
		return sdk.Invalidf("end of stream without a grain directory")
	case r.extent.directory == directoryAtEnd && !r.hasFooter:
		return sdk.Invalidf("end of stream without a footer")
	}
	if err := r.in.padding(maxPadding); err != nil {
		return err
	}
	return r.finish(true)
}

// finish holds the tables against the grains; marked says that the stream said itself that this is its end.
func (r *Reader) finish(marked bool) error {
	read := r.read
	if r.extent.directoryInFront() {
		read = r.front
	}
	err := r.grains.check(read)
	switch {
	case err == nil:
		return io.EOF
	case marked:
		return err
	}
	// The tables in front name grains that did not come: the stream was cut.
	return fmt.Errorf("%w: %v", io.ErrUnexpectedEOF, err) //nolint:errorlint // cut, not wrong
}

// padded rounds up to whole sectors.
func padded(n int) int { return (n + sector - 1) &^ (sector - 1) }
