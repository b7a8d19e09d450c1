package vmdk

import "encoding/binary"

// How far from its ends the fast loop keeps: one turn reads at most two words of input, and writes at most two literals and
// a match of 258, rounded up to whole words.
const (
	fastIn  = 16
	fastOut = 2 + 258 + 24
)

// far reports whether the fast loop has room for a turn.
func (d *inflater) far() bool { return len(d.src)-d.pos >= fastIn && len(d.dst)-d.n >= fastOut }

// fast decodes symbols until a block or the room ends, and reports whether it was the block. Its state is in locals, which the
// compiler keeps in registers. One refill gives at least 56 bits: two literals (11 bits each, longer words are left to the
// second look-up) and a length with its extra bits (20), or a distance (28).
func (d *inflater) fast() (bool, error) {
	src, pos, hold, bits := d.src, d.pos, d.hold, d.bits
	dst, n := d.dst, d.n
	lit, dist := d.lit, d.dist
	lastIn, lastOut := len(src)-fastIn, len(dst)-fastOut
	done, distance := false, 0
	var e uint32
	for pos <= lastIn && n <= lastOut {
		hold |= binary.LittleEndian.Uint64(src[pos:]) << (bits & 63)
		pos += int(63-bits) >> 3
		bits |= 56
		e = lit[hold&litMask]
		if e&entryLiteral != 0 {
			dst[n] = byte(e >> 16)
			n++
			hold >>= e & 63
			bits -= uint(e & 63)
			e = lit[hold&litMask]
			if e&entryLiteral != 0 {
				dst[n] = byte(e >> 16)
				n++
				hold >>= e & 63
				bits -= uint(e & 63)
				e = lit[hold&litMask]
				if e&entryLiteral != 0 {
					dst[n] = byte(e >> 16)
					n++
					hold >>= e & 63
					bits -= uint(e & 63)
					continue
				}
			}
		}
		if e&entrySpecial != 0 {
			if e&entrySub != 0 {
				hold >>= litBits
				bits -= litBits
				e = lit[(e>>16+uint32(hold)&(1<<(e>>8&31)-1))&uint32(len(lit)-1)]
			}
			if e&entrySpecial != 0 {
				done = true
				break
			}
			if e&entryLiteral != 0 {
				dst[n] = byte(e >> 16)
				n++
				hold >>= e & 63
				bits -= uint(e & 63)
				continue
			}
		}
		length := int(e>>16) + int(hold&(1<<(e&63)-1)>>(e>>8&31))
		hold >>= e & 63
		bits -= uint(e & 63)

		hold |= binary.LittleEndian.Uint64(src[pos:]) << (bits & 63)
		pos += int(63-bits) >> 3
		bits |= 56
		e = dist[hold&distMask]
		if e&entrySpecial != 0 {
			if e&entrySub != 0 {
				hold >>= distBits
				bits -= distBits
				e = dist[(e>>16+uint32(hold)&(1<<(e>>8&31)-1))&uint32(len(dist)-1)]
			}
			if e&entrySpecial != 0 {
				done = true
				break
			}
		}
		distance = int(e>>16) + int(hold&(1<<(e&63)-1)>>(e>>8&31))
		hold >>= e & 63
		bits -= uint(e & 63)
		from := n - distance
		if from < 0 {
			break
		}
		if distance >= 8 && length <= 32 {
			end := n + length
			for {
				binary.LittleEndian.PutUint64(dst[n:], binary.LittleEndian.Uint64(dst[from:]))
				binary.LittleEndian.PutUint64(dst[n+8:], binary.LittleEndian.Uint64(dst[from+8:]))
				n += 16
				from += 16
				if n >= end {
					break
				}
			}
			n = end
			continue
		}
		repeat(dst, n, distance, length)
		n += length
	}
	d.pos, d.hold, d.bits, d.n = pos, hold, bits, n
	switch {
	case distance > n:
		return false, d.tooFar()
	case !done:
		return false, nil
	case e&entryEnd == 0:
		return false, d.noCode()
	}
	d.take(uint(e & 63))
	return true, nil
}

// repeat writes length bytes at n that are a copy of those at n-distance. If the two overlap, the distance is a period, and so
// is every multiple of it: what is copied doubles.
func repeat(dst []byte, n, distance, length int) {
	from, to := n-distance, dst[n:n+length]
	for len(to) > 0 {
		done := copy(to, dst[from:n])
		to = to[done:]
		n += done
	}
}
