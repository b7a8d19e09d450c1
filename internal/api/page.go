package api

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Page is which part of a list is wanted, in which order and with which keys.
type Page struct {
	Sort   string `query:"sort" doc:"Keys to sort by, with commas; a dash before a key turns it around: -memory_mb,name"`
	Fields string `query:"fields" doc:"Only these keys of each object, with commas: name,power_state"`
	Limit  int    `query:"limit" minimum:"0" maximum:"100000" doc:"At most so many objects; the header Link has the next ones, X-Total-Count says how many there are. Default: all"`
	Offset int    `query:"offset" minimum:"0" doc:"Leave out so many from the beginning"`
}

func (p Page) wanted() Page { return p }

// shape says how the objects of one type are sorted and cut down: their JSON keys, and where in the type each is.
type shape struct {
	keys  []string
	index map[string][]int
}

func shapeOf(t reflect.Type) shape {
	sh := shape{index: map[string][]int{}}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" {
			continue
		}
		sh.keys = append(sh.keys, name)
		sh.index[name] = f.Index
	}
	return sh
}

func (sh shape) find(what, key string) ([]int, error) {
	index, ok := sh.index[key]
	if !ok {
		return nil, sdk.WithHint(sdk.Invalidf("%s: the objects have no key %q", what, key), "there is %s", strings.Join(sh.keys, ", "))
	}
	return index, nil
}

// sorted returns the rows in the order that keys ask for; equal ones stay in the order they had, which is by path.
func sorted[T any](all []*T, keys string) ([]*T, error) {
	if keys == "" {
		return all, nil
	}
	sh := shapeOf(reflect.TypeFor[T]())
	type by struct {
		index []int
		sign  int
	}
	var order []by
	for key := range strings.SplitSeq(keys, ",") {
		name, down := strings.CutPrefix(strings.TrimSpace(key), "-")
		index, err := sh.find("sort", name)
		if err != nil {
			return nil, err
		}
		if !sortable(reflect.TypeFor[T]().FieldByIndex(index).Type) {
			return nil, sdk.Invalidf("sort: %q has more than one value", name)
		}
		order = append(order, by{index, map[bool]int{false: 1, true: -1}[down]})
	}
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *T) int {
		va, vb := reflect.ValueOf(a).Elem(), reflect.ValueOf(b).Elem()
		for _, o := range order {
			if c := compare(va.FieldByIndex(o.index), vb.FieldByIndex(o.index)); c != 0 {
				return c * o.sign
			}
		}
		return 0
	})
	return all, nil
}

func sortable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Array, reflect.Interface:
		return false
	case reflect.Struct:
		return t == reflect.TypeFor[time.Time]()
	default:
		return true
	}
}

// compare orders two values of one sortable type; a nil pointer comes first.
func compare(a, b reflect.Value) int {
	if a.Kind() == reflect.Pointer {
		if a.IsNil() || b.IsNil() {
			return compareBool(!a.IsNil(), !b.IsNil())
		}
		a, b = a.Elem(), b.Elem()
	}
	switch {
	case a.Kind() == reflect.Bool:
		return compareBool(a.Bool(), b.Bool())
	case a.Kind() == reflect.String:
		return cmp.Or(strings.Compare(strings.ToLower(a.String()), strings.ToLower(b.String())), strings.Compare(a.String(), b.String()))
	case a.CanInt():
		return cmp.Compare(a.Int(), b.Int())
	case a.CanUint():
		return cmp.Compare(a.Uint(), b.Uint())
	case a.CanFloat():
		return cmp.Compare(a.Float(), b.Float())
	}
	at, aok := a.Interface().(time.Time)
	bt, bok := b.Interface().(time.Time)
	if aok && bok {
		return at.Compare(bt)
	}
	return 0
}

func compareBool(a, b bool) int {
	return cmp.Compare(map[bool]int{true: 1}[a], map[bool]int{true: 1}[b])
}

// cut leaves out what offset and limit do not want.
func cut[T any](all []*T, offset, limit int) []*T {
	all = all[min(offset, len(all)):]
	if limit > 0 {
		all = all[:min(limit, len(all))]
	}
	return all
}

// encoded writes the objects as a JSON array, with the keys that fields wants. before is the JSON of objects that was made
// before; parts is that of these.
func encoded[T any](all []*T, fields string, before map[*T][]byte) (text []byte, parts map[*T][]byte, err error) {
	encode := func(row *T) ([]byte, error) { return json.Marshal(row) }
	if fields != "" {
		if encode, err = picker[T](fields); err != nil {
			return nil, nil, err
		}
	}
	parts = make(map[*T][]byte, len(all))
	size := 3
	for _, row := range all {
		part := before[row]
		if part == nil {
			if part, err = encode(row); err != nil {
				return nil, nil, err
			}
		}
		parts[row] = part
		size += len(part) + 1
	}
	text = append(make([]byte, 0, size), '[')
	for i, row := range all {
		if i > 0 {
			text = append(text, ',')
		}
		start := len(text)
		text = append(text, parts[row]...)
		parts[row] = text[start:len(text):len(text)] // one copy is enough
	}
	return append(text, ']', '\n'), parts, nil
}

// picker encodes an object with these keys alone, in this order.
func picker[T any](fields string) (func(*T) ([]byte, error), error) {
	sh := shapeOf(reflect.TypeFor[T]())
	var names []string
	for name := range strings.SplitSeq(fields, ",") {
		name = strings.TrimSpace(name)
		if _, err := sh.find("fields", name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return func(row *T) ([]byte, error) {
		out := []byte{'{'}
		for i, name := range names {
			if i > 0 {
				out = append(out, ',')
			}
			value, err := json.Marshal(reflect.ValueOf(row).Elem().FieldByIndex(sh.index[name]).Interface())
			if err != nil {
				return nil, err
			}
			out = strconv.AppendQuote(out, name)
			out = append(append(out, ':'), value...)
		}
		return append(out, '}'), nil
	}, nil
}
