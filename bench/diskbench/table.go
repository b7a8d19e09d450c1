//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// row is one measurement. peer names the row it is held against.
type row struct {
	name string
	cmd  []string
	peer string
	slow bool // left out by -quick
	ours bool // an image of ours, to be checked and compared
}

const (
	peerZlib  = "qemu-img convert -c -W -m 8"
	peerZstd  = "qemu-img convert -c -W -m 8, zstd"
	peerPlain = "qemu-img convert -W -m 8"
	peerCopy  = "cp of the VMDK"
)

func rows(self, vmdk, out string) []row {
	qemu := func(args ...string) []string {
		return append(append([]string{"qemu-img", "convert"}, args...), "-W", "-m", "8", "-f", "vmdk", "-O", "qcow2", vmdk, out)
	}
	ours := func(mode string) []string { return []string{self, "convert", mode, vmdk, out} }
	return []row{
		{name: peerCopy, cmd: []string{"cp", "--reflink=never", vmdk, out}},
		{name: "the same, then sync", cmd: []string{"sh", "-c", `cp --reflink=never "$0" "$1" && sync "$1"`, vmdk, out}, peer: peerCopy},
		{name: peerZlib, cmd: qemu("-c"), slow: true},
		{name: peerZstd, cmd: qemu("-c", "-o", "compression_type=zstd"), slow: true},
		{name: peerPlain, cmd: qemu(), slow: true},
		{name: "pass-through, reader and writer alone", cmd: ours("packages"), peer: peerZlib, ours: true},
		{name: "pass-through", cmd: ours("bare"), peer: peerZlib, ours: true},
		{name: "pass-through, SHA-256", cmd: ours("sha256"), peer: peerZlib, ours: true},
		{name: "pass-through, every Adler-32", cmd: ours("verify"), peer: peerZlib, ours: true},
		{name: "pass-through, SHA-256, every Adler-32", cmd: ours("all"), peer: peerZlib, ours: true},
		{name: "level 6", cmd: ours("level6"), peer: peerZlib, ours: true},
		{name: "zstd", cmd: ours("zstd"), peer: peerZstd, ours: true},
		{name: "uncompressed", cmd: ours("uncompressed"), peer: peerPlain, ours: true},
	}
}

// table measures every row and prints the table.
func table(ctx context.Context, dir string, quick bool, runs int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	raw, vmdk, err := prepare(ctx, dir)
	if err != nil {
		return err
	}
	out := filepath.Join(dir, "out.qcow2")
	defer os.Remove(out)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d CPUs, disk %s, stream %s\t\n", runtime.NumCPU(), mib(raw), mib(vmdk))
	fmt.Fprintln(w, "what\twall s\tCPU s\toutput MiB\tRSS MiB\tpeer's wall ÷\tpeer's CPU ÷\tits wall ÷ cp's\t")
	done := map[string]usage{}
	for _, r := range rows(self, vmdk, out) {
		if quick && r.slow {
			continue
		}
		u, err := best(ctx, r, out, runs)
		if err != nil {
			return err
		}
		done[r.name] = u
		fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%s\t%d\t%s\t%s\t%s\t\n", r.name, u.WallSeconds, u.CPUSeconds, mib(out), u.RSSBytes>>20,
			ratio(done[r.peer].WallSeconds, u.WallSeconds), ratio(done[r.peer].CPUSeconds, u.CPUSeconds),
			ratio(u.WallSeconds, done[peerCopy].WallSeconds))
		if r.ours && !quick {
			if err := same(ctx, raw, out); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return w.Flush()
}

// best measures a row several times, each into a new file, and keeps the run with the least CPU.
func best(ctx context.Context, r row, out string, runs int) (usage, error) {
	fmt.Fprintf(os.Stderr, "%s…\n", r.name)
	var least usage
	for i := range max(runs, 1) {
		if err := os.Remove(out); err != nil && !os.IsNotExist(err) {
			return usage{}, err
		}
		u, err := measured(ctx, r.cmd)
		if err != nil {
			return usage{}, err
		}
		if i == 0 || u.CPUSeconds < least.CPUSeconds {
			least = u
		}
	}
	return least, nil
}

// same asks QEMU whether the image is sound and holds the disk.
func same(ctx context.Context, raw, image string) error {
	if _, err := proc.Run(ctx, proc.Cmd{Name: "qemu-img", Args: []string{"check", "-q", "-f", "qcow2", image}}); err != nil {
		return err
	}
	_, err := proc.Run(ctx, proc.Cmd{Name: "qemu-img", Args: []string{"compare", "-q", "-f", "raw", "-F", "qcow2", raw, image}})
	return err
}

func ratio(a, b float64) string {
	if a == 0 || b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f", a/b)
}

func mib(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "?"
	}
	return fmt.Sprintf("%d", info.Size()>>20)
}
