package tui

import (
	"fmt"
	"strings"
	"time"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// operations shows the items of an operation with a bar each, and at its end what became of them.
type operations struct {
	op     operation
	all    []operation // that one can go through
	win    window
	failed bool // only items that failed or were canceled
}

func newOperations(m *Model, op operation) *operations {
	o := &operations{op: op}
	for _, w := range m.works {
		o.all = append(o.all, w)
	}
	return o
}

// openWork shows the newest operation.
func (m *Model) openWork() tea.Cmd {
	if len(m.works) == 0 {
		m.say("no operation was begun yet")
		return nil
	}
	return m.push(newOperations(m, m.works[len(m.works)-1]))
}

// showsWork is the operations screen when it is open.
func (m *Model) showsWork() *operations {
	for _, s := range m.stack {
		if o, ok := s.(*operations); ok {
			return o
		}
	}
	return nil
}

func (o *operations) title() string { return o.op.state().what }
func (o *operations) typing() bool  { return false }
func (o *operations) close()        {}

func (o *operations) keys(k *keymap) []key.Binding {
	if !o.op.state().ended.IsZero() {
		return []key.Binding{k.Save, k.Back, k.Errors, k.Other}
	}
	return []key.Binding{k.Cancel, k.CancelAll, k.Back, k.Errors, k.Other}
}

func (o *operations) help(k *keymap) []section {
	return []section{{"Operation", []key.Binding{k.Cancel, k.CancelAll, k.Save, k.Errors, k.Other}}}
}

func (o *operations) update(m *Model, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok || o.win.key(m.k, press) {
		return nil
	}
	over := !o.op.state().ended.IsZero()
	switch {
	case is(press, m.k.Back):
		m.pop()
	case is(press, m.k.Cancel) && !over:
		if shown := o.shown(o.op.state()); o.win.at < len(shown) {
			o.op.cancel(shown[o.win.at])
		}
	case is(press, m.k.CancelAll) && !over:
		o.op.cancelAll()
	case is(press, m.k.Save) && !over:
		m.say("the summary can be saved when the operation has ended")
	case is(press, m.k.Save):
		return m.push(newSaveForm(m, o.op.state()))
	case is(press, m.k.Errors):
		o.failed, o.win = !o.failed, window{}
	case is(press, m.k.Other):
		o.other()
	}
	return nil
}

// other goes to the next operation.
func (o *operations) other() {
	for i, op := range o.all {
		if op == o.op {
			o.op, o.win = o.all[(i+1)%len(o.all)], window{}
			return
		}
	}
}

// shown are the numbers of the items to show.
func (o *operations) shown(s workState) []int {
	var shown []int
	for i, item := range s.items {
		if !o.failed || item.status == sdk.Failed || item.status == sdk.Canceled {
			shown = append(shown, i)
		}
	}
	return shown
}

func (o *operations) body(m *Model, w, h int) []string {
	s := o.op.state()
	shown := o.shown(s)
	lines := []string{"", o.total(m, s, w), ""}
	detail := o.detail(m, s, shown, w)
	o.win.resize(len(shown), h-len(lines)-len(detail))
	if len(shown) == 0 && o.failed {
		lines = append(lines, "    Nothing failed.")
	}
	names := 8
	for _, item := range s.items {
		names = min(max(names, width(item.name)), max(12, w/3))
	}
	for i, to := o.win.rows(); i < to; i++ {
		lines = append(lines, o.line(m, s.items[shown[i]], names, w, i == o.win.at))
	}
	for len(lines)+len(detail) < h {
		lines = append(lines, "")
	}
	return append(lines, detail...)
}

// detail is the message of the item under the cursor, whole.
func (o *operations) detail(m *Model, s workState, shown []int, w int) []string {
	if o.win.at >= len(shown) {
		return nil
	}
	item := s.items[shown[o.win.at]]
	if item.message == "" {
		return nil
	}
	lines := wrap(item.name+": "+item.message, w-2)
	lines = lines[:min(len(lines), 4)]
	for i := range lines {
		lines[i] = " " + m.st.status(item.status).Render(lines[i])
	}
	return append([]string{""}, lines...)
}

// tally counts items by status.
func (s workState) tally() map[sdk.Status]int {
	n := map[sdk.Status]int{}
	for _, item := range s.items {
		n[item.status]++
	}
	return n
}

// total is the bar of the whole.
func (o *operations) total(m *Model, s workState, w int) string {
	n := s.tally()
	over := len(s.items) - n[sdk.Pending] - n[sdk.Running]
	end := m.now()
	if !s.ended.IsZero() {
		end = s.ended
	}
	text := fmt.Sprintf("%*d of %d", len(fmt.Sprint(len(s.items))), over, len(s.items))
	took := fitRight(clock(end.Sub(s.began)), 8)
	room := max(4, min(40, w-2-width(text)-10-len(took)))
	return " " + m.st.strong.Render(text) + " " + m.st.accent.Render(bar(int64(over), int64(len(s.items)), room)) +
		fitRight(percent(int64(over), int64(len(s.items))), 5) + took
}

// statusWords are the statuses as the screen has them.
var statusWords = map[sdk.Status]string{
	sdk.Pending: "waiting", sdk.Running: "running", sdk.Succeeded: "done", sdk.Failed: "FAILED", sdk.Canceled: "canceled", sdk.Skipped: "skipped",
}

func (o *operations) line(m *Model, item itemState, names, w int, here bool) string {
	mark := "   "
	if here {
		mark = " > "
	}
	word := statusWords[item.status]
	if item.canceling && item.ended.IsZero() {
		word = "stopping"
	}
	line := mark + fit(item.name, names) + " " + m.st.status(item.status).Render(fit(word, 8)) + " "
	took := ""
	if !item.began.IsZero() {
		end := m.now()
		if !item.ended.IsZero() {
			end = item.ended
		}
		took = clock(end.Sub(item.began))
	}
	line += fitRight(took, 7) + "  "
	room := w - width(line) - 1
	if item.status == sdk.Running && item.total > 0 {
		return line + clip(o.progress(m, item, room), room)
	}
	text := item.message
	if item.status == sdk.Running && item.stage != "" {
		text = strings.TrimSpace(item.stage + " " + text)
	}
	return line + m.st.dim.Render(clip(text, room))
}

// progress is the bar of an item that runs, with figures of constant width.
func (o *operations) progress(m *Model, item itemState, room int) string {
	text := fitRight(percent(item.done, item.total), 4)
	if item.unit == "bytes" {
		text += fitRight(sdk.FormatBytes(item.done), 9) + " of " + fit(sdk.FormatBytes(item.total), 8)
		if item.rate > 0 {
			text += fitRight(sdk.FormatBytes(int64(item.rate))+"/s", 11)
		}
	}
	stage := fit(item.stage, min(12, max(6, width(item.stage)))) + " "
	for room-width(stage)-width(text)-1 < 8 && width(text) > 5 {
		text = text[:strings.LastIndex(strings.TrimRight(text, " "), " ")]
	}
	cells := min(30, room-width(stage)-width(text)-1)
	if cells < 4 {
		return stage + text
	}
	return stage + m.st.accent.Render(bar(item.done, item.total, cells)) + " " + text
}

// bar is a bar of w cells.
func bar(done, total int64, w int) string {
	full := 0
	if total > 0 {
		full = int(min(done, total) * int64(w) / total)
	}
	return strings.Repeat("█", full) + strings.Repeat("░", max(0, w-full))
}

func percent(done, total int64) string {
	if total <= 0 {
		return ""
	}
	return fmt.Sprintf("%d%%", min(done, total)*100/total)
}

func (o *operations) foot(m *Model) string {
	s := o.op.state()
	n := s.tally()
	var parts []string
	for _, status := range []sdk.Status{sdk.Succeeded, sdk.Skipped, sdk.Failed, sdk.Canceled, sdk.Running, sdk.Pending} {
		if n[status] > 0 {
			parts = append(parts, m.st.status(status).Render(fmt.Sprintf("%d %s", n[status], statusWords[status])))
		}
	}
	text := strings.Join(parts, " · ")
	if !s.ended.IsZero() {
		text = "Ended after " + clock(s.ended.Sub(s.began).Round(time.Second)) + ": " + text
	}
	for i, op := range o.all {
		if op == o.op && len(o.all) > 1 {
			text += m.st.dim.Render(fmt.Sprintf("   operation %d of %d", i+1, len(o.all)))
		}
	}
	return text
}
