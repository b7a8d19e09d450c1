package tui

import (
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// vmList is the list of VMs, the screen that is always there.
type vmList struct {
	t       *table
	sort    column
	down    bool
	sorted  []int32 // all rows
	filter  filter
	shown   []int32 // those that the filter wants, sorted
	win     window
	at      string // moref under the cursor
	chosen  []bool // of each row of t, also of those that are not shown
	input   textinput.Model
	entry   entry // what the input is for
	earlier filter
}

// entry is what is being typed.
type entry int

const (
	noEntry entry = iota
	filterEntry
	globEntry
)

func newVMList() *vmList {
	return &vmList{t: newTable(nil), input: newInput("")}
}

func (l *vmList) title() string { return "VMs" }
func (l *vmList) typing() bool  { return l.entry != noEntry }
func (l *vmList) close()        {}

func (l *vmList) keys(k *keymap) []key.Binding {
	if l.entry != noEntry {
		return []key.Binding{bind("Enter", "done"), bind("Esc", "as before")}
	}
	return []key.Binding{k.Select, k.Filter, k.Bulk, k.Migrate, k.Detail, k.Metrics, k.Events, k.Clone, k.Sort, k.Operations, k.All, k.Invert, k.Glob}
}

// help are the parts of the help overlay that are about the list.
func (l *vmList) help(k *keymap) []section {
	return []section{
		{"This VM", []key.Binding{k.Detail, k.Metrics, k.Events, k.Clone}},
		{"Selected VMs, or this one", []key.Binding{k.Bulk, k.Migrate}},
		{"Selection", []key.Binding{k.Select, k.All, k.Invert, k.Glob, k.None}},
		{"List", []key.Binding{k.Filter, k.Sort, k.Reverse}},
	}
}

// refresh takes a new inventory. Cursor, filter and selection stay; what is gone is not selected any more.
func (l *vmList) refresh(t *table) {
	chosen := make([]bool, len(t.rows))
	for i, on := range l.chosen {
		if now, there := t.byRef[l.t.rows[i].vm.Ref]; on && there {
			chosen[now] = true
		}
	}
	l.t, l.chosen = t, chosen
	l.resort()
}

func (l *vmList) resort() {
	l.sorted = l.t.order(l.sort, l.down)
	l.shown = l.t.shown(l.sorted, l.filter)
	l.find()
}

// find puts the cursor back to the VM it was on.
func (l *vmList) find() {
	l.win.resize(len(l.shown), l.win.height)
	if i, there := l.t.byRef[l.at]; there {
		for at, r := range l.shown {
			if int(r) == i {
				l.win.move(at - l.win.at)
				return
			}
		}
	}
	l.note()
}

// note remembers which VM the cursor is on.
func (l *vmList) note() {
	if r := l.current(); r != nil {
		l.at = r.vm.Ref
	}
}

// current is the row under the cursor; nil: there is none.
func (l *vmList) current() *row {
	if l.win.at >= len(l.shown) {
		return nil
	}
	return &l.t.rows[l.shown[l.win.at]]
}

// narrow sets the filter. While a text grows only what is shown is looked at.
func (l *vmList) narrow(text string) {
	f, among := newFilter(text), l.sorted
	if f.narrows(l.filter) {
		among = l.shown
	}
	l.filter, l.shown = f, l.t.shown(among, f)
	l.win.first, l.win.at = 0, 0 // unless what it was on is still shown
	l.find()
}

// targets are the VMs to work on: those selected, in the order of the list, else the one under the cursor.
func (l *vmList) targets() []*vsphere.VMSummary {
	var vms []*vsphere.VMSummary
	for _, i := range l.sorted {
		if l.chosen[i] {
			vms = append(vms, l.t.rows[i].vm)
		}
	}
	if r := l.current(); len(vms) == 0 && r != nil {
		vms = append(vms, r.vm)
	}
	return vms
}

func (l *vmList) update(m *Model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		if l.entry != noEntry {
			return l.enter(m, msg)
		}
		return l.press(m, msg)
	case tea.PasteMsg:
		if l.entry != noEntry {
			return l.edit(msg)
		}
	}
	return nil
}

