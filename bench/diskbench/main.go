//go:build linux

// Command diskbench measures the disk path: streamOptimized VMDK to qcow2 in every mode, beside qemu-img and cp. It prints
// one table and fails when an image is not sound or not the same disk. Start it by bench/disk.sh.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "diskbench:", err)
		os.Exit(1)
	}
}

// run is the table, or one of the two things that the program does to itself in a process of its own: a conversion, so that
// its memory can be told apart, and the measuring of one child.
func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "convert":
			return convert(ctx, args[1:])
		case "measure":
			return measure(ctx, args[1:])
		}
	}
	flags := flag.NewFlagSet("diskbench", flag.ContinueOnError)
	dir := flags.String("dir", "", "`DIR` for the disk, which is kept, and the images, which are not")
	quick := flags.Bool("quick", false, "leave out the slow peers and the comparison of images")
	runs := flags.Int("runs", 1, "`N` times each row; the one with the least CPU counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("-dir is missing")
	}
	return table(ctx, *dir, *quick, *runs)
}
