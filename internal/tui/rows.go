package tui

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// column of the list of VMs.
type column int

const (
	colName column = iota
	colPower
	colCPUs
	colMemory
	colDisk
	colIP
	colHost
	colPool
	colGuest
	columns
)

// columnSpec says how a column looks. Those with the greatest rank are left out first when the screen is narrow.
type columnSpec struct {
	head       string
	least      int // cells
	most       int
	rank       int
	right      bool
	descending bool // is how one wants to see it first
}

var columnSpecs = [columns]columnSpec{
	colName:   {head: "NAME", least: 24, most: 60},
	colPower:  {head: "POWER", least: 9, most: 12, rank: 1},
	colCPUs:   {head: "CPU", least: 4, most: 4, rank: 4, right: true, descending: true},
	colMemory: {head: "MEMORY", least: 8, most: 8, rank: 3, right: true, descending: true},
	colDisk:   {head: "DISK", least: 8, most: 8, rank: 5, right: true, descending: true},
	colIP:     {head: "IP", least: 15, most: 39, rank: 2},
	colHost:   {head: "HOST", least: 12, most: 28, rank: 6},
	colPool:   {head: "POOL", least: 10, most: 24, rank: 7},
	colGuest:  {head: "GUEST", least: 12, most: 36, rank: 8},
}

// row is a VM as the list shows it.
type row struct {
	vm     *vsphere.VMSummary
	cells  [columns]string
	name   string // lower case, for globs
	order  string // what it is sorted by: see naturally
	search string // lower case, everything that a filter looks at
	disk   int64  // bytes
}

// table is the inventory as the list needs it: made once for each change, beside the UI, and not changed afterwards.
type table struct {
	rows   []row          // by name
	byRef  map[string]int // place in rows
	widths [columns]int
	on     int // VMs that run
}

// newTable prepares an inventory.
func newTable(vms []*vsphere.VMSummary) *table {
	t := &table{rows: make([]row, len(vms)), byRef: make(map[string]int, len(vms))}
	for i := range vms {
		t.rows[i] = newRow(vms[i])
		if vms[i].PowerState == "poweredOn" {
			t.on++
		}
	}
	slices.SortFunc(t.rows, func(a, b row) int {
		if c := strings.Compare(a.order, b.order); c != 0 {
			return c
		}
		return strings.Compare(a.vm.Path, b.vm.Path)
	})
	for c := range columns {
		t.widths[c] = len(columnSpecs[c].head) + 1 // and an arrow
	}
	for i := range t.rows {
		r := &t.rows[i]
		t.byRef[r.vm.Ref] = i
		for c, cell := range r.cells {
			t.widths[c] = max(t.widths[c], width(cell))
		}
	}
	for c, spec := range columnSpecs {
		t.widths[c] = min(t.widths[c], spec.most)
	}
	return t
}

func newRow(vm *vsphere.VMSummary) row {
	r := row{vm: vm}
	for _, d := range vm.Disks {
		r.disk += int64(d.CapacityGB * (1 << 30))
	}
	name := sdk.Printable(vm.Name)
	r.cells = [columns]string{
		colName: name, colPower: powerWord(vm), colHost: sdk.Printable(vm.Host),
		colPool: sdk.Printable(lastName(vm.ResourcePool)), colGuest: sdk.Printable(vm.GuestFullName),
	}
	if vm.CPUs > 0 { // else the configuration is not known
		r.cells[colCPUs] = fmt.Sprint(vm.CPUs)
		r.cells[colMemory] = sdk.FormatBytes(vm.MemoryMB << 20)
		r.cells[colDisk] = sdk.FormatBytes(r.disk)
	}
	if len(vm.IPAddresses) > 0 {
		r.cells[colIP] = sdk.Printable(vm.IPAddresses[0])
	}
	r.name = strings.ToLower(name)
	r.order = naturally(r.name)
	r.search = strings.ToLower(strings.Join([]string{
		name, r.cells[colPower], strings.Join(vm.IPAddresses, " "), r.cells[colHost], r.cells[colPool], r.cells[colGuest], vm.Hostname,
	}, "\n"))
	return r
}

// naturally makes a key by which web-2 comes before web-10: each number is led by the count of its digits.
func naturally(name string) string {
	if !strings.ContainsAny(name, "123456789") {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		end := i
		for end < len(name) && name[end] >= '0' && name[end] <= '9' {
			end++
		}
		if end == i {
			b.WriteByte(name[i])
			i++
			continue
		}
		digits := strings.TrimLeft(name[i:end], "0")
		b.WriteByte(byte('0' + min(9, len(digits))))
		b.WriteString(digits)
		i = end
	}
	return b.String()
}