func (l *vmList) press(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	if l.win.key(m.k, msg) {
		l.note()
		return nil
	}
	switch k := m.k; {
	case is(msg, k.Filter):
		l.begin(filterEntry, "/", l.filter.text)
	case is(msg, k.Glob):
		l.begin(globEntry, "select by glob: ", "")
	case is(msg, k.Back):
		l.narrow("")
	case is(msg, k.Select):
		l.toggle()
	case is(msg, k.All):
		l.choose(func(bool) bool { return true })
	case is(msg, k.Invert):
		l.choose(func(on bool) bool { return !on })
	case is(msg, k.None):
		clear(l.chosen)
	case is(msg, k.Sort):
		l.sort = (l.sort + 1) % columns
		l.down = columnSpecs[l.sort].descending
		l.resort()
	case is(msg, k.Reverse):
		l.down = !l.down
		l.resort()
	default:
		return l.open(m, msg)
	}
	return nil
}

// open opens what works on VMs.
func (l *vmList) open(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	r := l.current()
	if r == nil {
		return nil
	}
	switch k := m.k; {
	case is(msg, k.Detail):
		return m.push(newDetail(r.vm))
	case is(msg, k.Bulk):
		return m.push(newBulkMenu(l.targets(), slices.Contains(l.chosen, true)))
	case is(msg, k.Migrate):
		return m.push(newMigrateForm(m, l.targets()))
	}
	return openOne(m, msg, r.vm)
}

// openOne opens what is about one VM, by its key.
func openOne(m *Model, msg tea.KeyPressMsg, vm *vsphere.VMSummary) tea.Cmd {
	switch k := m.k; {
	case is(msg, k.Metrics):
		return m.push(newMetrics(vm))
	case is(msg, k.Events):
		return m.push(newEvents(vm))
	case is(msg, k.Clone):
		return m.push(newCloneForm([]*vsphere.VMSummary{vm}))
	}
	return nil
}

func (l *vmList) toggle() {
	if l.current() != nil {
		i := l.shown[l.win.at]
		l.chosen[i] = !l.chosen[i]
		l.win.move(1)
		l.note()
	}
}

// choose selects and unselects what is shown.
func (l *vmList) choose(want func(on bool) bool) {
	for _, i := range l.shown {
		l.chosen[i] = want(l.chosen[i])
	}
}

// chooseByGlob adds to the selection every VM of that name, shown or not, and says how many there are.
func (l *vmList) chooseByGlob(pattern string) int {
	n := 0
	pattern = strings.ToLower(pattern)
	for i := range l.t.rows {
		if glob(pattern, l.t.rows[i].name) {
			l.chosen[i] = true
			n++
		}
	}
	return n
}

func (l *vmList) begin(what entry, prompt, text string) {
	l.entry, l.earlier = what, l.filter
	l.input = newInput(text)
	l.input.Prompt = prompt
}

func (l *vmList) enter(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	switch msg.String() {
	case "esc":
		if l.entry == filterEntry {
			l.narrow(l.earlier.text)
		}
		l.entry = noEntry
		return nil
	case "enter":
		if l.entry == globEntry {
			m.say(count(l.chooseByGlob(l.input.Value()), "VM") + fmt.Sprintf(" selected by %s", l.input.Value()))
		}
		l.entry = noEntry
		return nil
	case "up", "down", "pgup", "pgdown":
		l.win.key(m.k, msg)
		l.note()
		return nil
	}
	return l.edit(msg)
}

func (l *vmList) edit(msg tea.Msg) tea.Cmd {
	var cmd tea.Cmd
	before := l.input.Value()
	l.input, cmd = l.input.Update(msg)
	if l.entry == filterEntry && l.input.Value() != before {
		l.narrow(l.input.Value())
	}
	return cmd
}

func (l *vmList) foot(m *Model) string {
	if l.entry == globEntry {
		return l.input.View()
	}
	text := fmt.Sprintf("%s, %s on", count(len(l.t.rows), "VM"), grouped(l.t.on))
	if l.filter.text != "" {
		text = fmt.Sprintf("%s of %s shown", grouped(len(l.shown)), grouped(len(l.t.rows)))
	}
	text += l.selected()
	if l.entry == filterEntry {
		return l.input.View() + "   " + m.st.dim.Render(text)
	}
	if l.filter.text != "" {
		text += fmt.Sprintf(" · filter %q", l.filter.text)
	}
	return m.st.dim.Render(text)
}

// selected says how many are selected, and how many of them one does not see.
func (l *vmList) selected() string {
	all, seen := 0, 0
	for _, on := range l.chosen {
		if on {
			all++
		}
	}
	for _, i := range l.shown {
		if l.chosen[i] {
			seen++
		}
	}
	switch {
	case all == 0:
		return ""
	case all > seen:
		return fmt.Sprintf(" · %s selected (%s not shown)", grouped(all), grouped(all-seen))
	}
	return fmt.Sprintf(" · %s selected", grouped(all))
}
