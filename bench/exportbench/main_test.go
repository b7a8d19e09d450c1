//go:build linux

package exportbench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"testing"
)

// TestMain is the program when it is told so: the tables, or one export in a process of its own, so that its memory and its
// CPU can be told from those of the server.
func TestMain(m *testing.M) {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	var do func(ctx context.Context, args []string) error
	switch command {
	case "tables":
		do = tables
	case "export":
		do = exportOnce
	default:
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := do(ctx, os.Args[2:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "exportbench:", err)
		os.Exit(1)
	}
}

// tables measures and prints everything.
func tables(ctx context.Context, args []string) error {
	log.SetOutput(io.Discard) // the simulator talks to it
	flags := flag.NewFlagSet("tables", flag.ContinueOnError)
	dir := flags.String("dir", "", "`DIR` with disk.raw and its stream disk.vmdk; streams made here are kept in it")
	runs := flags.Int("runs", 3, "`N` times each row; the fastest counts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return fmt.Errorf("-dir is missing")
	}
	b, err := start(ctx, *dir, *runs)
	if err != nil {
		return err
	}
	defer b.close()
	if err := b.rates(ctx); err != nil {
		return err
	}
	return b.memory(ctx)
}
