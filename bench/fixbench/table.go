//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"text/tabwriter"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/qemuimg"
)

// The budget of a fix with software emulation, and of what in it is our own work.
const (
	wallBudget = 60.0
	ownBudget  = 3.0
)

// table measures both engines and prints the table.
func table(ctx context.Context, raw, dir string, quick bool) error {
	dir, err := os.MkdirTemp(dir, "fix-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	base := filepath.Join(dir, "base.qcow2")
	fmt.Fprintln(os.Stderr, "converting the guest's disk…")
	err = qemuimg.Convert(ctx, qemuimg.ConvertSpec{Src: raw, SrcFormat: "raw", Dst: base, DstFormat: "qcow2", Compress: true}, nil)
	if err != nil {
		return err
	}
	ours, err := onOverlay(ctx, "builtin", base)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%d CPUs, %s\t\n", runtime.NumCPU(), filepath.Base(raw))
	fmt.Fprintln(w, "what\twall s\tCPU s\tbudget\tmet\t")
	for _, p := range ours.Phases {
		fmt.Fprintf(w, "%s\t%.1f\t\t\t\t\n", p.Name, p.Seconds)
	}
	fmt.Fprintf(w, "our own part of it\t\t%.1f\t≤ %.0f s of CPU\t%s\t\n", ours.OwnSeconds, ownBudget, met(ours.OwnSeconds <= ownBudget))
	fmt.Fprintf(w, "all of FIX\t%.1f\t%.1f\t≤ %.0f s\t%s\t\n",
		ours.WallSeconds, ours.OwnSeconds+ours.OtherSeconds, wallBudget, met(ours.WallSeconds <= wallBudget))
	if !quick {
		peer, err := onOverlay(ctx, "virt-v2v", base)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "virt-v2v-in-place\t%.1f\t%.1f\t\t\t\n", peer.WallSeconds, peer.OwnSeconds+peer.OtherSeconds)
		fmt.Fprintf(w, "virt-v2v-in-place ÷ FIX\t%.1f\t%.1f\t\t\t\n", peer.WallSeconds/ours.WallSeconds,
			(peer.OwnSeconds+peer.OtherSeconds)/(ours.OwnSeconds+ours.OtherSeconds))
	}
	return w.Flush()
}

// onOverlay measures an engine on a new overlay.
func onOverlay(ctx context.Context, engine, base string) (usage, error) {
	fmt.Fprintf(os.Stderr, "%s…\n", engine)
	overlay := filepath.Join(filepath.Dir(base), engine+".qcow2")
	if err := qemuimg.CreateOverlay(ctx, overlay, base, "qcow2"); err != nil {
		return usage{}, err
	}
	return measured(ctx, engine, overlay)
}

func met(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}
