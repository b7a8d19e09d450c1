package guest

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

var magics = []struct{ format, magic string }{
	{"cpio", "07070"},
	{"gzip", "\x1f\x8b"},
	{"zstd", "\x28\xb5\x2f\xfd"},
	{"lz4", "\x02\x21\x4c\x18"},
	{"xz", "\xfd7zXZ\x00"},
	{"lzma", "\x5d\x00\x00"},
	{"bzip2", "BZh"},
	{"lzo", "\x89LZO"},
}

func compressionOf(image []byte) string {
	for _, m := range magics {
		if bytes.HasPrefix(image, []byte(m.magic)) {
			return m.format
		}
	}
	return ""
}

// unpack returns the content of the segment at the start of image, and a function that says how long the segment is, to be
// called when the content has been read.
func unpack(format string, image []byte) (io.ReadCloser, func() (int, error), error) {
	switch format {
	case "cpio":
		n, err := plainCPIOLength(image)
		return io.NopCloser(bytes.NewReader(image[:n])), func() (int, error) { return n, nil }, err
	case "gzip":
		return unpackGzip(image)
	case "zstd":
		n, err := zstdLength(image)
		if err != nil {
			return nil, nil, err
		}
		dec, err := zstd.NewReader(bytes.NewReader(image[:n]), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return dec.IOReadCloser(), func() (int, error) { return n, nil }, nil
	case "lz4":
		n := lz4Length(image)
		return io.NopCloser(newLZ4Reader(image[:n])), func() (int, error) { return n, nil }, nil
	case "":
		return nil, nil, errors.New("neither a cpio archive nor a known compression")
	}
	return nil, nil, fmt.Errorf("compressed with %s, which is not read here", format)
}

func unpackGzip(image []byte) (io.ReadCloser, func() (int, error), error) {
	raw := bytes.NewReader(image)
	gz, err := gzip.NewReader(raw)
	if err != nil {
		return nil, nil, err
	}
	gz.Multistream(false)
	length := func() (int, error) {
		if _, err := io.Copy(io.Discard, io.LimitReader(gz, maxUnpacked)); err != nil {
			return 0, err
		}
		return len(image) - raw.Len(), nil
	}
	return gz, length, nil
}

// plainCPIOLength finds the trailer of an archive that is not compressed, such as processor microcode; what follows may be
// a compressed one.
func plainCPIOLength(image []byte) (int, error) {
	in := &countingReader{r: bytes.NewReader(image)}
	for {
		name := int(in.n) + cpioHeader
		first := make([]byte, 1)
		if _, err := io.ReadFull(in, first); err != nil {
			return 0, truncated(err)
		}
		if err := readMember(in, first[0], 0, func(string) bool { return false }, func(cpioFile) {}); err != nil {
			return 0, err
		}
		if bytes.HasPrefix(image[min(name, len(image)):], []byte(cpioTrailer+"\x00")) {
			return int(in.n), nil
		}
	}
}

// zstdLength walks the blocks of one frame (RFC 8878, 3.1.1).
func zstdLength(image []byte) (int, error) {
	if len(image) < 6 {
		return 0, io.ErrUnexpectedEOF
	}
	descriptor := image[4]
	single := descriptor>>5&1 == 1
	at := 5
	if !single {
		at++
	}
	at += []int{0, 1, 2, 4}[descriptor&3]
	switch size := descriptor >> 6; {
	case size == 0 && single:
		at++
	case size > 0:
		at += 1 << size
	}
	for {
		if at+3 > len(image) {
			return 0, io.ErrUnexpectedEOF
		}
		block := int(image[at]) | int(image[at+1])<<8 | int(image[at+2])<<16
		at += 3
		if block>>1&3 == 1 {
			at++ // one byte, repeated
		} else {
			at += block >> 3
		}
		if block&1 == 1 {
			break
		}
	}
	at += 4 * int(descriptor>>2&1)
	if at > len(image) {
		return 0, io.ErrUnexpectedEOF
	}
	return at, nil
}

// lz4Length walks the blocks of a legacy LZ4 frame. The format has no end of its own: a block that cannot be one, or zeros,
// end it.
func lz4Length(image []byte) int {
	at := 4
	for at+4 <= len(image) {
		n := int(binary.LittleEndian.Uint32(image[at:]))
		if n == 0 || n > maxLZ4Block || at+4+n > len(image) {
			break
		}
		at += 4 + n
	}
	return at
}
