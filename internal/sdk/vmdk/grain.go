package vmdk

import (
	"encoding/binary"
	"hash/adler32"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Grain is one compressed grain. Data is the zlib stream (RFC 1950) and is only valid until the next call of Next.
type Grain struct {
	Offset int64 // in the disk, bytes, a multiple of GrainBytes
	Data   []byte
}

const (
	zlibHead = 2 // method, window, check bits
	zlibTail = 4 // Adler-32, big endian
)

// RawDeflate strips the zlib wrapper of a grain: 2 bytes in front, 4 behind (RFC 1950), leaving a deflate stream (RFC 1951).
// It checks the header's method and that no preset dictionary is used.
func RawDeflate(zlibStream []byte) ([]byte, error) {
	if len(zlibStream) <= zlibHead+zlibTail {
		return nil, sdk.Invalidf("zlib stream of %d bytes is too short", len(zlibStream))
	}
	cmf, flg := zlibStream[0], zlibStream[1]
	switch {
	case cmf&0x0f != 8 || cmf>>4 > 7 || (uint(cmf)<<8|uint(flg))%31 != 0:
		return nil, sdk.Invalidf("grain is not a zlib stream: it begins with % x", zlibStream[:zlibHead])
	case flg&0x20 != 0:
		return nil, sdk.Invalidf("zlib stream needs a preset dictionary")
	}
	return zlibStream[zlibHead : len(zlibStream)-zlibTail], nil
}

// Inflate decompresses a grain into dst (GrainBytes long, or shorter for the last grain of a disk whose capacity is not a
// multiple of it) and checks its Adler-32. It returns the number of bytes; what dst holds behind them is undefined. Whatever is
// wrong with the stream is sdk.ErrInvalid. Safe for concurrent use.
func Inflate(dst, zlibStream []byte) (int, error) {
	raw, err := RawDeflate(zlibStream)
	if err != nil {
		return 0, err
	}
	want := binary.BigEndian.Uint32(zlibStream[len(zlibStream)-zlibTail:])
	n, err := inflateRaw(dst, raw)
	if err == nil && adler32.Checksum(dst[:n]) == want {
		return n, nil
	}
	// A grain is about to be called wrong. Ours is the fast decoder; the library's, slower and proven, has the last word.
	n, err = inflateByLibrary(dst, raw)
	if err != nil {
		return n, err
	}
	if got := adler32.Checksum(dst[:n]); got != want {
		return n, sdk.Invalidf("grain's Adler-32 is %08x, its stream says %08x", got, want)
	}
	return n, nil
}
