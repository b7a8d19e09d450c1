package vsphere

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/vmware/govmomi/vim25/types"
)

// rowTable is the rows of one kind, sorted by path. The list is shared with snapshots: it is replaced, never changed.
type rowTable[T any] struct {
	path  func(*T) string
	list  []*T
	at    map[types.ManagedObjectReference]int // in list
	fresh map[types.ManagedObjectReference]*T  // since list was made; nil: gone
}

func newRowTable[T any](path func(*T) string) *rowTable[T] {
	return &rowTable[T]{path: path, list: []*T{}, at: map[types.ManagedObjectReference]int{}, fresh: map[types.ManagedObjectReference]*T{}}
}

// set enters a row, unless it is there just so.
func (t *rowTable[T]) set(ref types.ManagedObjectReference, row *T) {
	if i, ok := t.at[ref]; ok && reflect.DeepEqual(t.list[i], row) {
		delete(t.fresh, ref)
		return
	}
	t.fresh[ref] = row
}

func (t *rowTable[T]) remove(ref types.ManagedObjectReference) {
	if _, ok := t.at[ref]; ok {
		t.fresh[ref] = nil
	} else {
		delete(t.fresh, ref)
	}
}

// keep removes the rows of objects that are not there.
func (t *rowTable[T]) keep(there func(types.ManagedObjectReference) bool) {
	for ref := range t.at {
		if !there(ref) {
			t.remove(ref)
		}
	}
}

// settle makes the list anew when a row is fresh, and says whether one was.
func (t *rowTable[T]) settle() bool {
	if len(t.fresh) == 0 {
		return false
	}
	defer clear(t.fresh)
	if t.inPlace() {
		t.list = slices.Clone(t.list)
		for ref, row := range t.fresh {
			t.list[t.at[ref]] = row
		}
		return true
	}
	t.sort()
	return true
}

// inPlace says whether every fresh row takes the place of one with its path.
func (t *rowTable[T]) inPlace() bool {
	for ref, row := range t.fresh {
		i, ok := t.at[ref]
		if !ok || row == nil || t.path(row) != t.path(t.list[i]) {
			return false
		}
	}
	return true
}

func (t *rowTable[T]) sort() {
	type entry struct {
		ref types.ManagedObjectReference
		row *T
	}
	entries := make([]entry, 0, len(t.list)+len(t.fresh))
	for ref, i := range t.at {
		if _, fresh := t.fresh[ref]; !fresh {
			entries = append(entries, entry{ref, t.list[i]})
		}
	}
	for ref, row := range t.fresh {
		if row != nil {
			entries = append(entries, entry{ref, row})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(t.path(a.row), t.path(b.row)), cmp.Compare(a.ref.Value, b.ref.Value))
	})
	t.list = make([]*T, len(entries))
	clear(t.at)
	for i, e := range entries {
		t.list[i], t.at[e.ref] = e.row, i
	}
}
