package tui

import (
	"fmt"
	"strings"
)

// gutter is what stands before a row: the cursor and the sign of a selected one.
const gutter = 4

// usualName is how wide names become before other columns are given what they need.
const usualName = 32

func (l *vmList) body(m *Model, w, h int) []string {
	layout := l.layout(w)
	lines := []string{l.head(m, layout)}
	if h < 2 { // room for one: the VM itself
		lines = nil
	}
	l.win.resize(len(l.shown), h-len(lines))
	if text := l.empty(m); text != "" {
		return append(lines, "", "    "+text)
	}
	for i, to := l.win.rows(); i < to; i++ {
		lines = append(lines, l.line(m, layout, i, w))
	}
	return lines
}

// empty says why there is nothing to see.
func (l *vmList) empty(m *Model) string {
	switch {
	case len(l.shown) > 0:
		return ""
	case !m.inv.Loaded:
		return "Reading the inventory …"
	case len(l.t.rows) == 0:
		return "This vCenter shows you no VMs."
	}
	return fmt.Sprintf("No VM matches %q. Esc shows all.", l.filter.text)
}

// layout is the width of each column; 0: there is no room for it.
func (l *vmList) layout(w int) [columns]int {
	var got [columns]int
	room := w - gutter
	for rank := range int(columns) {
		c := byRank(rank)
		least := min(columnSpecs[c].least, l.t.widths[c])
		if c == colName {
			least = min(least, room)
		}
		if need := least + 1; need > room+1 {
			break
		}
		got[c] = least
		room -= least + 1
	}
	grow := func(c column, to int) {
		if got[c] > 0 {
			more := max(0, min(room, min(to, l.t.widths[c])-got[c]))
			got[c] += more
			room -= more
		}
	}
	grow(colName, usualName)
	for rank := 1; rank < int(columns); rank++ {
		grow(byRank(rank), l.t.widths[byRank(rank)])
	}
	grow(colName, l.t.widths[colName])
	return got
}

func byRank(rank int) column {
	for c, spec := range columnSpecs {
		if spec.rank == rank {
			return column(c)
		}
	}
	return colName
}

func (l *vmList) head(m *Model, layout [columns]int) string {
	var b strings.Builder
	b.WriteString(blank(gutter))
	for c, w := range layout {
		if w == 0 {
			continue
		}
		spec, arrow := columnSpecs[c], ""
		if column(c) == l.sort {
			arrow = map[bool]string{false: "↑", true: "↓"}[l.down]
		}
		text := clip(spec.head, w-width(arrow)) + arrow
		if spec.right {
			b.WriteString(fitRight(text, w))
		} else {
			b.WriteString(fit(text, w))
		}
		b.WriteByte(' ')
	}
	return m.st.head.Render(strings.TrimRight(b.String(), " "))
}

func (l *vmList) line(m *Model, layout [columns]int, i, w int) string {
	r := &l.t.rows[l.shown[i]]
	here, chosen := i == l.win.at, l.chosen[l.shown[i]]
	mark := []byte("    ")
	if here {
		mark[0] = '>'
	}
	if chosen {
		mark[2] = '*'
	}
	var b strings.Builder
	b.Write(mark)
	for c, w := range layout {
		if w == 0 {
			continue
		}
		cell := fit(r.cells[c], w)
		if columnSpecs[c].right {
			cell = fitRight(r.cells[c], w)
		}
		if !here {
			cell = l.paint(m.st, r, column(c), cell, chosen)
		}
		b.WriteString(cell)
		b.WriteByte(' ')
	}
	if here {
		return m.st.cursor.Render(fit(b.String(), w))
	}
	return b.String()
}

func (l *vmList) paint(st *styles, r *row, c column, cell string, chosen bool) string {
	switch {
	case c == colName && chosen:
		return st.key.Render(cell)
	case c == colName:
		return cell
	case c == colPower && r.cells[colPower] == "on":
		return st.good.Render(cell)
	case c == colPower && r.vm.ConnectionState != "connected" && r.vm.ConnectionState != "":
		return st.bad.Render(cell)
	case c == colPower, c > colIP:
		return st.dim.Render(cell)
	}
	return cell
}
