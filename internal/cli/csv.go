package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// WriteCSV writes a list as comma-separated values: a head with the names of the JSON fields, then a row for each item, quoted
// by RFC 4180. What is no list is one row. Numbers and words stand as in JSON; a list or an object within a field is its
// JSON; null and an absent field are empty. Control characters, which could drive the terminal, appear escaped.
func WriteCSV(w io.Writer, value any) error {
	items, head := csvItems(value)
	var rows []map[string]json.RawMessage
	for _, item := range items {
		row, keys, err := csvRow(item)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		for _, key := range keys {
			if !slices.Contains(head, key) {
				head = append(head, key)
			}
		}
	}
	out := csv.NewWriter(w)
	_ = out.Write(head) // Flush keeps the error
	for _, row := range rows {
		cells := make([]string, len(head))
		for i, name := range head {
			var err error
			if cells[i], err = csvCell(row[name]); err != nil {
				return err
			}
		}
		_ = out.Write(cells)
	}
	out.Flush()
	return out.Error()
}

// csvItems takes a list apart and knows the fields of its items, of an empty list too.
func csvItems(value any) (items []any, head []string) {
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice {
		return []any{value}, jsonFields(reflect.TypeOf(value))
	}
	for i := range v.Len() {
		items = append(items, v.Index(i).Interface())
	}
	return items, jsonFields(v.Type().Elem())
}

// jsonFields are the names of a struct's fields in JSON, in order; none for what is no struct.
func jsonFields(t reflect.Type) []string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct || t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			names = append(names, jsonFields(f.Type)...)
		case !f.IsExported() || name == "-":
		case name == "":
			names = append(names, f.Name)
		default:
			names = append(names, name)
		}
	}
	return names
}

// csvRow is an item's fields by name. What is no object has the one field "value".
func csvRow(item any) (row map[string]json.RawMessage, keys []string, err error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(item); err != nil {
		return nil, nil, err
	}
	if text.Bytes()[0] != '{' {
		return map[string]json.RawMessage{"value": text.Bytes()}, []string{"value"}, nil
	}
	if err := json.Unmarshal(text.Bytes(), &row); err != nil {
		return nil, nil, fmt.Errorf("csv of %T: %w", item, err)
	}
	for key := range row {
		keys = append(keys, key)
	}
	slices.Sort(keys) // those that the type does not name
	return row, keys, nil
}

func csvCell(raw json.RawMessage) (string, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] != '"' {
		return string(raw), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", err
	}
	return sdk.Escape(text, func(r rune) bool { return !unicode.IsControl(r) || r == '\n' || r == '\t' }), nil
}
