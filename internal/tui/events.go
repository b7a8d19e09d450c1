package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// eventKeep is how many events of a VM are kept for scrolling.
const eventKeep = 1000

// events shows what happens to a VM, live.
type events struct {
	vm     *vsphere.VMSummary
	feed   *feed[vsphere.Event]
	stop   context.CancelFunc
	wait   tea.Cmd
	all    []vsphere.Event // oldest first
	shown  []int
	least  int // place in severities
	paused bool
	held   []vsphere.Event
	ended  bool
	err    error
	win    window
}

// severities are in the order of their weight.
var severities = []string{"info", "user", "warning", "error"}

func newEvents(vm *vsphere.VMSummary) *events {
	return &events{vm: vm, feed: newFeed[vsphere.Event](eventKeep), stop: func() {}, win: window{follows: true}}
}

func (e *events) title() string { return "Events of " + sdk.Printable(e.vm.Name) }
func (e *events) typing() bool  { return false }
func (e *events) close()        { e.stop() }

func (e *events) keys(k *keymap) []key.Binding {
	return []key.Binding{k.Back, k.Severity, k.Pause, k.Up, k.Down, k.Metrics}
}

func (e *events) help(k *keymap) []section {
	return []section{{"Events", []key.Binding{k.Severity, k.Pause, k.Metrics}}}
}

func (e *events) start(m *Model) tea.Cmd {
	ctx, stop := context.WithCancel(m.life())
	e.stop = stop
	backend, ref := m.backend, e.vm.Ref
	e.wait = e.feed.wait(ctx)
	return tea.Batch(e.wait, e.feed.run(ctx, func(ctx context.Context, use func(vsphere.Event)) error {
		return backend.Events(ctx, ref, use)
	}))
}

func (e *events) update(m *Model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case fed[vsphere.Event]:
		if msg.from != e.feed {
			return nil
		}
		e.held = append(e.held, msg.items...)
		e.held = e.held[max(0, len(e.held)-eventKeep):]
		if !e.paused {
			e.take()
		}
		if msg.ended {
			e.ended, e.err = true, msg.err
			return nil
		}
		return e.wait
	case tea.KeyPressMsg:
		return e.press(m, msg)
	}
	return nil
}

func (e *events) press(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	switch {
	case e.win.key(m.k, msg):
	case is(msg, m.k.Back), is(msg, m.k.Events):
		m.pop()
	case is(msg, m.k.Pause):
		if e.paused = !e.paused; !e.paused {
			e.take()
		}
	case is(msg, m.k.Severity):
		e.least = (e.least + 1) % len(severities)
		e.choose()
		e.win.move(e.win.n)
	case is(msg, m.k.Metrics):
		m.pop()
		return m.push(newMetrics(e.vm))
	}
	return nil
}

// take shows what was held back.
func (e *events) take() {
	e.all = append(e.all, e.held...)
	e.all = e.all[max(0, len(e.all)-eventKeep):]
	e.held = nil
	e.choose()
}

func (e *events) choose() {
	e.shown = e.shown[:0]
	for i := range e.all {
		if slices.Index(severities, e.all[i].Severity) >= e.least {
			e.shown = append(e.shown, i)
		}
	}
	e.win.resize(len(e.shown), e.win.height)
}

func (e *events) body(m *Model, w, h int) []string {
	below := e.whole(m, w)
	e.win.resize(len(e.shown), h-1-len(below))
	typeWidth := 12
	for _, i := range e.shown {
		typeWidth = min(max(typeWidth, width(e.all[i].EventType)), max(12, w/4))
	}
	zone := m.now().In(m.opts.Location).Format("MST")
	lines := []string{m.st.head.Render(clip("   "+fit("TIME "+zone, 14)+" "+fit("SEVERITY", 8)+" "+fit("TYPE", typeWidth)+" MESSAGE", w))}
	switch {
	case len(e.shown) == 0 && e.err != nil:
		for _, line := range wrap("! "+explain(e.err), w-2) {
			lines = append(lines, " "+m.st.bad.Render(line))
		}
	case len(e.shown) == 0 && len(e.all) == 0:
		lines = append(lines, "", "   No events of this VM in the last day. New ones appear here.")
	case len(e.shown) == 0:
		lines = append(lines, "", "   No events of this severity. s shows others.")
	}
	for i, to := e.win.rows(); i < to; i++ {
		lines = append(lines, e.line(m, &e.all[e.shown[i]], typeWidth, w, i == e.win.at))
	}
	for len(lines)+len(below) < h {
		lines = append(lines, "")
	}
	return append(lines, below...)
}

func (e *events) line(m *Model, event *vsphere.Event, typeWidth, w int, here bool) string {
	at := fit(event.CreatedAt.In(m.opts.Location).Format("01-02 15:04:05"), 14)
	word := fit(event.Severity, 8)
	kind := fit(sdk.Printable(event.EventType), typeWidth)
	message := sdk.Printable(event.Message)
	if here {
		return m.st.cursor.Render(fit(" > "+at+" "+word+" "+kind+" "+message, w))
	}
	return clip("   "+m.st.dim.Render(at)+" "+m.st.severity(event.Severity).Render(word)+" "+m.st.dim.Render(kind)+" "+message, w)
}

// whole is the event under the cursor with nothing cut off.
func (e *events) whole(m *Model, w int) []string {
	if e.win.at >= len(e.shown) {
		return nil
	}
	event := &e.all[e.shown[e.win.at]]
	text := sdk.Printable(event.Message)
	if event.User != "" {
		text += " (by " + sdk.Printable(event.User) + ")"
	}
	lines := wrap(text, w-2)
	lines = lines[:min(3, len(lines))]
	for i := range lines {
		lines[i] = " " + lines[i]
	}
	return append([]string{m.st.dim.Render(strings.Repeat("─", w))}, lines...)
}

func (e *events) foot(m *Model) string {
	text := fmt.Sprintf("%s of the last day and since", count(len(e.shown), "event"))
	if e.least > 0 {
		text += fmt.Sprintf(" · severity %s or worse", severities[e.least])
	}
	switch {
	case e.err != nil:
		text = "no new events: " + explain(e.err)
	case e.paused:
		text += fmt.Sprintf(" · PAUSED, %d waiting", len(e.held))
	}
	return m.st.dim.Render(text)
}
