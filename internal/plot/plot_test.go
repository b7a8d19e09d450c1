package plot_test

import (
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/plot"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wave is n points, one every step until noon.
func wave(n int, step time.Duration, value func(i int) float64) []plot.Point {
	var points []plot.Point
	for i := range n {
		points = append(points, plot.Point{Time: noon.Add(time.Duration(i-n+1) * step), Value: value(i)})
	}
	return points
}

func sine(i int) float64 { return 50 + 40*math.Sin(float64(i)/10) }

func TestLine_Golden(t *testing.T) {
	full := 100.0
	for name, tc := range map[string]struct {
		points []plot.Point
		o      plot.Options
	}{
		"sine":          {wave(180, 20*time.Second, sine), plot.Options{Width: 72, Height: 14, Title: "cpu_percent", Unit: "percent"}},
		"sine-ascii":    {wave(180, 20*time.Second, sine), plot.Options{Width: 72, Height: 14, Title: "cpu_percent", Unit: "percent", ASCII: true}},
		"fixed":         {wave(15, 20*time.Second, sine), plot.Options{Width: 60, Height: 10, Title: "cpu_percent", Min: new(float64), Max: &full}},
		"constant":      {wave(15, 20*time.Second, func(int) float64 { return 2048 }), plot.Options{Width: 60, Height: 9, Title: "memory_mb", Unit: "MB"}},
		"zero":          {wave(15, 20*time.Second, func(int) float64 { return 0 }), plot.Options{Width: 60, Height: 9}},
		"one-point":     {wave(1, 20*time.Second, sine), plot.Options{Width: 60, Height: 9, Title: "one"}},
		"none":          {nil, plot.Options{Width: 60, Height: 9, Title: "none", Start: noon.Add(-time.Hour), End: noon}},
		"gaps":          {gaps(), plot.Options{Width: 60, Height: 9, Title: "gaps"}},
		"days":          {wave(24*7, time.Hour, func(i int) float64 { return 1e6 * sine(i) }), plot.Options{Width: 80, Height: 12, Title: "a week", Unit: "KB", Location: time.FixedZone("CET", 3600)}},
		"day":           {wave(24, time.Hour, func(i int) float64 { return -sine(i) / 1000 }), plot.Options{Width: 80, Height: 12, Title: "a day", Unit: "s"}},
		"no-axes":       {wave(40, 20*time.Second, sine), plot.Options{Width: 9, Height: 3}},
		"hostile-title": {wave(4, 20*time.Second, sine), plot.Options{Width: 40, Height: 6, Title: "\x1b[31mred\n日本語 and more of it than fits into the line"}},
	} {
		t.Run(name, func(t *testing.T) {
			lines := plot.Line(tc.points, tc.o)
			if len(lines) != tc.o.Height {
				t.Errorf("%d lines, want %d", len(lines), tc.o.Height)
			}
			for _, line := range lines {
				if got := runewidth.StringWidth(line); got != tc.o.Width {
					t.Errorf("%q has %d cells, want %d", line, got, tc.o.Width)
				}
			}
			golden(t, name, strings.Join(lines, "|\n")+"|\n")
		})
	}
}

func gaps() []plot.Point {
	points := wave(60, 20*time.Second, sine)
	for i := 20; i < 30; i++ {
		points[i].Value = math.NaN()
	}
	return append(points[:40:40], points[50:]...)
}

func golden(t *testing.T, name, got string) {
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
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLine_AnySizeIsExact(t *testing.T) {
	for _, points := range [][]plot.Point{nil, wave(1, time.Second, sine), wave(300, time.Minute, sine), gaps(), wave(9, time.Hour, func(int) float64 { return math.Inf(1) })} {
		for width := range 40 {
			for height := range 12 {
				for _, ascii := range []bool{false, true} {
					lines := plot.Line(points, plot.Options{Width: width, Height: height, Title: "title", ASCII: ascii})
					if width == 0 || height == 0 {
						if lines != nil {
							t.Fatalf("%d×%d: got %q, want nothing", width, height, lines)
						}
						continue
					}
					if len(lines) != height {
						t.Fatalf("%d×%d: %d lines", width, height, len(lines))
					}
					for _, line := range lines {
						if runewidth.StringWidth(line) != width || ascii && strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
							t.Fatalf("%d×%d: %q", width, height, line)
						}
					}
				}
			}
		}
	}
}

func TestSparkline(t *testing.T) {
	ramp := []float64{0, 1, 2, 3, 4, 5, 6, 7, 8}
	for name, tc := range map[string]struct{ got, want string }{
		"ramp":         {plot.Sparkline(ramp, 9, 0, 0, false), "▁▂▃▄▅▆▇██"},
		"newest":       {plot.Sparkline(ramp, 3, 0, 8, false), "▇██"},
		"fewer":        {plot.Sparkline(ramp[:2], 4, 0, 8, true), "  _."},
		"gap":          {plot.Sparkline([]float64{1, math.NaN(), 3}, 3, 0, 4, false), "▃ ▇"},
		"constant":     {plot.Sparkline([]float64{5, 5}, 2, 0, 0, false), "▄▄"},
		"out of scale": {plot.Sparkline([]float64{-5, 50}, 2, 0, 10, true), "_#"},
		"no room":      {plot.Sparkline(ramp, 0, 0, 0, false), ""},
		"nothing":      {plot.Sparkline(nil, 3, 0, 0, false), "   "},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", name, tc.got, tc.want)
		}
	}
}

func TestBar(t *testing.T) {
	for name, tc := range map[string]struct{ got, want string }{
		"half":      {plot.Bar(50, 100, 4, false), "██  "},
		"eighths":   {plot.Bar(53.125, 100, 4, false), "██▏ "},
		"full":      {plot.Bar(120, 100, 4, false), "████"},
		"empty":     {plot.Bar(-1, 100, 4, false), "    "},
		"of naught": {plot.Bar(5, 0, 4, false), "    "},
		"ascii":     {plot.Bar(50, 100, 4, true), "##  "},
		"no number": {plot.Bar(math.NaN(), 100, 4, false), "    "},
		"no room":   {plot.Bar(1, 2, 0, true), ""},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %q, want %q", name, tc.got, tc.want)
		}
	}
}
