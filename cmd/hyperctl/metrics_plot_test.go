package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// anHour is a Metrics with a gap in one metric, nothing of another.
func anHour() *vsphere.Metrics {
	m := &vsphere.Metrics{IntervalSeconds: 20, Units: map[string]string{}, Missing: map[string]string{"net_rx_mbps": "the VM has no adapter"}}
	for i, name := range vsphere.NamedMetrics() {
		m.Units[name] = []string{"percent", "MHz", "percent", "MB", "MB/s", "MB/s", "MB/s", "MB/s"}[i]
	}
	for n := range 180 {
		s := vsphere.MetricSample{Time: time.Date(2026, 3, 1, 11, 0, 20*(n+1), 0, time.UTC), Values: map[string]float64{}}
		for i, name := range vsphere.NamedMetrics() {
			if name == "net_rx_mbps" || name == "memory_percent" && n/30 == 3 {
				continue
			}
			s.Values[name] = math.Round(1000*float64(i+1)*(20+15*math.Sin(float64(n)/float64(10+i)))) / 1000
		}
		m.Samples = append(m.Samples, s)
	}
	return m
}

func TestPlotOnce_Golden(t *testing.T) {
	for _, lang := range []string{"C", "C.UTF-8"} {
		t.Setenv("LC_ALL", lang)
		var out bytes.Buffer
		if err := plotOnce(&out, anHour()); err != nil {
			t.Fatal(err)
		}
		goldenPlot(t, "metrics-plot-"+lang, out.String())
	}
}

func TestPlotScreen_FitsEveryTerminal(t *testing.T) {
	t.Setenv("LC_ALL", "C.UTF-8")
	for _, size := range [][2]int{{80, 24}, {200, 60}, {40, 24}, {79, 10}, {20, 5}, {3, 2}, {80, 1}} {
		width, height := size[0], size[1]
		lines := plotScreen(anHour(), width, height)
		if len(lines) > max(height-1, 1) {
			t.Errorf("%d×%d: %d lines", width, height, len(lines))
		}
		for _, line := range lines {
			if got := runewidth.StringWidth(line); got > width {
				t.Errorf("%d×%d: %q has %d cells", width, height, line, got)
			}
		}
		if width == 80 && height == 24 {
			goldenPlot(t, "metrics-plot-screen", strings.Join(lines, "\n")+"\n")
			for _, name := range vsphere.NamedMetrics() {
				if text := strings.Join(lines, "\n"); !strings.Contains(text, name) {
					t.Errorf("%s is not on the screen", name)
				}
			}
		}
	}
}

func goldenPlot(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}
