package tui

import (
	"charm.land/bubbles/v2/key"
	tea "charm.land/bubbletea/v2"
)

// keymap is every key of the UI. The line at the foot of a screen and the overlay on ? are made from it.
type keymap struct {
	Up, Down, PageUp, PageDown, Top, Bottom, Back, Help, Quit key.Binding

	Filter, Select, All, Invert, Glob, None, Sort, Reverse                     key.Binding // of the list
	Detail, Metrics, Events, Clone, Bulk, Migrate, Operations, Refresh, Window key.Binding

	Next, Previous, Left, Right, Accept, Start                      key.Binding // of forms
	Cancel, CancelAll, Save, Other, Errors, Pause, Severity, Ignore key.Binding // of operations, events and pre-flight
}

func bind(help, does string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, does))
}

func newKeymap() *keymap {
	return &keymap{
		Up: bind("↑/k", "up", "up", "k"), Down: bind("↓/j", "down", "down", "j"),
		PageUp: bind("PgUp", "page up", "pgup", "ctrl+b"), PageDown: bind("PgDn", "page down", "pgdown", "ctrl+f"),
		Top: bind("Home/g", "first", "home", "g"), Bottom: bind("End/G", "last", "end", "G"),
		Back: bind("Esc", "back", "esc"), Help: bind("?", "help", "?"), Quit: bind("q", "quit", "q", "ctrl+c"),

		Filter: bind("/", "filter", "/"), Select: bind("Space", "select", "space"), All: bind("a", "select all shown", "a"),
		Invert: bind("i", "invert selection shown", "i"), Glob: bind("*", "select by glob", "*"),
		None: bind("u", "unselect all", "u"), Sort: bind("s", "sort by next column", "s"), Reverse: bind("r", "reverse order", "r"),

		Detail: bind("Enter", "details", "enter"), Metrics: bind("m", "metrics", "m"), Events: bind("e", "events", "e"),
		Clone: bind("c", "clone", "c"), Bulk: bind("b", "bulk", "b"), Migrate: bind("x", "migrate", "x"),
		Operations: bind("o", "operations", "o"), Refresh: bind("Ctrl-L", "draw again", "ctrl+l"),
		Window: bind("w", "other time span", "w"),

		Next: bind("Tab/↓", "next field", "tab", "down"), Previous: bind("⇧Tab/↑", "field before", "shift+tab", "up"),
		Left: bind("←", "choice before", "left"), Right: bind("→", "next choice", "right", "space"),
		Accept: bind("→", "take the completion", "right"), Start: bind("Enter", "next, start", "enter"),

		Cancel: bind("x", "cancel this one", "x"), CancelAll: bind("X", "cancel all", "X"), Save: bind("s", "save summary", "s"),
		Other: bind("Tab", "other operation", "tab"), Errors: bind("f", "failed only", "f"), Pause: bind("p", "pause", "p"),
		Severity: bind("s", "least severity", "s"), Ignore: bind("i", "ignore a finding", "i"),
	}
}

// section is a part of the help overlay.
type section struct {
	title string
	keys  []key.Binding
}

func (k *keymap) moves() section {
	return section{"Everywhere", []key.Binding{k.Up, k.Down, k.PageUp, k.PageDown, k.Top, k.Bottom, k.Back, k.Operations, k.Help, k.Refresh, k.Quit}}
}

// is says whether a message is the press of one of the keys.
func is(msg tea.KeyPressMsg, bindings ...key.Binding) bool { return key.Matches(msg, bindings...) }
