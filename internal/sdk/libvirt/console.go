package libvirt

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of what a guest's console can make us keep.
const (
	maxConsoleBytes = 64 << 20 // in one boot check; then the guest floods it
	maxLineBytes    = 4096     // a longer line is cut in pieces
	maxShownRunes   = 400      // of a line that is kept
	keptLines       = 40
	readBytes       = 64 << 10
)

// console follows the file that receives a domain's serial console. What the guest writes there is hostile text: it is cut into
// lines of printable characters before anyone sees it.
type console struct {
	path    string
	file    *os.File
	total   int64
	partial []byte   // the line that has no end yet, as it came
	lines   []string // the last ones
}

// read returns the lines that are new, the unfinished one last: prompts have no end of line.
func (c *console) read() ([]string, error) {
	var found []string
	buf := make([]byte, readBytes)
	for !c.flooded() {
		n, err := c.readSome(buf)
		found = append(found, c.take(buf[:n])...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return found, err
		}
	}
	if unfinished := printable(string(c.partial)); strings.TrimSpace(unfinished) != "" {
		found = append(found, unfinished)
	}
	return found, nil
}

// readSome reads on, and changes over to the new file once libvirt's log daemon has moved the old one away for its size.
func (c *console) readSome(buf []byte) (int, error) {
	if c.file == nil {
		f, err := os.Open(c.path)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, io.EOF // between the old file and the new
		}
		if err != nil {
			return 0, err
		}
		c.file = f
	}
	n, err := c.file.Read(buf)
	c.total += int64(n)
	if !errors.Is(err, io.EOF) || !c.movedAway() {
		return n, err
	}
	c.close()
	return n, nil
}

func (c *console) movedAway() bool {
	mine, err := c.file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Stat(c.path)
	return err == nil && !os.SameFile(mine, now)
}

func (c *console) close() {
	if c.file != nil {
		c.file.Close() //nolint:errcheck // read only
		c.file = nil
	}
}

func (c *console) flooded() bool { return c.total >= maxConsoleBytes }

// cursorMoves end a line for us: firmware and boot loaders draw screens with them.
var cursorMoves = regexp.MustCompile(`\x1b\[[0-9;]*[HfJ]`)

// take adds bytes and returns the lines they complete.
func (c *console) take(data []byte) []string {
	if len(data) == 0 {
		return nil
	}
	text := cursorMoves.ReplaceAll(append(c.partial, data...), []byte{'\n'})
	var found []string
	for {
		end := bytes.IndexAny(text, "\r\n")
		rest := end + 1
		if end < 0 {
			if len(text) < maxLineBytes {
				break
			}
			end, rest = maxLineBytes, maxLineBytes
		}
		if line := printable(string(text[:min(end, maxLineBytes)])); strings.TrimSpace(line) != "" {
			found = append(found, line)
		}
		text = text[rest:]
	}
	c.partial = bytes.Clone(text)
	c.lines = append(c.lines, found...)
	if extra := len(c.lines) - keptLines; extra > 0 {
		c.lines = append([]string(nil), c.lines[extra:]...)
	}
	return found
}

// last is the last line that is not blank, finished or not.
func (c *console) last() string {
	if tail := c.tail(1); tail != "" {
		return tail
	}
	return ""
}

// tail returns the last n lines.
func (c *console) tail(n int) string {
	lines := c.lines
	if unfinished := printable(string(c.partial)); strings.TrimSpace(unfinished) != "" {
		lines = append(lines[:len(lines):len(lines)], unfinished)
	}
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// escapes are the terminal's: control sequences, operating system commands, character sets, and the short ones.
var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*([@-~]|$)|\][^\x07\x1b]*(\x07|\x1b\\)?|[()*+][0-9A-Za-z]|[ -/]*[0-~])`)

// printable makes one harmless line of text that a guest wrote: no escape sequences, no control characters, bounded length.
func printable(s string) string {
	s = escapes.ReplaceAllString(s, "")
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == '\t':
			r = ' '
		case r == utf8.RuneError:
			r = '?'
		case !unicode.IsPrint(r):
			continue
		}
		out.WriteRune(r)
	}
	return cutRunes(strings.TrimRight(out.String(), " "), maxShownRunes)
}

func cutRunes(s string, limit int) string {
	count := 0
	for i := range s {
		if count == limit {
			return s[:i] + "…"
		}
		count++
	}
	return s
}
