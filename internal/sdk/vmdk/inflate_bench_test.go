package vmdk

import (
	"bytes"
	stdflate "compress/flate"
	"encoding/binary"
	"hash/adler32"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
)

// BenchmarkInflate decodes grains of the machine's programs, compressed at level 1 as ESXi does, beside two
// readers of a stream and the same check.
func BenchmarkInflate(b *testing.B) {
	grains, size := fileGrains(b, 16<<20)
	plain := make([]byte, grainBytes)
	b.Run("grain", func(b *testing.B) {
		eachGrain(b, grains, size, func(g []byte) error {
			_, err := inflateFast(plain, g)
			return err
		})
	})
	readers := map[string]io.Reader{"klauspost": flate.NewReader(nil), "standard": stdflate.NewReader(nil)}
	for name, r := range readers {
		b.Run(name, func(b *testing.B) {
			eachGrain(b, grains, size, func(g []byte) error {
				if err := r.(flate.Resetter).Reset(bytes.NewReader(g[zlibHead:]), nil); err != nil {
					return err
				}
				_, err := io.ReadFull(r, plain)
				if err == nil && adler32.Checksum(plain) != binary.BigEndian.Uint32(g[len(g)-zlibTail:]) {
					err = errStandard
				}
				return err
			})
		})
	}
}

func eachGrain(b *testing.B, grains [][]byte, size int, inflate func([]byte) error) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for _, g := range grains {
			if err := inflate(g); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// fileGrains is whole grains, compressed, of at most so many bytes of the machine's programs, and how many bytes they are.
func fileGrains(tb testing.TB, limit int) ([][]byte, int) {
	tb.Helper()
	names, err := filepath.Glob("/usr/bin/*")
	if err != nil {
		tb.Fatal(err)
	}
	var data []byte
	for _, name := range names {
		if file, err := os.ReadFile(name); err == nil && len(data) < limit {
			data = append(data, file...)
		}
	}
	data = data[:min(len(data), limit)/grainBytes*grainBytes]
	var grains [][]byte
	for at := 0; at < len(data); at += grainBytes {
		var buf bytes.Buffer
		w, err := zlib.NewWriterLevel(&buf, 1)
		if err != nil {
			tb.Fatal(err)
		}
		if err := writeAll(w, data[at:at+grainBytes]); err != nil {
			tb.Fatal(err)
		}
		grains = append(grains, buf.Bytes())
	}
	return grains, len(data)
}
