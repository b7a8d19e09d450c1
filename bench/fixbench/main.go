//go:build linux

// Command fixbench measures FIX beside virt-v2v-in-place: both make a guest of vSphere's boot on virtio, each on an overlay of
// the same qcow2 image. It prints one table: ours by phase, then the whole of both. Start it by bench/fix.sh.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fixbench:", err)
		os.Exit(1)
	}
}

// run is the table, or one engine in a process of its own, so that what it costs can be told apart.
func run(ctx context.Context, args []string) error {
	if len(args) == 2 {
		switch args[0] {
		case "builtin":
			return measure(ctx, args[1], builtin)
		case "virt-v2v":
			return measure(ctx, args[1], virtV2V)
		}
	}
	flags := flag.NewFlagSet("fixbench", flag.ContinueOnError)
	image := flags.String("image", "", "raw `FILE` of the guest; it is not changed")
	dir := flags.String("dir", "", "`DIR` for images, which are not kept")
	quick := flags.Bool("quick", false, "leave out virt-v2v-in-place, which takes minutes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *image == "" || *dir == "" {
		return errors.New("-image or -dir is missing")
	}
	return table(ctx, *image, *dir, *quick)
}
