package tui

import (
	"fmt"
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// field is one line of a form: a text, or a choice when it has options.
type field struct {
	label   string
	help    string
	input   textinput.Model
	options []string // of a choice
	chosen  int
	known   []string // what a text may be completed to
}

func textField(label, value, help string) *field {
	return &field{label: label, help: help, input: newInput(value)}
}

func choiceField(label, help string, options ...string) *field {
	return &field{label: label, help: help, options: options}
}

// yesNo is a choice between no, the first, and yes.
func yesNo(label, help string, yes bool) *field {
	f := choiceField(label, help, "no", "yes")
	if yes {
		f.chosen = 1
	}
	return f
}

func (f *field) text() string { return strings.TrimSpace(f.input.Value()) }
func (f *field) yes() bool    { return f.chosen == 1 }

// completion is what the text may be completed to; empty: to nothing.
func (f *field) completion() string {
	if matches := f.matches(); f.input.Value() != "" && len(matches) > 0 && !strings.EqualFold(matches[0], f.input.Value()) {
		return matches[0]
	}
	return ""
}

// matches are the known values that hold the text, those that begin with it first.
func (f *field) matches() []string {
	text := strings.ToLower(f.text())
	var first, others []string
	for _, name := range f.known {
		switch lower := strings.ToLower(name); {
		case strings.HasPrefix(lower, text):
			first = append(first, name)
		case strings.Contains(lower, text):
			others = append(others, name)
		}
	}
	return append(first, others...)
}

// form asks for what an operation needs. Its last line starts it.
type form struct {
	name   string
	intro  []string // what it is about
	button string
	fields []*field
	at     int // the button is after the last field
	first  int // field on the screen
	busy   string
	err    error
	submit func(m *Model) (tea.Cmd, error)
	take   func(Places)
}

func (f *form) title() string { return f.name }
func (f *form) typing() bool  { return true }
func (f *form) close()        {}

func (f *form) keys(k *keymap) []key.Binding {
	list := []key.Binding{k.Start, bind("Esc", "cancel")}
	if f.at < len(f.fields) && len(f.fields[f.at].options) > 0 {
		list = append(list, k.Right)
	} else if f.at < len(f.fields) && len(f.fields[f.at].known) > 0 {
		list = append(list, k.Accept)
	}
	return append(list, k.Next, bind("F1", "help"), k.Previous)
}

func (f *form) help(k *keymap) []section {
	return []section{{"Form", []key.Binding{k.Start, k.Next, k.Previous, k.Left, k.Right, k.Accept, k.Back}}}
}

// placesMsg answers what a form asked.
type placesMsg struct {
	to     *form
	places Places
	err    error
}

func (f *form) start(m *Model) tea.Cmd {
	if f.take == nil {
		return nil
	}
	ctx, backend := m.life(), m.backend
	return func() tea.Msg {
		places, err := backend.Places(ctx)
		return placesMsg{f, places, err}
	}
}

func (f *form) update(m *Model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case placesMsg:
		if msg.to == f && msg.err == nil { // without it one types
			f.take(msg.places)
		}
	case tea.PasteMsg:
		return f.edit(msg)
	case tea.KeyPressMsg:
		return f.press(m, msg)
	}
	return nil
}

func (f *form) press(m *Model, msg tea.KeyPressMsg) tea.Cmd {
	f.err = nil
	switch msg.String() {
	case "esc":
		m.pop()
		return nil
	case "tab", "down":
		f.at = (f.at + 1) % (len(f.fields) + 1)
		return nil
	case "shift+tab", "up":
		f.at = (f.at + len(f.fields)) % (len(f.fields) + 1)
		return nil
	case "enter":
		if f.at < len(f.fields) {
			f.at++
			return nil
		}
		return f.begin(m)
	}
	return f.edit(msg)
}

func (f *form) begin(m *Model) tea.Cmd {
	if f.busy != "" {
		return nil
	}
	cmd, err := f.submit(m)
	f.err = err
	return cmd
}

