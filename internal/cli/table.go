package cli

import (
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// Column is the head of a column. Numbers stand to the right.
type Column struct {
	Name  string
	Right bool
}

// Table is rows under a head. Without columns it is one thing: a name and a value in each row.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Details is the table of one thing: names and values in turn. A value that is empty shows as "-".
func Details(namesAndValues ...string) Table {
	var t Table
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		t.Rows = append(t.Rows, []string{namesAndValues[i] + ":", namesAndValues[i+1]})
	}
	return t
}

// Write writes the table with aligned columns, two spaces apart. Cells are made printable; an empty one shows as "-".
func (t Table) Write(w io.Writer) error {
	rows := t.cells()
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-runewidth.StringWidth(cell))
			switch {
			case i < len(t.Columns) && t.Columns[i].Right:
				b.WriteString(pad + cell)
			case i < len(row)-1:
				b.WriteString(cell + pad)
			default:
				b.WriteString(cell)
			}
			if i < len(row)-1 {
				b.WriteString("  ")
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cells are the rows as shown, the head first.
func (t Table) cells() [][]string {
	var rows [][]string
	if len(t.Columns) > 0 {
		var head []string
		for _, c := range t.Columns {
			head = append(head, c.Name)
		}
		rows = append(rows, head)
	}
	for _, row := range t.Rows {
		shown := make([]string, len(row))
		for i, cell := range row {
			if shown[i] = Printable(cell); shown[i] == "" {
				shown[i] = "-"
			}
		}
		rows = append(rows, shown)
	}
	return rows
}
