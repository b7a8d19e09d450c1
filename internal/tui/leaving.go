package tui

import (
	"fmt"

	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// leaving asks whether to quit while work is under way.
type leaving struct{}

func (l *leaving) title() string      { return "Quit?" }
func (l *leaving) typing() bool       { return true } // q is no answer
func (l *leaving) close()             {}
func (l *leaving) foot(*Model) string { return "" }

func (l *leaving) keys(*keymap) []key.Binding {
	return []key.Binding{bind("y", "cancel and quit"), bind("n/Esc", "stay")}
}

func (l *leaving) update(m *Model, msg tea.Msg) tea.Cmd {
	press, ok := msg.(tea.KeyPressMsg)
	if !ok || m.quit {
		return nil
	}
	switch press.String() {
	case "y", "Y":
		m.quit = true
		for _, w := range m.works {
			w.cancelAll()
		}
		if !m.working() {
			return tea.Quit
		}
	case "n", "N", "esc":
		m.pop()
	}
	return nil
}

func (l *leaving) body(m *Model, w, h int) []string {
	lines := []string{"", " " + m.st.strong.Render(count(m.running(), "operation")+" still running:"), ""}
	for _, work := range m.works {
		if !work.running() {
			continue
		}
		s := work.state()
		n := s.tally()
		lines = append(lines, fmt.Sprintf("   %s: %d of %d under way, %d waiting", s.what, n["running"], len(s.items), n["pending"]))
	}
	lines = append(lines, "")
	text := "Quitting cancels what is under way: vCenter is asked to stop its tasks, and what waits is not begun. What is done stays done. A migration can be gone on with."
	if m.quit {
		text = "Canceling. The UI closes as soon as it is known what became of each."
	}
	for _, line := range wrap(text, w-2) {
		lines = append(lines, " "+line)
	}
	return lines[:min(h, len(lines))]
}
