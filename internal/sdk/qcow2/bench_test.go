package qcow2

import "testing"

// BenchmarkWriteCompressed stores 1 GiB of disk as payloads of 25 kB into a file that keeps nothing: what is left is the
// packing and the tables. The rate is of the disk.
func BenchmarkWriteCompressed(b *testing.B) {
	const virtual = 1 << 30
	payload := half(1, 100)[:25_000]
	b.SetBytes(virtual)
	b.ReportAllocs()
	for b.Loop() {
		w, err := NewWriter(nowhere{}, Spec{VirtualBytes: virtual})
		if err != nil {
			b.Fatal(err)
		}
		for off := int64(0); off < virtual; off += ClusterBytes {
			if err := w.WriteCompressed(off, payload); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
