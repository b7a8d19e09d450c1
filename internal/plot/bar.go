package plot

import (
	"math"
	"strings"
)

// Sparkline draws the newest width values as one line of width cells, the newest at the right. A gap (math.NaN) is a space. Unless low is less
// than high the scale is that of the values, and a constant is drawn in the middle.
func Sparkline(values []float64, width int, low, high float64, ascii bool) string {
	if width < 1 {
		return ""
	}
	levels := []rune("▁▂▃▄▅▆▇█")
	if ascii {
		levels = []rune("_.:-=+*#")
	}
	values = values[max(0, len(values)-width):]
	if low >= high {
		low, high = math.Inf(1), math.Inf(-1)
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			b.WriteByte(' ')
		case low == high:
			b.WriteRune(levels[len(levels)/2-1])
		default:
			b.WriteRune(levels[clamp(int((v-low)/(high-low)*float64(len(levels))), len(levels))])
		}
	}
	return b.String()
}

// Bar draws a value of full as a bar in width cells, in eighths of a cell where there is Unicode. What is less than zero or not a number is
// empty, what is more than full is full.
func Bar(value, full float64, width int, ascii bool) string {
	if width < 1 {
		return ""
	}
	part := value / full
	if math.IsNaN(part) || part < 0 || full <= 0 {
		part = 0
	}
	if ascii {
		n := int(math.Round(min(1, part) * float64(width)))
		return strings.Repeat("#", n) + strings.Repeat(" ", width-n)
	}
	eighths := int(math.Round(min(1, part) * float64(8*width)))
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar + strings.Repeat(" ", width-(eighths+7)/8)
}
