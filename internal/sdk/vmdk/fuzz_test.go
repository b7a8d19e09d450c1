package vmdk

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/zlib"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// FuzzReader feeds noise and damaged streams to the reader. Whatever comes, it ends with one of the three promised errors,
// yields only grains of the disk and none twice, and does not read without end. The seeds in testdata are small streams, whole and damaged.
func FuzzReader(f *testing.F) {
	f.Add([]byte(magic))
	f.Add(tiny(f, 100, 0, 9, 5))
	f.Add(tiny(f, 3*tableEntries, 3, tableEntries+7))
	f.Add(stream(f, 1<<20, map[int64][]byte{0: text(100), 300_000: noise(600)}))
	f.Add(stream(f, 200<<20, map[int64][]byte{150 << 20: text(70_000)}))
	f.Add(frontStream(f, 1<<20, []int64{0, 3}))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data))
		seen := map[int64]bool{}
		for err == nil {
			var g Grain
			if g, err = r.Next(); err != nil {
				break
			}
			h := r.Header()
			if g.Offset < 0 || g.Offset >= h.CapacityBytes || g.Offset%h.GrainBytes != 0 || seen[g.Offset] {
				t.Fatalf("grain at %d of a disk of %d", g.Offset, h.CapacityBytes)
			}
			seen[g.Offset] = true
			n, err := Inflate(make([]byte, h.GrainBytes), g.Data)
			if err != nil && !errors.Is(err, sdk.ErrInvalid) {
				t.Fatalf("inflate: %v", err)
			}
			if n > int(h.GrainBytes) {
				t.Fatalf("grain of %d bytes", n)
			}
		}
		if err != io.EOF && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, sdk.ErrInvalid) { //nolint:errorlint // the bare io.EOF is promised
			t.Fatalf("got %v", err)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) && errors.Is(err, sdk.ErrInvalid) {
			t.Fatalf("both cut and wrong: %v", err)
		}
	})
}

// stream is what Write makes of a disk with the given data.
func stream(t testing.TB, size int64, data map[int64][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, image(t, size, data), WriterSpec{CapacityBytes: size}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// tiny is the smallest stream with these grains of 4 KiB: nothing lies before the first marker but the header.
func tiny(t testing.TB, count uint64, grains ...uint64) []byte {
	t.Helper()
	e := extent{
		version: 3, flags: writerFlags, capacity: count * minGrain, grain: minGrain, tableEntries: tableEntries,
		directory: directoryAtEnd, overhead: 1, newlines: newlines, algorithm: deflate,
	}
	if err := e.validate(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := &writer{w: bufio.NewWriter(&b), extent: e, directory: make([]uint32, e.tables())}
	w.write(e.encode())
	var data bytes.Buffer
	if err := writeAll(zlib.NewWriter(&data), text(minGrain*sector)); err != nil {
		t.Fatal(err)
	}
	for _, number := range grains {
		w.grain(number, data.Bytes())
	}
	w.tail()
	if err := errors.Join(w.err, w.w.Flush()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// frontStream is a small disk as QEMU lays it out: directory and table in front, no marker at the end.
func frontStream(t testing.TB, size int64, grains []int64) []byte {
	t.Helper()
	e, err := WriterSpec{CapacityBytes: size, Level: 1, Adapter: "ide", Parallel: 1}.extent()
	if err != nil {
		t.Fatal(err)
	}
	const directoryAt, tableAt = 30, 31
	e.directory = directoryAt
	b := append(e.encode(), make([]byte, (writerOverhead-1)*sector)...)
	le32(b, directoryAt*sector, tableAt)
	one := stream(t, 65536, map[int64][]byte{0: text(65536)})
	marker := one[writerOverhead*sector : len(one)-tailBytes]
	for _, number := range grains {
		le32(b, tableAt*sector+int(number)*4, uint32(len(b)/sector))
		at := len(b)
		b = append(b, marker...)
		le32(b, at, uint32(number)*writerGrain)
	}
	return b
}

// tailBytes are behind the grains of a stream with one grain table: markers, table, directory, footer, end.
const tailBytes = (1 + tableSectors + 1 + 1 + 1 + 1 + 1) * sector
