package plot

import (
	"math"
	"strconv"
	"strings"
)

// valueAxis is the axis at the left.
type valueAxis struct {
	low, high float64
	marks     map[int]string // by row of the area
	width     int            // of the labels; -1: there is no axis
}

// newValueAxis chooses round numbers for an area of so many rows.
func newValueAxis(points []Point, o Options, rows int) valueAxis {
	low, high := bounds(points)
	if o.Min != nil {
		low = *o.Min
	}
	if o.Max != nil {
		high = *o.Max
	}
	if high <= low { // a constant, or bounds that contradict each other
		pad := max(math.Abs(low)*0.1, 1e-3)
		if low == 0 {
			pad = 1
		}
		if o.Max == nil || o.Min != nil {
			high = low + pad
		}
		if o.Min == nil && low != 0 {
			low = high - 2*pad
		}
	}
	step := round((high - low) / float64(max(1, min(5, rows/3))))
	if o.Min == nil {
		low = math.Floor(low/step) * step
	}
	if o.Max == nil {
		high = math.Ceil(high/step) * step
	}
	a := valueAxis{low: low, high: high, marks: map[int]string{}}
	scale, suffix := si(max(math.Abs(low), math.Abs(high)))
	decimals := max(0, int(math.Ceil(-math.Log10(step/scale)-1e-9)))
	if s := step / scale * math.Pow10(decimals); math.Abs(s-math.Round(s)) > 1e-6 { // 2.5
		decimals++
	}
	for n := 0; n <= int(math.Round((high-low)/step)); n++ {
		value := math.Ceil(low/step-1e-9)*step + float64(n)*step
		if value > high+step*1e-6 {
			break
		}
		text := strconv.FormatFloat(value/scale, 'f', decimals, 64)
		switch {
		case math.Abs(value) < step*1e-6: // neither -0 nor 0M
			text = strconv.FormatFloat(0, 'f', decimals, 64)
		default:
			text += suffix
		}
		a.marks[a.at(value, rows)] = text
		a.width = max(a.width, len(text))
	}
	return a
}

// bounds are those of the values, and zero when they are near it.
func bounds(points []Point) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, p := range points {
		if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
			low, high = min(low, p.Value), max(high, p.Value)
		}
	}
	switch {
	case low > high:
		return 0, 1
	case low > 0 && low <= high/2:
		low = 0
	case high < 0 && high >= low/2:
		high = 0
	}
	return low, high
}

// round is the next number that counts well: 1, 2, 2.5 or 5 with zeros.
func round(step float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(step)))
	for _, nice := range []float64{1, 2, 2.5, 5} {
		if step <= nice*power*(1+1e-9) {
			return nice * power
		}
	}
	return 10 * power
}

// si is what large numbers are divided by, and the letter for it.
func si(most float64) (scale float64, suffix string) {
	switch {
	case most >= 1e12:
		return 1e12, "T"
	case most >= 1e9:
		return 1e9, "G"
	case most >= 1e6:
		return 1e6, "M"
	case most >= 1e5:
		return 1e3, "k"
	}
	return 1, ""
}

// at is the row of a value among so many, the first one at the top.
func (a valueAxis) at(value float64, rows int) int {
	part := (value - a.low) / (a.high - a.low)
	return clamp(int(math.Round((1-part)*float64(rows-1))), rows)
}

func clamp(n, of int) int { return max(0, min(n, of-1)) }

// beside is what stands left of a row of the area.
func (a valueAxis) beside(row int, ascii bool) string {
	if a.width < 0 {
		return ""
	}
	text, line := a.marks[row], "│"
	if text != "" {
		line = "┤"
	}
	if ascii {
		line = map[string]string{"│": "|", "┤": "+"}[line]
	}
	return strings.Repeat(" ", a.width-len(text)) + text + line
}

// corner is where the axes meet.
func (a valueAxis) corner(ascii bool) string {
	switch {
	case a.width < 0:
		return ""
	case ascii:
		return strings.Repeat(" ", a.width) + "+"
	}
	return strings.Repeat(" ", a.width) + "└"
}

// under is what stands left of the labels of the time axis: the time zone, where there is room for it.
func (a valueAxis) under(zone string) string {
	if a.width < 0 {
		return ""
	}
	if len(zone) > a.width {
		zone = ""
	}
	return zone + strings.Repeat(" ", a.width+1-len(zone))
}
