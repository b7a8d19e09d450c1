package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Printable shows a text that came from elsewhere on one line: control characters, which could drive the terminal, appear
// escaped.
func Printable(text string) string {
	return escape(text, func(r rune) bool { return unicode.IsPrint(r) })
}

// PrintableLines is Printable for a text that may have several lines.
func PrintableLines(text string) string {
	return escape(text, func(r rune) bool { return unicode.IsPrint(r) || r == '\n' || r == '\t' })
}

func escape(text string, fine func(rune) bool) string {
	if strings.IndexFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !fine(r) }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if fine(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// Took shows a duration for a person: 0.4 s, 12 s, 3m12s.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// Percent of a part, and "-" when there is no whole.
func Percent(part, whole int64) string {
	if whole <= 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*float64(part)/float64(whole))
}
