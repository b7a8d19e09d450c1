package cli

import (
	"encoding/json"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// View is one answer in every form: the value for programs and the tables for people.
type View struct {
	Value any       // of json and yaml, with the field names of its JSON
	Table Table     // of table and wide
	More  []Section // tables that follow it
	// Text, when set, writes the answer for people instead of the tables.
	Text func(io.Writer) error
	// Rows, when set, is the list that csv shows where Value itself is no list: the findings of a plan.
	Rows any
}

// Section is a table under a title. One without rows is left out.
type Section struct {
	Title string
	Table Table
}

// formats is how a View can be written, in the order the help names them.
var formats = []struct {
	name  string
	write func(io.Writer, View) error
}{
	{"table", func(w io.Writer, v View) error { return v.writeText(w, false) }},
	{"json", func(w io.Writer, v View) error { return WriteJSON(w, v.Value) }},
	{"yaml", func(w io.Writer, v View) error { return WriteYAML(w, v.Value) }},
	{"csv", func(w io.Writer, v View) error { return WriteCSV(w, v.rows()) }},
	{"wide", func(w io.Writer, v View) error { return v.writeText(w, true) }},
}

// Output is the flags that choose a form.
type Output struct {
	cmd    *cobra.Command
	format string
	json   bool
}

// AddOutput gives cmd -o and -json.
func AddOutput(cmd *cobra.Command) *Output {
	o := &Output{cmd: cmd}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&o.format, "output", "o", "table", "`FORM` of the answer: table, json, yaml, csv or wide (default table)")
	cmd.Flags().BoolVar(&o.json, "json", false, "short for -o json")
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames(), cobra.ShellCompDirectiveNoFileComp))
	return o
}

// Check refuses a form that there is not, and two that contradict, before anything is asked of anyone.
func (o *Output) Check() error {
	if o.json && o.cmd.Flags().Changed("output") && o.format != "json" {
		return sdk.Invalidf("--json contradicts -o %s; choose one", o.format)
	}
	for _, f := range formats {
		if f.name == o.format {
			return nil
		}
	}
	return Unknown("output", o.format, formatNames())
}

// Format is the name of the chosen form.
func (o *Output) Format() string {
	if o.json {
		return "json"
	}
	return o.format
}

// Print writes the view in the chosen form.
func (o *Output) Print(w io.Writer, v View) error {
	for _, f := range formats {
		if f.name == o.Format() {
			return f.write(w, v)
		}
	}
	return Unknown("output", o.Format(), formatNames())
}

func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

func (v View) writeText(w io.Writer, wide bool) error {
	if v.Text != nil {
		return v.Text(w)
	}
	var b strings.Builder
	// A strings.Builder takes everything.
	_ = shown(v.Table, wide).Write(&b)
	for _, s := range v.More {
		_ = Section{s.Title, shown(s.Table, wide)}.Write(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func shown(t Table, wide bool) Table {
	if wide {
		return t
	}
	return t.Narrow()
}

// Write writes the title after an empty line, and the table indented.
func (s Section) Write(w io.Writer) error {
	if len(s.Table.Rows) == 0 {
		return nil
	}
	var table, text strings.Builder
	_ = s.Table.Write(&table)
	text.WriteString("\n" + s.Title + "\n")
	for line := range strings.Lines(table.String()) {
		text.WriteString("  " + line)
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (v View) rows() any {
	if v.Rows != nil {
		return v.Rows
	}
	return v.Value
}

// WriteJSON writes the value, indented. An empty list is [], never null.
func WriteJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(notNull(value))
}

// notNull makes a list that is nil an empty one.
func notNull(value any) any {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice && v.Len() == 0 {
		return []any{}
	}
	return value
}
