package guest

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	lz4Unpacked = 8 << 20              // what a block of the legacy frame unpacks to at most
	maxLZ4Block = lz4Unpacked + 64<<10 // and what it takes, at worst
	minLZ4Match = 4
)

var errLZ4 = errors.New("damaged lz4 block")

// lz4Reader reads LZ4's legacy frame, the only one that the kernel reads: a magic number, then blocks, each after its length
// (lz4_Frame_format.md and lz4_Block_format.md of the LZ4 project).
type lz4Reader struct {
	rest  []byte
	block []byte // what is left of the current block, unpacked
}

func newLZ4Reader(frame []byte) *lz4Reader { return &lz4Reader{rest: frame[min(4, len(frame)):]} }

func (r *lz4Reader) Read(p []byte) (int, error) {
	for len(r.block) == 0 {
		if len(r.rest) < 4 {
			return 0, io.EOF
		}
		n := int(binary.LittleEndian.Uint32(r.rest))
		if n > len(r.rest)-4 {
			return 0, io.ErrUnexpectedEOF
		}
		block, err := unpackLZ4Block(r.rest[4 : 4+n])
		if err != nil {
			return 0, err
		}
		r.block, r.rest = block, r.rest[4+n:]
	}
	n := copy(p, r.block)
	r.block = r.block[n:]
	return n, nil
}

// unpackLZ4Block unpacks a block: sequences of literals and a match, the last without one.
func unpackLZ4Block(src []byte) ([]byte, error) {
	dst := make([]byte, 0, min(4*len(src), lz4Unpacked))
	for len(src) > 0 {
		token := src[0]
		literals, rest, err := lz4Size(src[1:], int(token>>4))
		if err != nil {
			return nil, err
		}
		if literals > len(rest) || len(dst)+literals > lz4Unpacked {
			return nil, errLZ4
		}
		dst = append(dst, rest[:literals]...)
		src = rest[literals:]
		if len(src) == 0 {
			break
		}
		if len(src) < 2 {
			return nil, errLZ4
		}
		offset := int(binary.LittleEndian.Uint16(src))
		length, rest, err := lz4Size(src[2:], int(token&15))
		if err != nil {
			return nil, err
		}
		length += minLZ4Match
		if offset == 0 || offset > len(dst) || len(dst)+length > lz4Unpacked {
			return nil, errLZ4
		}
		for from := len(dst) - offset; length > 0; length-- { // it may overlap what it writes
			dst = append(dst, dst[from])
			from++
		}
		src = rest
	}
	return dst, nil
}

func lz4Size(src []byte, size int) (int, []byte, error) {
	if size < 15 {
		return size, src, nil
	}
	for i, b := range src {
		if size += int(b); size > lz4Unpacked {
			return 0, nil, errLZ4
		}
		if b < 255 {
			return size, src[i+1:], nil
		}
	}
	return 0, nil, errLZ4
}
