package tui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// View draws the screen: the bar, a banner when something is wrong, the body, a line of state and a line of keys.
func (m *Model) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	v.WindowTitle = "hyperctl " + m.top().title()
	return v
}

func (m *Model) lines() []string {
	if m.w < 1 || m.h < 1 {
		return nil
	}
	top := m.top()
	head := []string{m.bar(top)}
	if text := m.banner(); text != "" {
		head = append(head, m.st.banner.Render(fit(" ! "+text, m.w)))
	}
	foot := []string{clip(m.footText(top), m.w), m.keyLine(top)}
	room := m.h - len(head) - len(foot)
	if room < 1 {
		return append(head, foot...)[:min(m.h, len(head)+len(foot))]
	}
	body := top.body(m, m.w, room)
	lines := make([]string, 0, m.h)
	lines = append(lines, head...)
	for i := range room {
		line := ""
		if i < len(body) {
			line = clip(body[i], m.w)
		}
		lines = append(lines, line)
	}
	return append(lines, foot...)
}

func (m *Model) bar(top screen) string {
	right := "connecting "
	switch {
	case m.inv.Lost != nil || m.ended != nil:
		right = "lost "
	case m.inv.Loaded:
		right = "live "
	}
	if m.inv.Server != "" {
		right = sdk.Printable(m.inv.Server) + "  " + right
	}
	if n := m.running(); n > 0 {
		right = count(n, "operation") + " running  " + right
	}
	return m.st.bar.Render(spread(clip(" hyperctl  "+top.title(), m.w-width(right)-2), right, m.w))
}

// banner says what is wrong with the data on the screen.
func (m *Model) banner() string {
	switch {
	case m.ended != nil:
		return "the inventory is not followed any more: " + explain(m.ended)
	case m.inv.Lost == nil:
		return ""
	case m.inv.Since.IsZero():
		return "vCenter is not reached, trying again: " + explain(m.inv.Lost)
	}
	return "vCenter is not reached, trying again; this is " + age(m.now().Sub(m.inv.Since)) + " old: " + explain(m.inv.Lost)
}

func (m *Model) footText(top screen) string {
	if m.notice != "" {
		return m.st.warn.Render(" " + m.notice)
	}
	return " " + top.foot(m)
}

// keyLine shows as many keys as there is room for; help comes first in line when there is little.
func (m *Model) keyLine(top screen) string {
	last := []key.Binding{m.k.Help, m.k.Quit}
	if top.typing() {
		last = nil
	}
	room := m.w - 1
	for _, b := range last {
		room -= keyWidth(b)
	}
	var line strings.Builder
	line.WriteByte(' ')
	write := func(b key.Binding) {
		line.WriteString(m.st.key.Render(b.Help().Key) + " " + m.st.dim.Render(b.Help().Desc) + "  ")
	}
	for _, b := range top.keys(m.k) {
		if room -= keyWidth(b); room < 0 {
			break
		}
		write(b)
	}
	for _, b := range last {
		write(b)
	}
	return clip(strings.TrimRight(line.String(), " "), m.w)
}

func keyWidth(b key.Binding) int { return width(b.Help().Key) + width(b.Help().Desc) + 3 }
