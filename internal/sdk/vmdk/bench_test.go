package vmdk

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// benchDisk is 32 MiB of which a third compresses well, a third a little and a third is zeros.
func benchDisk() []byte {
	disk := make([]byte, 32<<20)
	for at := 0; at < len(disk); at += 3 * grainBytes {
		copy(disk[at:], text(grainBytes))
		if at+2*grainBytes <= len(disk) {
			copy(disk[at+grainBytes:], noise(grainBytes/2))
			copy(disk[at+grainBytes+grainBytes/2:], text(grainBytes/2))
		}
	}
	return disk
}

// Rates are of the disk.
func BenchmarkWrite(b *testing.B) {
	disk := benchDisk()
	b.SetBytes(int64(len(disk)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Write(io.Discard, bytes.NewReader(disk), WriterSpec{CapacityBytes: int64(len(disk))}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReader(b *testing.B) { benchmarkReader(b, func(Grain) error { return nil }) }

func BenchmarkReaderInflate(b *testing.B) {
	plain := make([]byte, grainBytes)
	benchmarkReader(b, func(g Grain) error {
		_, err := Inflate(plain, g.Data)
		return err
	})
}

func benchmarkReader(b *testing.B, each func(Grain) error) {
	disk := benchDisk()
	var stream bytes.Buffer
	if err := Write(&stream, bytes.NewReader(disk), WriterSpec{CapacityBytes: int64(len(disk))}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(disk)))
	b.ReportAllocs()
	for b.Loop() {
		r, err := NewReader(bytes.NewReader(stream.Bytes()))
		for err == nil {
			var g Grain
			if g, err = r.Next(); err == nil {
				err = each(g)
			}
		}
		if !errors.Is(err, io.EOF) {
			b.Fatal(err)
		}
	}
}
