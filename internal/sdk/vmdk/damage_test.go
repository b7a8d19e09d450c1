package vmdk

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func le32(b []byte, at int, v uint32) { binary.LittleEndian.PutUint32(b[at:], v) }
func le64(b []byte, at int, v uint64) { binary.LittleEndian.PutUint64(b[at:], v) }

// The disk that is damaged below has grains at 0 and 128 KiB, each of one sector in the stream.
func whole(t testing.TB) []byte {
	return stream(t, 1<<20, map[int64][]byte{0: text(60), 128 << 10: text(60)})
}

const (
	firstGrain  = writerOverhead * sector
	secondGrain = firstGrain + sector
	tableMarker = secondGrain + sector
	tableData   = tableMarker + sector
	dirMarker   = tableData + tableSectors*sector
	dirData     = dirMarker + sector
	footMarker  = dirData + sector
	footData    = footMarker + sector
	endMarker   = footData + sector
)

func TestReader_WholeStreamForTheDamageBelow(t *testing.T) {
	b := whole(t)
	if len(b) != endMarker+sector {
		t.Fatalf("stream of %d bytes, want %d: the offsets in this file are wrong", len(b), endMarker+sector)
	}
	_, grains, err := expand(iotest.OneByteReader(bytes.NewReader(b)))
	if err != nil || len(grains) != 2 {
		t.Fatalf("got %d grains and %v, want 2", len(grains), err)
	}
}

