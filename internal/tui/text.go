package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// width is how many cells a text takes.
func width(text string) int {
	if ascii(text) {
		return len(text)
	}
	return ansi.StringWidth(text)
}

// ascii says that each byte of a text is one cell.
func ascii(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// clip cuts a text, styled or not, to at most w cells and marks the cut.
func clip(text string, w int) string {
	if w <= 0 {
		return ""
	}
	if width(text) <= w {
		return text
	}
	return ansi.Truncate(text, w, "…")
}

// fit makes a text exactly w cells wide.
func fit(text string, w int) string {
	text = clip(text, w)
	return text + blank(w-width(text))
}

// fitRight is fit with the text at the right.
func fitRight(text string, w int) string {
	text = clip(text, w)
	return blank(w-width(text)) + text
}

func blank(n int) string { return strings.Repeat(" ", max(0, n)) }

// spread puts one text at each end of a line of w cells. The right one is kept when there is no room for both.
func spread(left, right string, w int) string {
	rw := width(right)
	if rw >= w {
		return clip(right, w)
	}
	return fit(left, w-rw) + right
}

// wrap breaks a text into lines of at most w cells.
func wrap(text string, w int) []string {
	return strings.Split(ansi.Wrap(text, max(1, w), " "), "\n")
}

// count says how many: 1 VM, 12 VMs.
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return grouped(n) + " " + thing + "s"
}

// grouped is a number with commas: 10,000.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// clock is a duration in a fixed shape: 0:07, 12:30, 1:02:03.
func clock(d time.Duration) string {
	s := int(d / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// age is how long ago something was, for a person.
func age(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d/time.Minute))
	}
	return fmt.Sprintf("%d h", int(d/time.Hour))
}

// explain is an error as one line, with what to do about it.
func explain(err error) string {
	text := sdk.Printable(err.Error())
	for _, hint := range sdk.Hints(err) {
		text += "; " + sdk.Printable(hint)
	}
	return text
}

// glob says whether a name fits a pattern with * and ?.
func glob(pattern, name string) bool {
	p, n := []rune(pattern), []rune(name)
	star, mark, i, j := -1, 0, 0, 0
	for j < len(n) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == n[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
