package plot

import (
	"math"
	"strings"
	"time"
)

// timeAxis is the axis at the bottom.
type timeAxis struct {
	start, end time.Time
}

func newTimeAxis(points []Point, o Options) timeAxis {
	location := o.Location
	if location == nil {
		location = time.UTC
	}
	a := timeAxis{start: o.Start, end: o.End}
	if len(points) > 0 {
		if a.start.IsZero() {
			a.start = points[0].Time
		}
		if a.end.IsZero() {
			a.end = points[len(points)-1].Time
		}
	}
	if !a.start.Before(a.end) { // one point is the newest one
		a.start = a.end.Add(-time.Minute)
	}
	a.start, a.end = a.start.In(location), a.end.In(location)
	return a
}

// at is the column of a time among so many.
func (a timeAxis) at(t time.Time, columns int) int {
	part := float64(t.Sub(a.start)) / float64(a.end.Sub(a.start))
	return clamp(int(math.Round(part*float64(columns-1))), columns)
}

func (a timeAxis) zone() string { return a.end.Format("MST") }

// steps are the distances of ticks.
var steps = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute,
	30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 48 * time.Hour, 7 * 24 * time.Hour,
	14 * 24 * time.Hour, 28 * 24 * time.Hour, 91 * 24 * time.Hour, 182 * 24 * time.Hour, 364 * 24 * time.Hour,
}

// tick is a mark on the axis.
type tick struct {
	column int
	label  string
}

// ticks are as many as have room, at round times of the zone's clock.
func (a timeAxis) ticks(width int) []tick {
	span := a.end.Sub(a.start)
	for _, step := range steps {
		if int(span/step) > width/10 {
			continue
		}
		var ticks []tick
		for t := a.ceil(step); !t.After(a.end); t = t.Add(step) {
			ticks = append(ticks, tick{a.at(t, width), a.label(t, step)})
		}
		return ticks
	}
	return nil
}

// ceil is the first round time at or after the start.
func (a timeAxis) ceil(step time.Duration) time.Time {
	_, offset := a.start.Zone()
	shift := time.Duration(offset) * time.Second
	at := a.start.Add(shift).Truncate(step).Add(-shift)
	if at.Before(a.start) {
		at = at.Add(step)
	}
	return at
}

func (a timeAxis) label(t time.Time, step time.Duration) string {
	switch {
	case step < time.Minute:
		return t.Format("15:04:05")
	case step >= 24*time.Hour, t.Hour() == 0 && t.Minute() == 0 && a.end.Sub(a.start) > 12*time.Hour:
		return t.Format("Jan 2")
	}
	return t.Format("15:04")
}

// ruler is the line with the marks.
func ruler(ticks []tick, width int, ascii bool) string {
	line, mark := "─", "┬"
	if ascii {
		line, mark = "-", "+"
	}
	cells := make([]string, width)
	for i := range cells {
		cells[i] = line
	}
	for _, t := range ticks {
		cells[t.column] = mark
	}
	return strings.Join(cells, "")
}

// labels are below the marks, as far as they do not run into each other.
func labels(ticks []tick, width int) string {
	line := []byte(strings.Repeat(" ", width))
	free := 0
	for _, t := range ticks {
		at := min(max(0, t.column-len(t.label)/2), width-len(t.label))
		if at < free {
			continue
		}
		copy(line[at:], t.label)
		free = at + len(t.label) + 1
	}
	return string(line)
}
