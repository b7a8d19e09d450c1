package vmdk

import (
	"encoding/binary"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// readHead reads everything before the first marker: header, descriptor and, when they lie in front, the tables.
func (r *Reader) readHead() error {
	b, err := r.in.peek(sector)
	if len(b) >= len(magic) && string(b[:len(magic)]) != magic {
		return sdk.Invalidf("not a vmdk: it begins with % x", b[:len(magic)])
	}
	if err != nil {
		return err
	}
	r.extent = decodeExtent(b)
	if err := r.extent.validate(); err != nil {
		return err
	}
	r.in.skip(sector)
	r.maxPayload = uint32(2 * r.extent.grain * sector)
	descriptor, err := r.readDescriptor()
	if err != nil {
		return err
	}
	r.header = r.extent.header(descriptor)
	if err := validateDescriptor(r.header.Descriptor); err != nil {
		return err
	}
	if r.extent.directoryInFront() {
		return r.readFront()
	}
	return r.skipTo(r.extent.overhead)
}

func (r *Reader) readDescriptor() ([]byte, error) {
	e := r.extent
	if e.descriptorLength == 0 {
		return nil, nil
	}
	if e.directoryInFront() && e.directory < e.descriptor+e.descriptorLength {
		return nil, sdk.Invalidf("grain directory at sector %d lies before or inside the descriptor", e.directory)
	}
	if err := r.skipTo(e.descriptor); err != nil {
		return nil, err
	}
	b, err := r.in.take(int(e.descriptorLength) * sector)
	return append([]byte(nil), b...), err
}

// skipTo moves ahead to a sector; the caller made sure that it is not behind.
func (r *Reader) skipTo(at uint64) error {
	return r.in.discard(int64(at)*sector - r.in.position)
}

// readFront reads directory and tables that lie before the grains, and keeps a sum of each table.
func (r *Reader) readFront() error {
	if err := r.skipTo(r.extent.directory); err != nil {
		return err
	}
	where := map[uint32]uint32{} // sector -> index
	err := r.eachTable(func(index, at uint32) error {
		if uint64(at)+tableSectors > r.extent.overhead {
			return sdk.Invalidf("grain table %d at sector %d is not before the first grain", index, at)
		}
		if _, twice := where[at]; twice {
			return sdk.Invalidf("grain directory names the table at sector %d twice", at)
		}
		where[at] = index
		return nil
	})
	if err != nil {
		return err
	}
	r.front = make(map[uint32]uint64, len(where))
	for at := uint64(r.in.position / sector); at < r.extent.overhead; {
		index, ok := where[uint32(at)]
		if !ok {
			if err := r.in.discard(sector); err != nil {
				return err
			}
			at++
			continue
		}
		table, err := r.in.take(tableSectors * sector)
		if err != nil {
			return err
		}
		if sum := r.grains.sumTable(table, r.zeroed()); sum != 0 {
			r.front[index] = sum
		}
		delete(where, uint32(at))
		at += tableSectors
	}
	if len(where) > 0 {
		return sdk.Invalidf("grain directory names %d tables that are not between it and the first grain", len(where))
	}
	if uint64(r.in.position) != r.extent.overhead*sector {
		return sdk.Invalidf("grain directory reaches into the first grain")
	}
	return nil
}

// eachTable reads a grain directory and calls f for every table that it names.
func (r *Reader) eachTable(f func(index, at uint32) error) error {
	left := uint32(r.extent.tables())
	for index := uint32(0); left > 0; {
		b, err := r.in.take(sector)
		if err != nil {
			return err
		}
		for ; len(b) > 0 && left > 0; b, left, index = b[4:], left-1, index+1 {
			at := binary.LittleEndian.Uint32(b)
			if at == 0 {
				continue
			}
			if err := f(index, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Reader) zeroed() bool { return r.extent.flags&flagZeroed != 0 }

// table reads a grain table among the grains. Which one it is only the directory says.
func (r *Reader) table(at, sectors uint64) error {
	switch {
	case r.state != inGrains:
		return sdk.Invalidf("grain table behind the grain directory")
	case sectors != tableSectors:
		return sdk.Invalidf("grain table of %d sectors, want %d", sectors, tableSectors)
	case uint64(len(r.tables)) >= r.extent.tables():
		return sdk.Invalidf("more grain tables than the disk's %d", r.extent.tables())
	case at > 1<<32-1:
		return sdk.Invalidf("grain table at stream sector %d, which no directory can name", at)
	}
	b, err := r.in.take(tableSectors * sector)
	if err != nil {
		return err
	}
	r.tables[uint32(at)] = r.grains.sumTable(b, r.zeroed())
	return nil
}

// readDirectory reads the grain directory behind the grains and finds out which table was which.
func (r *Reader) readDirectory(at, sectors uint64) error {
	switch {
	case r.state != inGrains:
		return sdk.Invalidf("second grain directory")
	case sectors != r.extent.directorySectors():
		return sdk.Invalidf("grain directory of %d sectors, want %d", sectors, r.extent.directorySectors())
	case r.extent.directory != directoryAtEnd && r.extent.directory != at:
		return sdk.Invalidf("grain directory at sector %d, the header says %d", at, r.extent.directory)
	}
	r.read = make(map[uint32]uint64, len(r.tables))
	err := r.eachTable(func(index, at uint32) error {
		sum, ok := r.tables[at]
		if !ok {
			return sdk.Invalidf("grain directory names a table at sector %d, where none was", at)
		}
		delete(r.tables, at)
		r.read[index] = sum
		return nil
	})
	if err != nil {
		return err
	}
	if len(r.tables) > 0 {
		return sdk.Invalidf("grain directory leaves out %d of the stream's tables", len(r.tables))
	}
	r.directory, r.state = at, afterDirectory
	return nil
}

// footer reads the copy of the header that says where the directory is.
func (r *Reader) footer(sectors uint64) error {
	switch {
	case r.state != afterDirectory:
		return sdk.Invalidf("footer that does not follow the grain directory")
	case sectors != 1:
		return sdk.Invalidf("footer of %d sectors, want 1", sectors)
	}
	b, err := r.in.take(sector)
	if err != nil {
		return err
	}
	if string(b[:len(magic)]) != magic {
		return sdk.Invalidf("footer begins with % x", b[:len(magic)])
	}
	got, want := decodeExtent(b), r.extent
	if got.directory != r.directory {
		return sdk.Invalidf("footer puts the grain directory at sector %d, it was at %d", got.directory, r.directory)
	}
	if got.capacity != want.capacity || got.grain != want.grain || got.flags != want.flags ||
		got.tableEntries != want.tableEntries || got.algorithm != want.algorithm || got.version != want.version {
		return sdk.Invalidf("footer and header do not agree")
	}
	r.state, r.hasFooter = afterFooter, true
	return nil
}
