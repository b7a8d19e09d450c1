package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// TerminalSize is the size of the terminal that w writes to, in cells; ok is false when it writes to none.
func TerminalSize(w io.Writer) (width, height int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return width, height, err == nil && width > 0 && height > 0
}

// Redraw draws lines on a terminal in the place of those before. They must fit into its height, and each into its width.
type Redraw struct {
	W     io.Writer
	drawn int
}

// Draw writes the lines over the last ones, in one write so that nothing flickers.
func (r *Redraw) Draw(lines []string) error {
	var b strings.Builder
	if r.drawn > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r\x1b[J", r.drawn)
	}
	for _, line := range lines {
		b.WriteString(line + "\n")
	}
	r.drawn = len(lines)
	_, err := io.WriteString(r.W, b.String())
	return err
}