func TestReader_RefusesDamage(t *testing.T) {
	tests := map[string]func(b []byte) []byte{
		"magic":                    func(b []byte) []byte { b[0] = 'X'; return b },
		"version 0":                func(b []byte) []byte { le32(b, 4, 0); return b },
		"version 4":                func(b []byte) []byte { le32(b, 4, 4); return b },
		"not compressed":           func(b []byte) []byte { le32(b, 8, flagMarkers); return b },
		"no markers":               func(b []byte) []byte { le32(b, 8, flagDeflate); return b },
		"capacity 0":               func(b []byte) []byte { le64(b, 12, 0); return b },
		"capacity enormous":        func(b []byte) []byte { le64(b, 12, 1<<63); return b },
		"capacity below a grain":   func(b []byte) []byte { le64(b, 12, 256); le64(b, footData+12, 256); return b },
		"grain 0":                  func(b []byte) []byte { le64(b, 20, 0); return b },
		"grain not a power of two": func(b []byte) []byte { le64(b, 20, 96); return b },
		"grain too small":          func(b []byte) []byte { le64(b, 20, 4); return b },
		"grain too large":          func(b []byte) []byte { le64(b, 20, 512); return b },
		"tables too many":          func(b []byte) []byte { le64(b, 20, 8); le64(b, 12, uint64(maxCapacity)); return b },
		"descriptor far":           func(b []byte) []byte { le64(b, 28, 1<<40); return b },
		"descriptor at 0":          func(b []byte) []byte { le64(b, 28, 0); return b },
		"descriptor past grains":   func(b []byte) []byte { le64(b, 28, 120); return b },
		"descriptor enormous":      func(b []byte) []byte { le64(b, 36, 1<<62); return b },
		"table entries":            func(b []byte) []byte { le32(b, 44, 1<<31); return b },
		"directory 0":              func(b []byte) []byte { le64(b, 56, 0); return b },
		"directory in descriptor":  func(b []byte) []byte { le64(b, 56, 2); return b },
		"directory in front":       func(b []byte) []byte { le64(b, 56, 40); return b },
		"directory elsewhere":      func(b []byte) []byte { le64(b, 56, dirData/sector+1); return b },
		"overhead 0":               func(b []byte) []byte { le64(b, 64, 0); return b },
		"overhead enormous":        func(b []byte) []byte { le64(b, 64, 1<<55); return b },
		"text mode":                func(b []byte) []byte { b[75] = '\n'; return b },
		"compression":              func(b []byte) []byte { b[77] = 2; return b },
		"parent": func(b []byte) []byte {
			return bytes.Replace(b, []byte("parentCID=ffffffff"), []byte("parentCID=12345678"), 1)
		},
		"grain between grains":    func(b []byte) []byte { le64(b, secondGrain, 100); return b },
		"grain outside":           func(b []byte) []byte { le64(b, secondGrain, 2048); return b },
		"grain far outside":       func(b []byte) []byte { le64(b, secondGrain, 1<<63); return b },
		"grain twice":             func(b []byte) []byte { le64(b, secondGrain, 0); return b },
		"grain elsewhere":         func(b []byte) []byte { le64(b, secondGrain, 128); return b },
		"grain too long":          func(b []byte) []byte { le32(b, secondGrain+8, 1<<20); return b },
		"grain of 4 GiB":          func(b []byte) []byte { le32(b, secondGrain+8, 1<<32-1); return b },
		"grain left out":          func(b []byte) []byte { return cut(b, secondGrain, tableMarker) },
		"grain inserted":          func(b []byte) []byte { return insert(b, secondGrain, b[firstGrain:secondGrain]) },
		"marker unknown":          func(b []byte) []byte { le32(b, tableMarker+12, 9); return b },
		"table of 3 sectors":      func(b []byte) []byte { le64(b, tableMarker, 3); return b },
		"table enormous":          func(b []byte) []byte { le64(b, tableMarker, 1<<60); return b },
		"table entry wrong":       func(b []byte) []byte { le32(b, tableData, firstGrain/sector+1); return b },
		"table entry missing":     func(b []byte) []byte { le32(b, tableData, 0); return b },
		"table entry too many":    func(b []byte) []byte { le32(b, tableData+4, 99); return b },
		"table entry swapped":     func(b []byte) []byte { le32(b, tableData, 129); le32(b, tableData+8, 128); return b },
		"table twice":             func(b []byte) []byte { return insert(b, dirMarker, b[tableMarker:dirMarker]) },
		"table missing":           func(b []byte) []byte { return cut(b, tableMarker, dirMarker) },
		"table after directory":   func(b []byte) []byte { return insert(b, footMarker, b[tableMarker:dirMarker]) },
		"directory too long":      func(b []byte) []byte { le64(b, dirMarker, 2); return b },
		"directory empty":         func(b []byte) []byte { le32(b, dirData, 0); return b },
		"directory wrong":         func(b []byte) []byte { le32(b, dirData, 5); return b },
		"directory missing":       func(b []byte) []byte { return cut(b, dirMarker, footMarker) },
		"directory twice":         func(b []byte) []byte { return insert(b, footMarker, b[dirMarker:footMarker]) },
		"grain after directory":   func(b []byte) []byte { return insert(b, footMarker, b[firstGrain:secondGrain]) },
		"footer missing":          func(b []byte) []byte { return cut(b, footMarker, endMarker) },
		"footer of 2 sectors":     func(b []byte) []byte { le64(b, footMarker, 2); return b },
		"footer magic":            func(b []byte) []byte { b[footData] = 0; return b },
		"footer directory":        func(b []byte) []byte { le64(b, footData+56, 1); return b },
		"footer capacity":         func(b []byte) []byte { le64(b, footData+12, 4096); return b },
		"footer grain":            func(b []byte) []byte { le64(b, footData+20, 64); return b },
		"footer flags":            func(b []byte) []byte { le32(b, footData+8, 0); return b },
		"footer version":          func(b []byte) []byte { le32(b, footData+4, 1); return b },
		"footer twice":            func(b []byte) []byte { return insert(b, endMarker, b[footMarker:endMarker]) },
		"end with a value":        func(b []byte) []byte { le64(b, endMarker, 7); return b },
		"data behind the end":     func(b []byte) []byte { return append(b, 1) },
		"too much padding":        func(b []byte) []byte { return append(b, make([]byte, maxPadding+1)...) },
		"end before anything":     func(b []byte) []byte { return append(b[:firstGrain], make([]byte, sector)...) },
		"another stream follows":  func(b []byte) []byte { return append(b, b...) },
		"not a zlib stream":       func(b []byte) []byte { b[firstGrain+grainHead] = 0; return b },
		"deflate stream damaged":  func(b []byte) []byte { b[firstGrain+grainHead+2] = 0xff; return b },
		"Adler-32":                func(b []byte) []byte { b[adlerAt(b)] ^= 1; return b },
		"preset dictionary":       func(b []byte) []byte { copy(b[firstGrain+grainHead:], "\x78\x20"); return b },
		"bytes behind the stream": func(b []byte) []byte { b[firstGrain+8]++; return b },
		"grain of a few bytes":    func(b []byte) []byte { le32(b, firstGrain+8, 4); return b },
	}
	for name, damage := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := expand(bytes.NewReader(damage(whole(t))))
			if !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want sdk.ErrInvalid", err)
			}
		})
	}
}

func adlerAt(b []byte) int {
	return firstGrain + grainHead + int(binary.LittleEndian.Uint32(b[firstGrain+8:])) - 1
}

