//go:build unix

package export_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

// BenchmarkRun exports one disk of 64 MiB from memory to a file; the rate is of the disk.
func BenchmarkRun(b *testing.B) {
	disk, _ := testDisk(b, "scsi0:0", 64<<20, 1)
	for _, c := range []struct {
		name string
		spec export.Spec
	}{
		{"pass-through", export.Spec{}},
		{"pass-through+sha256", export.Spec{Checksum: true}},
		{"pass-through+verify", export.Spec{Verify: true}},
		{"pass-through+vmdk", export.Spec{Keep: export.KeepVMDK}},
		{"deflate-6", export.Spec{Compression: export.Compression{Mode: export.Deflate}}},
		{"zstd-3", export.Spec{Compression: export.Compression{Mode: export.Zstd}}},
		{"uncompressed", export.Spec{Compression: export.Compression{Mode: export.Uncompressed}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			dir := b.TempDir()
			j := openJournal(b, filepath.Join(dir, "journal"))
			b.SetBytes(disk.capacity)
			b.ReportAllocs()
			before := cpuSeconds(b)
			defer func() { b.ReportMetric(1000*(cpuSeconds(b)-before)/float64(b.N), "cpu-ms/op") }()
			for i := 0; b.Loop(); i++ {
				spec := c.spec
				spec.Name, spec.Dir = fmt.Sprint("run-", i), dir
				path := filepath.Join(dir, fmt.Sprint(i, ".qcow2"))
				spec.Disks = []export.DiskSpec{{ID: "disk-0", Address: "scsi0:0", Path: path, Format: "qcow2"}}
				res, err := export.Run(b.Context(), &localSource{disks: []localDisk{disk}}, spec, j, nil)
				if err != nil {
					b.Fatal(err)
				}
				for _, file := range res.Files {
					_ = os.Remove(file)
				}
			}
		})
	}
}

// cpuSeconds is what this process and the tools it ran have used.
func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var total float64
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var use syscall.Rusage
		if err := syscall.Getrusage(who, &use); err != nil {
			b.Fatal(err)
		}
		total += float64(use.Utime.Sec+use.Stime.Sec) + float64(use.Utime.Usec+use.Stime.Usec)/1e6
	}
	return total
}
