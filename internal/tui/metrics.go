package tui

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/plot"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// sampleKeep is an hour of samples.
const sampleKeep = 180

// metricPlot is one plot of the screen.
type metricPlot struct {
	metric, name, unit string
	full               float64 // the top of its scale; 0: what the values need
}

var metricPlots = []metricPlot{
	{"cpu_percent", "CPU", "%", 100}, {"memory_percent", "Memory", "%", 100},
	{"disk_read_mbps", "Disk read", "MB/s", 0}, {"disk_write_mbps", "Disk write", "MB/s", 0},
	{"net_rx_mbps", "Network in", "MB/s", 0}, {"net_tx_mbps", "Network out", "MB/s", 0},
}

// metrics plots what a VM uses, live.
type metrics struct {
	vm      *vsphere.VMSummary
	feed    *feed[*vsphere.Metrics]
	stop    context.CancelFunc
	wait    tea.Cmd
	samples []vsphere.MetricSample
	missing map[string]string
	loaded  bool
	err     error
	spans   int // which of metricSpans
}

// metricSpans are the time spans that a plot can show.
var metricSpans = []time.Duration{15 * time.Minute, time.Hour, 5 * time.Minute}

func newMetrics(vm *vsphere.VMSummary) *metrics {
	return &metrics{vm: vm, feed: newFeed[*vsphere.Metrics](sampleKeep), stop: func() {}}
}

func (s *metrics) title() string                { return "Metrics of " + sdk.Printable(s.vm.Name) }
func (s *metrics) typing() bool                 { return false }
func (s *metrics) close()                       { s.stop() }
func (s *metrics) keys(k *keymap) []key.Binding { return []key.Binding{k.Back, k.Window, k.Events} }

func (s *metrics) help(k *keymap) []section {
	return []section{{"Metrics", []key.Binding{k.Window, k.Events}}}
}

func (s *metrics) start(m *Model) tea.Cmd {
	ctx, stop := context.WithCancel(m.life())
	s.stop = stop
	backend, ref := m.backend, s.vm.Ref
	s.wait = s.feed.wait(ctx)
	return tea.Batch(s.wait, s.feed.run(ctx, func(ctx context.Context, use func(*vsphere.Metrics)) error {
		return backend.Metrics(ctx, ref, use)
	}))
}

func (s *metrics) update(m *Model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case fed[*vsphere.Metrics]:
		if msg.from != s.feed {
			return nil
		}
		for _, more := range msg.items {
			s.samples = append(s.samples, more.Samples...)
			s.missing = more.Missing
			s.loaded = true
		}
		s.samples = s.samples[max(0, len(s.samples)-sampleKeep):]
		if msg.ended {
			s.err = msg.err
			return nil
		}
		return s.wait
	case tea.KeyPressMsg:
		switch {
		case is(msg, m.k.Back), is(msg, m.k.Metrics):
			m.pop()
		case is(msg, m.k.Window):
			s.spans = (s.spans + 1) % len(metricSpans)
		case is(msg, m.k.Events):
			m.pop()
			return m.push(newEvents(s.vm))
		}
	}
	return nil
}

func (s *metrics) body(m *Model, w, h int) []string {
	switch {
	case s.err != nil && !s.loaded:
		lines := []string{""}
		for _, line := range wrap("! "+explain(s.err), w-2) {
			lines = append(lines, " "+m.st.bad.Render(line))
		}
		return lines
	case !s.loaded:
		return []string{"", " Reading samples …"}
	case len(s.samples) == 0:
		return s.none(w)
	}
	if w < 60 || h < 13 {
		return s.sparks(m, w, h)
	}
	rows := (len(metricPlots) + 1) / 2
	height, left := h/rows, (w-1)/2
	var lines []string
	for i := 0; i < len(metricPlots); i += 2 {
		a := s.plot(m, metricPlots[i], left-1, height)
		b := s.plot(m, metricPlots[i+1], w-left-2, height)
		for j := range height {
			lines = append(lines, " "+fit(a[j], left-1)+" "+b[j])
		}
	}
	return lines
}

