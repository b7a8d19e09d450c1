package vmdk

import (
	"encoding/binary"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// inflater decodes one deflate stream (RFC 1951) of which both the whole input and the room for the whole output are in
// memory, which is what makes it fast: no window, no state to stop and go on in the middle. It is kept for reuse.
type inflater struct {
	src  []byte
	pos  int    // in src, of what is not yet in hold
	hold uint64 // input bits, the next one lowest
	bits uint   // how many of hold count; what lies above them is zero or repeats src[pos:]
	dst  []byte
	n    int // bytes written

	codes *codes
	lit   *litTable // of the block
	dist  *distTable

	ownLit  litTable
	ownDist distTable
	pre     [1 << preBits]uint32
	lens    [litSyms + distSyms]uint8
}

var inflaters = sync.Pool{New: func() any { return &inflater{codes: fixedCodes()} }}

// inflateRaw decodes the deflate stream raw into dst, demands that both end within, and returns the number of bytes.
func inflateRaw(dst, raw []byte) (int, error) {
	d := inflaters.Get().(*inflater) //nolint:forcetypeassert // the pool makes nothing else
	defer inflaters.Put(d)
	d.src, d.dst = raw, dst
	d.pos, d.hold, d.bits, d.n = 0, 0, 0, 0
	err := d.stream()
	d.src, d.dst = nil, nil // the pool must not keep the caller's memory
	if rest := len(raw) - d.pos + int(d.bits/8); err == nil && rest > 0 {
		err = sdk.Invalidf("grain has %d bytes behind its deflate stream", rest)
	}
	return d.n, err
}

// stream decodes block after block up to the final one.
func (d *inflater) stream() error {
	for {
		d.refill()
		head := d.take(3)
		var err error
		switch {
		case head < 0:
			err = d.short()
		case head>>1 == 0:
			err = d.stored()
		case head>>1 == 1:
			d.lit, d.dist = &d.codes.fixed, &d.codes.fixDist
			err = d.block()
		case head>>1 == 2:
			if err = d.readCodes(); err == nil {
				err = d.block()
			}
		default:
			err = d.invalid("a block of no known type")
		}
		if err != nil || head&1 == 1 {
			return err
		}
	}
}

func (d *inflater) invalid(what string) error {
	return sdk.Invalidf("inflate grain: %s, before byte %d of the stream and byte %d of the data", what, d.pos, d.n)
}

func (d *inflater) short() error { return d.invalid("the stream is cut short") }

func (d *inflater) full() error {
	return sdk.Invalidf("grain inflates to more than %d bytes", len(d.dst))
}

// refill makes bits at least 56, or as many as are left.
func (d *inflater) refill() {
	if len(d.src)-d.pos >= 8 {
		d.hold |= binary.LittleEndian.Uint64(d.src[d.pos:]) << (d.bits & 63)
		d.pos += int(63-d.bits) >> 3
		d.bits |= 56
		return
	}
	for d.bits < 56 && d.pos < len(d.src) {
		d.hold |= uint64(d.src[d.pos]) << (d.bits & 63)
		d.pos++
		d.bits += 8
	}
}

// take consumes so many bits; -1: the input has no more.
func (d *inflater) take(bits uint) int {
	if d.bits < bits {
		return -1
	}
	v := int(d.hold & (1<<bits - 1))
	d.hold >>= bits
	d.bits -= bits
	return v
}

// stored copies a block that is not compressed.
func (d *inflater) stored() error {
	d.pos -= int(d.bits / 8) // the rest of the last byte is padding
	d.hold, d.bits = 0, 0
	if len(d.src)-d.pos < 4 {
		return d.short()
	}
	size := binary.LittleEndian.Uint16(d.src[d.pos:])
	if check := binary.LittleEndian.Uint16(d.src[d.pos+2:]); check != ^size {
		return d.invalid("the length of a stored block does not match its complement")
	}
	d.pos += 4
	block := d.src[d.pos:]
	switch {
	case len(block) < int(size):
		return d.short()
	case len(d.dst)-d.n < int(size):
		return d.full()
	}
	d.n += copy(d.dst[d.n:], block[:size])
	d.pos += int(size)
	return nil
}

// block decodes the symbols of a block: fast where neither end is near, and else one by one.
func (d *inflater) block() error {
	for {
		if d.far() {
			if done, err := d.fast(); done || err != nil {
				return err
			}
		}
		if done, err := d.slow(); done || err != nil {
			return err
		}
	}
}

// slow decodes one symbol, and reports whether it was the end of the block. It expects nothing of what is left.
func (d *inflater) slow() (bool, error) {
	d.refill()
	e := d.lit[d.hold&litMask]
	if e&entrySub != 0 {
		if d.take(uint(e&0xff)) < 0 {
			return false, d.short()
		}
		e = d.lit[(uint64(e>>16)+d.hold&(1<<(e>>8&31)-1))&(uint64(len(d.lit))-1)]
	}
	base, err := d.value(e)
	switch {
	case err != nil:
		return false, err
	case e&entryEnd != 0:
		return true, nil
	case d.n >= len(d.dst):
		return false, d.full()
	case e&entryLiteral != 0:
		d.dst[d.n] = byte(base)
		d.n++
		return false, nil
	}
	f := d.dist[d.hold&distMask]
	if f&entrySub != 0 {
		if d.take(uint(f&0xff)) < 0 {
			return false, d.short()
		}
		f = d.dist[(uint64(f>>16)+d.hold&(1<<(f>>8&31)-1))&(uint64(len(d.dist))-1)]
	}
	distance, err := d.value(f)
	switch {
	case err != nil:
		return false, err
	case distance > d.n:
		return false, d.tooFar()
	case base > len(d.dst)-d.n:
		return false, d.full()
	}
	repeat(d.dst, d.n, distance, base)
	d.n += base
	return false, nil
}

// value consumes the code word of an entry and its extra bits, and returns what they stand for.
func (d *inflater) value(e uint32) (int, error) {
	if e&(entrySpecial|entryEnd) == entrySpecial {
		if d.bits < maxCode && d.pos == len(d.src) {
			return 0, d.short() // may be a code word that is cut
		}
		return 0, d.noCode()
	}
	word := uint(e >> 8 & 31)
	bits := d.take(uint(e & 0xff))
	if bits < 0 {
		return 0, d.short()
	}
	return int(e&^entryLiteral>>16) + bits>>word, nil
}

func (d *inflater) noCode() error { return d.invalid("a bit pattern that is no code word") }

func (d *inflater) tooFar() error { return d.invalid("a match that begins before the data") }
