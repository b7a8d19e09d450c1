package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/plot"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	plotSamples   = 180 // an hour in real time
	plotWidth     = 80  // where there is no terminal
	plotHeight    = 10  // of each metric, title and axes included
	leastPlot     = 6   // the same where all must fit onto a screen: three rows of plot
	leastColumn   = 38  // cells that plots beside each other have at least
	betweenPlots  = 2
	plotsWideMost = 160
)

// plotMode checks that a plot can be drawn, and asks for enough samples to make one.
func plotMode(spec *vsphere.MetricsSpec, out *cli.Output, watch bool, w io.Writer) error {
	switch out.Format() {
	case "table", "wide":
	default:
		return sdk.WithHint(sdk.Invalidf("-plot and -o %s contradict each other", out.Format()), "a plot is for people; leave one of them out")
	}
	if _, _, terminal := cli.TerminalSize(w); watch && !terminal {
		return sdk.WithHint(sdk.Invalidf("-plot -watch draws over what it drew, which needs a terminal"),
			"leave -plot out for a row with each sample, or -watch for one plot")
	}
	if spec.MaxSamples == 0 && spec.Start == "" {
		spec.MaxSamples = plotSamples
	}
	return nil
}

// plotOnce draws a plot of each metric below the other.
func plotOnce(w io.Writer, m *vsphere.Metrics) error {
	width, _, terminal := cli.TerminalSize(w)
	if !terminal {
		width = plotWidth
	}
	var lines []string
	for i, o := range plotsOf(m) {
		if i > 0 {
			lines = append(lines, "")
		}
		o.Width, o.Height = min(width, plotsWideMost), plotHeight
		lines = append(lines, plot.Line(o.points, o.Options)...)
	}
	return writeLines(w, lines)
}

func writeLines(w io.Writer, lines []string) error {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// watchPlots draws anew with every sample, in place.
func watchPlots(ctx context.Context, cmd *cobra.Command, client inventory, spec vsphere.MetricsSpec) error {
	w := cmd.OutOrStdout()
	screen := cli.Redraw{W: w}
	var samples []vsphere.MetricSample
	return client.StreamMetrics(ctx, spec, func(m *vsphere.Metrics) error {
		samples = append(samples, m.Samples...)
		samples = samples[max(0, len(samples)-max(spec.MaxSamples, 1)):]
		all := *m
		all.Samples = samples
		width, height, _ := cli.TerminalSize(w)
		return screen.Draw(plotScreen(&all, width, height))
	})
}

// plotScreen arranges the plots of a screen: below each other, or in two columns when they would not fit. The last line stays free for the
// cursor.
func plotScreen(m *vsphere.Metrics, width, height int) []string {
	var missing strings.Builder
	explainMissing(&missing, m)
	reasons := strings.Split(strings.TrimSuffix(missing.String(), "\n"), "\n")
	if missing.Len() == 0 {
		reasons = nil
	}
	plots := plotsOf(m)
	room := height - 1 - len(reasons)
	columns := 1
	if len(plots) > 0 && room/len(plots) < leastPlot && width >= 2*leastColumn+betweenPlots {
		columns = 2
	}
	rows := (len(plots) + columns - 1) / columns
	each := plotHeight
	if rows > 0 {
		each = max(1, min(plotHeight, room/rows))
	}
	var lines []string
	for at := 0; at < len(plots) && len(lines)+each <= room; at += columns {
		lines = append(lines, beside(plots[at:min(at+columns, len(plots))], (width-betweenPlots*(columns-1))/columns, each)...)
	}
	for _, reason := range reasons {
		lines = append(lines, cutLine(reason, width))
	}
	return lines
}

// cutLine keeps a line, which is plain text, within the width.
func cutLine(line string, width int) string {
	if runes := []rune(line); len(runes) > width {
		return string(runes[:max(0, width)])
	}
	return line
}

// beside draws plots of one height side by side.
func beside(plots []metricPlot, width, height int) []string {
	lines := make([]string, height)
	for i, p := range plots {
		p.Width, p.Height = width, height
		for row, line := range plot.Line(p.points, p.Options) {
			if i > 0 {
				lines[row] += strings.Repeat(" ", betweenPlots)
			}
			lines[row] += line
		}
	}
	return lines
}

// metricPlot is a metric ready to be drawn.
type metricPlot struct {
	plot.Options
	points []plot.Point
}

// plotsOf are the metrics that have values, on one time axis. A percentage begins at zero, and ends at a hundred.
func plotsOf(m *vsphere.Metrics) []metricPlot {
	var plots []metricPlot
	summary := m.Summary()
	for _, name := range metricNames(m) {
		s, ok := summary[name]
		if !ok {
			continue
		}
		p := metricPlot{Options: plot.Options{
			Title: plotTitle(name, m.Units[name], s), ASCII: !config.Unicode(), Gap: 3 * time.Duration(m.IntervalSeconds) * time.Second,
			Start: m.Samples[0].Time, End: m.Samples[len(m.Samples)-1].Time,
		}}
		if m.Units[name] == "percent" {
			p.Min = new(float64)
			if s.Maximum > 50 && s.Maximum <= 100 {
				p.Max = new(100.0)
			}
		}
		for _, sample := range m.Samples {
			value, ok := sample.Values[name]
			if !ok {
				value = math.NaN()
			}
			p.points = append(p.points, plot.Point{Time: sample.Time, Value: value})
		}
		plots = append(plots, p)
	}
	return plots
}

// plotTitle says the name and the numbers that a plot does not show exactly.
func plotTitle(name, unit string, s vsphere.Summary) string {
	cell := func(value float64) string { return metricCell(name, value) }
	return fmt.Sprintf("%s %s %s  (max %s, avg %s, min %s)", name, cell(s.Latest), unit, cell(s.Maximum), cell(s.Average), cell(s.Minimum))
}
