package plot

import "strings"

// dot is a place on a canvas, from its upper left corner.
type dot struct{ x, y int }

// canvas is an area of cells that dots are set in.
type canvas interface {
	dots() (across, down int)
	set(x, y int, value bool) // value: there is a value here, and not only a line on the way to one
	lines() []string
}

// braille has two dots by four in a cell: Unicode's block of Braille patterns has a bit for each.
type braille struct {
	cells [][]rune
}

func newBraille(width, height int) *braille {
	b := &braille{cells: make([][]rune, height)}
	for i := range b.cells {
		b.cells[i] = make([]rune, width)
	}
	return b
}

func (b *braille) dots() (across, down int) { return 2 * len(b.cells[0]), 4 * len(b.cells) }

func (b *braille) set(x, y int, _ bool) {
	bits := [4][2]rune{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}
	b.cells[y/4][x/2] |= bits[y%4][x%2]
}

func (b *braille) lines() []string {
	lines := make([]string, len(b.cells))
	for i, row := range b.cells {
		var text strings.Builder
		for _, bits := range row {
			if bits == 0 {
				text.WriteByte(' ')
			} else {
				text.WriteRune(0x2800 + bits)
			}
		}
		lines[i] = text.String()
	}
	return lines
}

// letters has one dot in a cell.
type letters struct{ cells [][]byte }

func newLetters(width, height int) *letters {
	l := &letters{cells: make([][]byte, height)}
	for i := range l.cells {
		l.cells[i] = []byte(strings.Repeat(" ", width))
	}
	return l
}

func (l *letters) dots() (across, down int) { return len(l.cells[0]), len(l.cells) }

func (l *letters) set(x, y int, value bool) {
	if value {
		l.cells[y][x] = '*'
	} else if l.cells[y][x] == ' ' {
		l.cells[y][x] = '.'
	}
}

func (l *letters) lines() []string {
	lines := make([]string, len(l.cells))
	for i, row := range l.cells {
		lines[i] = string(row)
	}
	return lines
}

// join sets the dots of a straight line (Bresenham's algorithm).
func join(a, b dot, set func(x, y int, value bool)) {
	dx, dy := abs(b.x-a.x), -abs(b.y-a.y)
	sx, sy := sign(b.x-a.x), sign(b.y-a.y)
	for off := dx + dy; ; {
		set(a.x, a.y, false)
		if a == b {
			return
		}
		double := 2 * off
		if double >= dy {
			off, a.x = off+dy, a.x+sx
		}
		if double <= dx {
			off, a.y = off+dx, a.y+sy
		}
	}
}

func abs(n int) int { return max(n, -n) }

func sign(n int) int {
	switch {
	case n > 0:
		return 1
	case n < 0:
		return -1
	}
	return 0
}
