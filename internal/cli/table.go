package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Column is the head of a column. Numbers stand to the right. A wide one shows with -o wide only.
type Column struct {
	Name  string
	Right bool
	Wide  bool
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
	var widths []int
	for _, row := range t.cells() {
		for i, cell := range row {
			if i >= len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], runewidth.StringWidth(cell))
		}
	}
	return t.writeRows(w, widths, true)
}

// writeRows writes the rows in columns of the given widths, with the head or without.
func (t Table) writeRows(w io.Writer, widths []int, head bool) error {
	rows := t.cells()
	if len(t.Columns) > 0 && !head {
		rows = rows[1:]
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

// Narrow leaves the wide columns out.
func (t Table) Narrow() Table {
	if !slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Wide }) {
		return t
	}
	var out Table
	for _, c := range t.Columns {
		if !c.Wide {
			out.Columns = append(out.Columns, c)
		}
	}
	for _, row := range t.Rows {
		var cells []string
		for i, cell := range row {
			if i >= len(t.Columns) || !t.Columns[i].Wide {
				cells = append(cells, cell)
			}
		}
		out.Rows = append(out.Rows, cells)
	}
	return out
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
			if shown[i] = sdk.Printable(cell); shown[i] == "" {
				shown[i] = "-"
			}
		}
		rows = append(rows, shown)
	}
	return rows
}
