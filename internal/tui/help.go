package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// helped is a screen with keys of its own to explain.
type helped interface{ help(k *keymap) []section }

// help is the overlay that names every key.
type help struct {
	sections []section
	win      window
}

func newHelp(m *Model, of screen) *help {
	h := &help{win: window{scrolls: true}}
	if s, ok := of.(helped); ok {
		h.sections = s.help(m.k)
	}
	h.sections = append([]section{m.k.moves()}, h.sections...)
	return h
}

func (h *help) title() string                { return "Help" }
func (h *help) typing() bool                 { return false }
func (h *help) close()                       {}
func (h *help) foot(*Model) string           { return "" }
func (h *help) keys(k *keymap) []key.Binding { return []key.Binding{k.Back, k.Down, k.Up} }

func (h *help) update(m *Model, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok, h.win.key(m.k, press):
	case is(press, m.k.Back), is(press, m.k.Help):
		m.pop()
	}
	return nil
}

func (h *help) body(m *Model, w, height int) []string {
	var lines []string
	for _, s := range h.sections {
		lines = append(lines, "", " "+m.st.strong.Render(s.title))
		for _, b := range s.keys {
			lines = append(lines, "   "+m.st.key.Render(fit(b.Help().Key, 10))+" "+b.Help().Desc)
		}
	}
	if w >= 76 { // two columns side by side
		lines = h.columns(m, w)
	}
	h.win.resize(len(lines), height)
	from, to := h.win.rows()
	return lines[from:to]
}

// columns puts each section where there is more room, left or right.
func (h *help) columns(m *Model, w int) []string {
	var left, right []string
	for _, s := range h.sections {
		side := &left
		if len(right) < len(left) {
			side = &right
		}
		*side = append(*side, "", " "+m.st.strong.Render(s.title))
		for _, b := range s.keys {
			*side = append(*side, "   "+m.st.key.Render(fit(b.Help().Key, 10))+" "+b.Help().Desc)
		}
	}
	var lines []string
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines = append(lines, fit(l, w/2)+r)
	}
	return lines
}