// none says why there are no samples.
func (s *metrics) none(w int) []string {
	lines := []string{"", " vCenter has no samples of this VM."}
	reasons := map[string]bool{}
	for _, reason := range s.missing {
		reasons[reason] = true
	}
	for _, reason := range slices.Sorted(maps.Keys(reasons)) {
		for _, line := range wrap(sdk.Printable(reason), w-2) {
			lines = append(lines, " "+line)
		}
	}
	return lines
}

// points are the values of a metric in the time that is shown.
func (s *metrics) points(metric string) (points []plot.Point, start, end time.Time) {
	end = s.samples[len(s.samples)-1].Time
	start = end.Add(-metricSpans[s.spans])
	for _, sample := range s.samples {
		value, ok := sample.Values[metric]
		if !ok {
			value = math.NaN()
		}
		if !sample.Time.Before(start) {
			points = append(points, plot.Point{Time: sample.Time, Value: value})
		}
	}
	return points, start, end
}

// figures are the newest value and the bounds of a metric.
func figures(points []plot.Point, unit string) string {
	now, low, high := math.NaN(), math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if now = p.Value; !math.IsNaN(p.Value) {
			low, high = min(low, p.Value), max(high, p.Value)
		}
	}
	if math.IsInf(low, 1) {
		return "no value"
	}
	text := fitRight("-", 6)
	if !math.IsNaN(now) {
		text = fmt.Sprintf("%6.1f", now)
	}
	return fmt.Sprintf("%s %s  %.1f to %.1f", text, unit, low, high)
}

// plot draws one plot under a line with its figures.
func (s *metrics) plot(m *Model, p metricPlot, w, h int) []string {
	points, start, end := s.points(p.metric)
	head := m.st.strong.Render(fit(p.name, 12)) + clip(figures(points, p.unit), w-12)
	zero, o := 0.0, plot.Options{Width: w, Height: h - 1, Start: start, End: end, Location: m.opts.Location, ASCII: m.opts.ASCII}
	o.Min = &zero
	if p.full > 0 {
		o.Max = &p.full
	}
	lines := []string{head}
	if why := s.missing[p.metric]; why != "" {
		for _, line := range wrap(sdk.Printable(why), w) {
			lines = append(lines, m.st.dim.Render(line))
		}
	} else {
		for _, line := range plot.Line(points, o) {
			lines = append(lines, m.st.plot.Render(line))
		}
	}
	for len(lines) < h {
		lines = append(lines, "")
	}
	return lines[:h]
}

// sparks is the small form: a line for each metric.
func (s *metrics) sparks(m *Model, w, h int) []string {
	var lines []string
	for _, p := range metricPlots {
		points, _, _ := s.points(p.metric)
		values := make([]float64, 0, len(points))
		for _, point := range points {
			values = append(values, point.Value)
		}
		now := "-"
		if n := len(values); n > 0 && !math.IsNaN(values[n-1]) {
			now = fmt.Sprintf("%.1f", values[n-1])
		}
		line := " " + m.st.strong.Render(fit(p.name, 12)) + fitRight(now, 7) + " " + fit(p.unit, 5)
		if room := w - width(line) - 1; room > 3 {
			line += m.st.plot.Render(plot.Sparkline(values, room, 0, p.full, m.opts.ASCII))
		}
		lines = append(lines, line)
	}
	return lines[:min(h, len(lines))]
}

func (s *metrics) foot(m *Model) string {
	if s.err != nil {
		return m.st.warn.Render("no new samples: " + explain(s.err))
	}
	if len(s.samples) == 0 {
		return ""
	}
	last := s.samples[len(s.samples)-1].Time.In(m.opts.Location)
	text := []string{"the last " + age(metricSpans[s.spans]), "a sample every 20 s", "newest " + last.Format("15:04:05 MST")}
	return m.st.dim.Render(strings.Join(text, " · "))
}