// edit gives a message to the field.
func (f *form) edit(msg tea.Msg) tea.Cmd {
	if f.at >= len(f.fields) {
		return nil
	}
	field := f.fields[f.at]
	press, _ := msg.(tea.KeyPressMsg)
	if n := len(field.options); n > 0 {
		switch press.String() {
		case "left":
			field.chosen = (field.chosen + n - 1) % n
		case "right", "space":
			field.chosen = (field.chosen + 1) % n
		}
		return nil
	}
	if done := field.completion(); press.String() == "right" && done != "" && field.input.Position() == len([]rune(field.input.Value())) {
		field.input.SetValue(done)
		field.input.CursorEnd()
		return nil
	}
	var cmd tea.Cmd
	field.input, cmd = field.input.Update(msg)
	return cmd
}

func (f *form) body(m *Model, w, h int) []string {
	lines := []string{""}
	for _, text := range f.intro {
		for _, line := range wrap(text, w-2) {
			lines = append(lines, " "+line)
		}
	}
	lines = append(lines, "")
	below := f.below(m, w)
	room := max(1, h-len(lines)-len(below)-2)
	f.first = max(min(f.first, f.at), f.at-room+1, 0)
	labels := 8
	for _, field := range f.fields {
		labels = max(labels, width(field.label))
	}
	labels = min(labels, w/2)
	for i := f.first; i < min(f.first+room, len(f.fields)); i++ {
		lines = append(lines, f.line(m, i, labels, w))
	}
	lines = append(lines, "")
	button := "   [ " + f.button + " ]"
	if f.at == len(f.fields) {
		button = " > " + m.st.cursor.Render("[ "+f.button+" ]")
	}
	return append(append(lines, button), below...)
}

func (f *form) line(m *Model, i, labels, w int) string {
	field, here := f.fields[i], i == f.at
	mark := "   "
	label := fit(field.label, labels)
	if here {
		mark, label = " > ", m.st.key.Render(label)
	}
	room := w - 3 - labels - 3
	if len(field.options) > 0 {
		value := field.options[field.chosen]
		if here {
			value = "‹ " + value + " ›"
		}
		return mark + label + "  " + clip(value, room)
	}
	if !here {
		text := sdk.Printable(field.input.Value())
		if text == "" {
			text = m.st.dim.Render("-")
		}
		return mark + label + "  " + clip(text, room)
	}
	done, cells := field.completion(), max(1, room-1)
	if done != "" { // beside the text
		cells = max(1, min(cells, width(field.input.Value())))
	}
	field.input.SetWidth(cells)
	field.input.SetCursor(field.input.Position()) // brings the text to where it fits
	if done == "" {
		return mark + label + "  " + field.input.View()
	}
	return mark + label + "  " + field.input.View() + m.st.dim.Render("→ "+sdk.Printable(done))
}

// below is what stands under the form: what the field means, what it may be, what is wrong.
func (f *form) below(m *Model, w int) []string {
	lines := []string{""}
	if f.at < len(f.fields) {
		field := f.fields[f.at]
		for _, line := range wrap(field.help, w-2) {
			lines = append(lines, " "+m.st.dim.Render(line))
		}
		if matches := field.matches(); len(matches) > 0 {
			some := make([]string, 0, 5)
			for _, name := range matches[:min(5, len(matches))] {
				some = append(some, sdk.Printable(name))
			}
			text := strings.Join(some, ", ")
			if more := len(matches) - len(some); more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
			lines = append(lines, " "+m.st.dim.Render(clip("known: "+text, w-2)))
		}
	}
	if f.busy != "" {
		lines = append(lines, " "+m.st.accent.Render(f.busy))
	}
	if f.err != nil {
		for _, line := range wrap("! "+explain(f.err), w-2) {
			lines = append(lines, " "+m.st.bad.Render(line))
		}
	}
	return lines
}

func (f *form) foot(m *Model) string {
	return m.st.dim.Render(fmt.Sprintf("field %d of %d", min(f.at+1, len(f.fields)), len(f.fields)))
}
