package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkStart tells the CPU time and the wall time of a whole process that says its version.
func BenchmarkStart(b *testing.B) {
	binary := filepath.Join(b.TempDir(), "hyperctl")
	build := exec.CommandContext(b.Context(), "go", "build", "-tags", "libvirt_dlopen,grpcnotrace", "-trimpath", "-ldflags", "-s -w", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(binary)
	if err != nil {
		b.Fatal(err)
	}
	var cpu time.Duration
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), binary, "version")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}