// powerWord is the state of a VM in at most nine letters. A connection that is lost counts more than the power.
func powerWord(vm *vsphere.VMSummary) string {
	switch {
	case vm.ConnectionState != "" && vm.ConnectionState != "connected":
		return clip(sdk.Printable(vm.ConnectionState), columnSpecs[colPower].most)
	case vm.Template:
		return "template"
	}
	switch vm.PowerState {
	case "poweredOn":
		return "on"
	case "poweredOff":
		return "off"
	}
	return clip(sdk.Printable(vm.PowerState), columnSpecs[colPower].most)
}

// lastName is the name at the end of an inventory path.
func lastName(inventoryPath string) string {
	if inventoryPath == "" {
		return ""
	}
	return path.Base(inventoryPath)
}

// placeBits hold the place of a row in the table, in the lower part of a sort key; vCenter has room for less.
const placeBits = 20

// order are the places of the rows sorted by a column, and by name where that is equal.
func (t *table) order(by column, descending bool) []int32 {
	keys := make([]uint64, len(t.rows))
	value := t.sortValue(by)
	const most = 1<<(64-placeBits) - 1
	for i := range t.rows {
		v := value(&t.rows[i])
		if descending {
			v = most - v
		}
		keys[i] = v<<placeBits | uint64(i)
	}
	slices.Sort(keys)
	order := make([]int32, len(keys))
	for i, k := range keys {
		order[i] = int32(k & (1<<placeBits - 1))
	}
	return order
}

// sortValue gives each row a number in the order of the column, less than 2^44.
func (t *table) sortValue(by column) func(*row) uint64 {
	switch by {
	case colName:
		place := uint64(0) // the rows are asked in their order
		return func(*row) uint64 { place++; return place }
	case colCPUs:
		return func(r *row) uint64 { return uint64(max(0, r.vm.CPUs)) }
	case colMemory:
		return func(r *row) uint64 { return uint64(max(0, r.vm.MemoryMB)) }
	case colDisk:
		return func(r *row) uint64 { return uint64(max(0, r.disk)) >> 20 }
	case colIP:
		return func(r *row) uint64 { return addressValue(r.vm.IPAddresses) }
	default: // words
	}
	words := map[string]uint64{}
	for i := range t.rows {
		words[t.rows[i].cells[by]] = 0
	}
	sorted := make([]string, 0, len(words))
	for word := range words {
		sorted = append(sorted, word)
	}
	slices.SortFunc(sorted, emptyLast)
	for i, word := range sorted {
		words[word] = uint64(i)
	}
	return func(r *row) uint64 { return words[r.cells[by]] }
}

func emptyLast(a, b string) int {
	switch {
	case a == b:
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return strings.Compare(a, b)
}

// addressValue orders IPv4 before IPv6 before none.
func addressValue(addresses []string) uint64 {
	const six, none = 1 << 43, 1<<44 - 1
	if len(addresses) == 0 {
		return none
	}
	a, err := netip.ParseAddr(addresses[0])
	if err != nil {
		return none
	}
	if a = a.Unmap(); a.Is4() {
		four := a.As4()
		return uint64(binary.BigEndian.Uint32(four[:]))
	}
	sixteen := a.As16()
	return six | binary.BigEndian.Uint64(sixteen[:])>>21
}

// filter is what the list is narrowed to: a glob over names when it has * or ?, else words that all must be in a row.
type filter struct {
	text  string
	words []string
	glob  string
}

func newFilter(text string) filter {
	f := filter{text: text}
	text = strings.ToLower(text)
	if strings.ContainsAny(text, "*?") {
		f.glob = strings.TrimSpace(text)
	} else {
		f.words = strings.Fields(text)
	}
	return f
}

func (f filter) wants(r *row) bool {
	if f.glob != "" {
		return glob(f.glob, r.name)
	}
	for _, word := range f.words {
		if !strings.Contains(r.search, word) {
			return false
		}
	}
	return true
}

// narrows says that what f wants is among what earlier wanted, so that only that need be looked at.
func (f filter) narrows(earlier filter) bool {
	return f.glob == "" && earlier.glob == "" && strings.HasPrefix(f.text, earlier.text)
}

// shown are the rows of among that the filter wants.
func (t *table) shown(among []int32, f filter) []int32 {
	if f.glob == "" && len(f.words) == 0 {
		return among
	}
	var shown []int32
	for _, i := range among {
		if f.wants(&t.rows[i]) {
			shown = append(shown, i)
		}
	}
	return shown
}
