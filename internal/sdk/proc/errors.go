package proc

import (
	"fmt"
	"strings"
	"unicode"
)

const (
	tailLines = 5
	tailBytes = 1000
)

// ExitError says that a tool ended with a code other than 0. Its text has the tool, the code and the last lines of stderr.
type ExitError struct {
	Name   string
	Code   int    // -1 when a signal ended it
	Signal string // the signal that ended it, if one did
	Stderr string // the last 64 KiB
}

func (e *ExitError) Error() string {
	how := fmt.Sprintf("exit code %d", e.Code)
	if e.Signal != "" {
		how = "ended by signal: " + e.Signal
	}
	if last := lastLines(e.Stderr); last != "" {
		how += ": " + last
	}
	return e.Name + ": " + how
}

// lastLines is the end of what a tool said, on one line. What it says may come out of a guest, so control characters, which
// could drive a terminal, become spaces.
func lastLines(s string) string {
	var kept []string
	for line := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(strings.Map(printable, line))
		if line != "" {
			kept = append(kept, line)
		}
	}
	text := strings.Join(kept[max(0, len(kept)-tailLines):], "; ")
	if len(text) > tailBytes {
		text = "…" + strings.ToValidUTF8(text[len(text)-tailBytes:], "")
	}
	return text
}

func printable(r rune) rune {
	if unicode.IsPrint(r) {
		return r
	}
	return ' '
}
