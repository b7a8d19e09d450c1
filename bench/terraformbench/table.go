//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// recorded is what terraform-provider-vsphere took in the same scenario: commit b45b5b41 with Terraform 1.11.4, parallelism
// 10, two cores, against the plain simulator of govmomi 0.55.1, 2026-11-23. Calls repeat exactly, wall within a third.
type recorded struct {
	wall, cpu, rss float64 // seconds, seconds, MiB; 0: not recorded
	calls          int     // SOAP and REST
	sessions       int
}

type key struct {
	scenario string
	n        int
	phase    string
}

func peer() map[key]recorded {
	return map[key]recorded{
		{"clones", 10, "apply"}:       {4.0, 2.0, 51, 743, 2},
		{"clones", 10, "no-op plan"}:  {1.4, 0.65, 49, 163, 1},
		{"clones", 10, "destroy"}:     {2.6, 1.2, 51, 292, 3},
		{"clones", 50, "apply"}:       {21.9, 9.8, 53, 3543, 2},
		{"clones", 50, "no-op plan"}:  {6.8, 2.8, 51, 683, 1},
		{"clones", 50, "destroy"}:     {13.1, 5.4, 51, 1295, 3},
		{"clones", 100, "apply"}:      {43.2, 20.4, 54, 7052, 2},
		{"clones", 100, "no-op plan"}: {11.9, 5.1, 53, 1333, 1},
		{"clones", 100, "destroy"}:    {35.6, 10.4, 52, 2589, 3},
		{"slow", 50, "apply"}:         {wall: 40.0},
		{"slow", 50, "no-op plan"}:    {wall: 13.0},
		{"slow", 50, "destroy"}:       {wall: 21.4},
		{"pools", 100, "apply"}:       {8.4, 1.7, 44, 520, 2},
		{"pools", 100, "no-op plan"}:  {6.4, 1.2, 45, 316, 1},
		{"pools", 100, "destroy"}:     {10.6, 3.2, 45, 924, 3},
		{"data", 100, "apply"}:        {5.1, 1.4, 46, 720, 2},
		{"data", 100, "no-op plan"}:   {4.2, 1.4, 46, 716, 1},
	}
}

// printTable prints each figure of ours beside the peer's.
func printTable(w io.Writer, rows []measured) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "scenario\tn\tphase\twall s\tpeer's\tprovider CPU s\tpeer's\tRSS MiB\tpeer's\tSOAP\tREST\tpeer's both\tSOAP per object\ttasks\tKiB per object\tsessions left\tpeer's\t") //nolint:errcheck // see Flush
	recorded := peer()
	for _, r := range rows {
		p := recorded[key{r.scenario, r.n, r.phase}]
		sessions := "-"
		if p.calls > 0 {
			sessions = fmt.Sprint(p.sessions)
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%.1f\t%s\t%.2f\t%s\t%.0f\t%s\t%d\t%d\t%s\t%.2f\t%d\t%.1f\t%d\t%s\t\n", //nolint:errcheck // see Flush
			r.scenario, r.n, r.phase, r.wall.Seconds(), known(p.wall), r.cpu, known(p.cpu), r.rss, known(p.rss), r.soap, r.rest,
			known(float64(p.calls)), float64(r.soap)/float64(r.n), r.tasks, float64(r.sent)/1024/float64(r.n), r.sessions, sessions)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return printFloors(w, rows)
}

// printFloors sets the time of clones beside that of their tasks, with and without what Terraform takes for as many resources that do
// nothing in a provider that is a part of it.
func printFloors(w io.Writer, rows []measured) error {
	alone := map[int]time.Duration{}
	for _, r := range rows {
		if r.scenario == "alone" && r.phase == "apply" {
			alone[r.n] = r.wall
		}
	}
	for _, r := range rows {
		if r.floor == 0 {
			continue
		}
		line := fmt.Sprintf("%s %d: %.1f s are %.2f of the %.1f s that its tasks take", r.scenario, r.n, r.wall.Seconds(), ratio(r.wall, r.floor), r.floor.Seconds())
		if own := alone[r.n]; own > 0 {
			line += fmt.Sprintf("; Terraform alone takes %.1f s, and without that they are %.2f", own.Seconds(), ratio(r.wall-own, r.floor))
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func ratio(a, b time.Duration) float64 { return a.Seconds() / b.Seconds() }

func known(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.4g", v)
}
