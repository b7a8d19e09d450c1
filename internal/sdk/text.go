package sdk

import (
	"strconv"
	"strings"
	"unicode"
)

// Printable shows a text that came from elsewhere on one line: control characters, which could drive the terminal, appear
// escaped.
func Printable(text string) string {
	return Escape(text, func(r rune) bool { return unicode.IsPrint(r) })
}

// PrintableLines is Printable for a text that may have several lines.
func PrintableLines(text string) string {
	return Escape(text, func(r rune) bool { return unicode.IsPrint(r) || r == '\n' || r == '\t' })
}

// Escape shows the characters that are not fine as Go would write them in a literal.
func Escape(text string, fine func(rune) bool) string {
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
