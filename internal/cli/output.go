package cli

import (
	"encoding/json"
	"io"
	"reflect"

	"github.com/spf13/cobra"
)

// View is one answer in every form: the value for programs and the table for people.
type View struct {
	Value any
	Table Table
}

// formats is how a View can be written, in the order the help names them.
var formats = []struct {
	name  string
	write func(io.Writer, View) error
}{
	{"table", func(w io.Writer, v View) error { return v.Table.Write(w) }},
	{"json", func(w io.Writer, v View) error { return WriteJSON(w, v.Value) }},
}

// Output is the flags that choose a form.
type Output struct {
	format string
	json   bool
}

// AddOutput gives cmd -o and -json.
func AddOutput(cmd *cobra.Command) *Output {
	o := &Output{}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVarP(&o.format, "output", "o", "table", "`FORM` of the answer: table or json (default table)")
	cmd.Flags().BoolVar(&o.json, "json", false, "short for -o json")
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formatNames(), cobra.ShellCompDirectiveNoFileComp))
	return o
}

// Check refuses a form that there is not, before anything is asked of anyone.
func (o *Output) Check() error {
	for _, f := range formats {
		if f.name == o.format {
			return nil
		}
	}
	return Unknown("output", o.format, formatNames())
}

// Print writes the view in the chosen form.
func (o *Output) Print(w io.Writer, v View) error {
	name := o.format
	if o.json {
		name = "json"
	}
	for _, f := range formats {
		if f.name == name {
			return f.write(w, v)
		}
	}
	return Unknown("output", name, formatNames())
}

func formatNames() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return names
}

// WriteJSON writes the value, indented. An empty list is [], never null.
func WriteJSON(w io.Writer, value any) error {
	if v := reflect.ValueOf(value); v.Kind() == reflect.Slice && v.Len() == 0 {
		value = []any{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}
