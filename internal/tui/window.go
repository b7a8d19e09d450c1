package tui

import tea "charm.land/bubbletea/v2"

// window is the part of a long list that is on the screen, and the cursor in it.
type window struct {
	n, height int // rows there are, rows that fit
	first, at int
	follows   bool // the cursor keeps to the last row while it is on it
	scrolls   bool // there is no cursor: what moves is the part that is seen
}

// resize tells how many rows there are and how many fit, and brings the cursor to where there is one.
func (w *window) resize(n, height int) {
	if w.follows && n > w.n && (w.n == 0 || w.at == w.n-1) {
		w.at = n - 1
	}
	w.n, w.height = n, max(1, height)
	w.move(0)
}

// move moves the cursor by so many rows.
func (w *window) move(by int) {
	if w.scrolls {
		w.first = max(0, min(w.first+by, w.n-w.height))
		return
	}
	w.at = min(max(0, w.at+by), max(0, w.n-1))
	w.first = min(w.first, w.at, max(0, w.n-w.height))
	w.first = max(w.first, w.at-w.height+1, 0)
}

// rows are the numbers of the rows on the screen.
func (w *window) rows() (from, to int) { return w.first, min(w.first+w.height, w.n) }

// key moves by a key and says whether it was one.
func (w *window) key(k *keymap, msg tea.KeyPressMsg) bool {
	switch {
	case is(msg, k.Up):
		w.move(-1)
	case is(msg, k.Down):
		w.move(1)
	case is(msg, k.PageUp):
		w.move(-w.height)
	case is(msg, k.PageDown):
		w.move(w.height)
	case is(msg, k.Top):
		w.move(-w.n)
	case is(msg, k.Bottom):
		w.move(w.n)
	default:
		return false
	}
	return true
}
