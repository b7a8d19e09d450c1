package cli

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/mattn/go-runewidth"
)

// Rows remembers what a table that grows row by row has shown: its columns only ever become wider.
type Rows struct {
	Every  int // repeat the head after so many rows; 0: never
	widths []int
	shown  int
}

// PrintNext writes the next of a stream of views: its table's rows below those before, its value as one line of JSON or one
// document of YAML, or its rows as CSV, whose head stands once.
func (o *Output) PrintNext(w io.Writer, rows *Rows, v View) error {
	switch o.Format() {
	case "json":
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		return enc.Encode(v.Value)
	case "yaml":
		if _, err := io.WriteString(w, "---\n"); err != nil {
			return err
		}
		return WriteYAML(w, v.Value)
	case "csv":
		return rows.writeCSV(w, v.rows())
	}
	return rows.write(w, shown(v.Table, o.format == "wide"))
}

// writeCSV writes the head with the first rows alone.
func (r *Rows) writeCSV(w io.Writer, value any) error {
	var text bytes.Buffer
	if err := WriteCSV(&text, value); err != nil {
		return err
	}
	if r.shown > 0 {
		_, _ = text.ReadString('\n') // the head's names hold no line feed
	}
	r.shown++
	_, err := text.WriteTo(w)
	return err
}

func (r *Rows) write(w io.Writer, t Table) error {
	for _, row := range t.cells() {
		for i, cell := range row {
			if i >= len(r.widths) {
				r.widths = append(r.widths, 0)
			}
			r.widths[i] = max(r.widths[i], runewidth.StringWidth(cell))
		}
	}
	head := r.shown == 0 || r.Every > 0 && r.shown%r.Every == 0
	r.shown += len(t.Rows)
	return t.writeRows(w, r.widths, head)
}