func cut(b []byte, from, to int) []byte { return append(b[:from:from], b[to:]...) }

func insert(b []byte, at int, part []byte) []byte {
	return append(append(b[:at:at], part...), b[at:]...)
}

func TestReader_CutAnywhereIsUnexpectedEOF(t *testing.T) {
	b := whole(t)
	for n := 0; n < len(b); n += 97 {
		if _, _, err := expand(bytes.NewReader(b[:n])); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("cut at %d of %d: got %v, want io.ErrUnexpectedEOF", n, len(b), err)
		}
	}
}

func TestReader_TablesInFront(t *testing.T) {
	b := frontStream(t, 1<<20, []int64{0, 3, 5})
	if _, grains, err := expand(bytes.NewReader(b)); err != nil || len(grains) != 3 {
		t.Fatalf("got %d grains and %v, want 3", len(grains), err)
	}
	one := (len(b) - firstGrain) / 3
	for name, part := range map[string][]byte{"at a marker": b[:len(b)-one], "in a grain": b[:len(b)-100]} {
		if _, _, err := expand(bytes.NewReader(part)); !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("cut %s: got %v, want io.ErrUnexpectedEOF", name, err)
		}
	}
	marked := append(b[:len(b)-one:len(b)-one], make([]byte, sector)...)
	if _, _, err := expand(bytes.NewReader(marked)); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("grain missing before the end marker: got %v, want sdk.ErrInvalid", err)
	}
}

func TestReader_TablesInFrontAreChecked(t *testing.T) {
	const directory, table = 30 * sector, 31 * sector
	for name, damage := range map[string]func(b []byte) []byte{
		"table outside":    func(b []byte) []byte { le32(b, directory, 4000); return b },
		"table in a grain": func(b []byte) []byte { le32(b, directory, writerOverhead-1); return b },
		"end marked with a wrong table": func(b []byte) []byte {
			le32(b, table, 7)
			return append(b, make([]byte, sector)...)
		},
		"table marker": func(b []byte) []byte {
			b = append(b, make([]byte, sector)...)
			le32(b, len(b)-sector+12, markerTable)
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := expand(bytes.NewReader(damage(frontStream(t, 1<<20, []int64{0, 3}))))
			if !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("got %v, want sdk.ErrInvalid", err)
			}
		})
	}
}

func TestReader_SmallGrainsOutOfOrder(t *testing.T) {
	_, grains, err := expand(bytes.NewReader(tiny(t, 3*tableEntries, 2, 1, tableEntries+7, 3*tableEntries-1)))
	if err != nil || len(grains) != 4 {
		t.Fatalf("got %d grains and %v, want 4", len(grains), err)
	}
}

func TestReader_PaddingBehindTheEndIsFine(t *testing.T) {
	for _, n := range []int{1, 511, 512, 65536} {
		if _, _, err := expand(bytes.NewReader(append(whole(t), make([]byte, n)...))); err != nil {
			t.Errorf("%d bytes of padding: %v", n, err)
		}
	}
}

func TestReader_ErrorOfTheStreamComesThrough(t *testing.T) {
	want := errors.New("connection reset by peer")
	b := whole(t)
	_, _, err := expand(io.MultiReader(bytes.NewReader(b[:secondGrain+5]), iotest.ErrReader(want)))
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestReader_ConsumedIsTheWholeStream(t *testing.T) {
	b := append(whole(t), make([]byte, 1000)...)
	r, err := NewReader(bytes.NewReader(b))
	for err == nil {
		_, err = r.Next()
	}
	if r.Consumed() != int64(len(b)) {
		t.Errorf("consumed %d of %d bytes (%v)", r.Consumed(), len(b), err)
	}
}

func TestInflate_BoundsItsOutput(t *testing.T) {
	g := grainOf(t, text(65536))
	if n, err := Inflate(make([]byte, 65535), g); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("too little room: got %d bytes and %v, want sdk.ErrInvalid", n, err)
	}
	if n, err := Inflate(make([]byte, 65536), g); err != nil || n != 65536 {
		t.Errorf("got %d bytes and %v, want 65536", n, err)
	}
	if n, err := Inflate(make([]byte, 70000), g); err != nil || n != 65536 {
		t.Errorf("more room than needed: got %d bytes and %v, want 65536", n, err)
	}
}

// grainOf is the only grain of a disk with this data.
func grainOf(t testing.TB, data []byte) []byte {
	r, err := NewReader(bytes.NewReader(stream(t, int64(len(data)), map[int64][]byte{0: data})))
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(g.Data)
}
