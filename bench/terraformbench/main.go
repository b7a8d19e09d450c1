//go:build linux

// Command terraformbench drives real terraform and the built provider against a simulated vCenter and counts what a vCenter
// feels: SOAP and REST calls, bytes, sessions left behind; and what the user pays: wall, CPU and memory of the provider's
// processes. It prints one table beside the recorded figures of terraform-provider-vsphere. Start it by bench/terraform.sh.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"time"
)

func main() {
	if provider := os.Getenv(realEnv); provider != "" {
		os.Exit(wrap(provider, os.Args[1:]))
	}
	log.SetOutput(io.Discard) // the simulator's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "terraformbench:", err)
		os.Exit(1)
	}
}

// options of a run.
type options struct {
	provider    string // binary
	only        string // scenario, or empty
	latency     time.Duration
	cloneDelay  time.Duration
	parallelism int
	n           int // objects, or 0
	quick       bool
}

func run(ctx context.Context, args []string) error {
	var o options
	flags := flag.NewFlagSet("terraformbench", flag.ContinueOnError)
	flags.StringVar(&o.provider, "provider", "", "built provider `BINARY`")
	flags.StringVar(&o.only, "only", "", "run the scenarios of this `NAME`: clones, linked, alone, slow, pools or data")
	flags.DurationVar(&o.latency, "latency", 0, "added to every call to vCenter; the scenario slow has 20ms of its own")
	flags.DurationVar(&o.cloneDelay, "clone-delay", 0, "how long a clone task takes; the scenario slow has 2s of its own")
	flags.IntVar(&o.parallelism, "parallelism", 10, "terraform's")
	flags.BoolVar(&o.quick, "quick", false, "a tenth of the objects")
	flags.IntVar(&o.n, "n", 0, "only the scenarios of this `NUMBER` of objects")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.provider == "" {
		return errors.New("-provider is missing")
	}
	var rows []measured
	for _, s := range scenarios() {
		if o.only != "" && o.only != s.name || o.n != 0 && o.n != s.n {
			continue
		}
		if o.quick {
			s.n = max(1, s.n/10)
		}
		got, err := s.measure(ctx, o)
		if err != nil {
			return fmt.Errorf("%s %d: %w", s.name, s.n, err)
		}
		rows = append(rows, got...)
	}
	return printTable(os.Stdout, rows)
}
