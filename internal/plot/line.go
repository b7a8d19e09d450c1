package plot

import (
	"math"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// Point is one value at one time. A value that is not a number (math.NaN) is a gap.
type Point struct {
	Time  time.Time
	Value float64
}

// Options say how a line plot looks. Width and Height are required.
type Options struct {
	Width, Height int            // of everything in cells, title and axes included
	Title         string         // above it, cut to the width; empty: no line for it
	Unit          string         // after the title, such as percent; empty: none
	Min, Max      *float64       // of the value axis; nil: round numbers around the values, with zero when they are near it
	Start, End    time.Time      // of the time axis; zero: from the points
	Gap           time.Duration  // points further apart are not joined; 0: three times the usual distance
	Location      *time.Location // of the time axis; nil: UTC
	ASCII         bool           // without Unicode
}

// The smallest room that is shared with axes.
const (
	leastWidth  = 8  // cells of the area, below which there are no labels of values
	leastHeight = 2  // the same for the time axis
	roomy       = 30 // cells of the whole, from which on the time zone always has room
)

// Line draws the points, which are sorted by time, as Height lines of Width cells each. In a room too small for axes there are none, and in
// no room at all there is nothing. Without a single value the area says so.
func Line(points []Point, o Options) []string {
	if o.Width < 1 || o.Height < 1 {
		return nil
	}
	var lines []string
	if o.Title != "" && o.Height > 1 {
		lines = append(lines, fit(o.title(), o.Width))
	}
	height, timeAxis := o.Height-len(lines), false
	if height >= leastHeight+2 {
		height, timeAxis = height-2, true
	}
	values, times := newValueAxis(points, o, height), newTimeAxis(points, o)
	if o.Width >= roomy {
		values.width = max(values.width, len(times.zone()))
	}
	width := o.Width - values.width - 1
	if width < leastWidth {
		values.width, width = -1, o.Width
	}
	area := drawn(points, o, values, times, width, height)
	for row, cells := range area {
		lines = append(lines, values.beside(row, o.ASCII)+cells)
	}
	if timeAxis {
		ticks := times.ticks(width)
		lines = append(lines, values.corner(o.ASCII)+ruler(ticks, width, o.ASCII), fit(values.under(times.zone())+labels(ticks, width), o.Width))
	}
	return lines
}

func (o Options) title() string {
	text := o.Title
	if o.Unit != "" {
		text += " (" + o.Unit + ")"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// fit cuts or fills a text to so many cells.
func fit(text string, width int) string {
	return runewidth.FillRight(runewidth.Truncate(text, width, ""), width)
}

// drawn is the area.
func drawn(points []Point, o Options, values valueAxis, times timeAxis, width, height int) []string {
	var c canvas = newBraille(width, height)
	if o.ASCII {
		c = newLetters(width, height)
	}
	gap, drawn := o.Gap, false
	if gap <= 0 {
		gap = 3 * usual(points)
	}
	var before *dot
	for i, p := range points {
		if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || p.Time.Before(times.start) || p.Time.After(times.end) {
			before = nil
			continue
		}
		across, down := c.dots()
		at := dot{x: times.at(p.Time, across), y: values.at(p.Value, down)}
		if before != nil && p.Time.Sub(points[i-1].Time) <= gap {
			join(*before, at, c.set)
		}
		c.set(at.x, at.y, true)
		before, drawn = &at, true
	}
	if !drawn {
		return message("no samples", width, height)
	}
	return c.lines()
}

// usual is the median distance of two points.
func usual(points []Point) time.Duration {
	var all []time.Duration
	for i := 1; i < len(points); i++ {
		all = append(all, points[i].Time.Sub(points[i-1].Time))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

func message(text string, width, height int) []string {
	lines := make([]string, height)
	for i := range lines {
		lines[i] = strings.Repeat(" ", width)
	}
	lines[height/2] = fit(strings.Repeat(" ", max(0, (width-len(text))/2))+text, width)
	return lines
}
