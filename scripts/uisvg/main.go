// Uisvg draws a whole screen of a terminal: what `tmux capture-pane -p -e` printed, on standard input, becomes an SVG picture on standard
// output. Unlike termsvg it knows the 256 colours, backgrounds and reverse, and never cuts. scripts/ui-pictures.sh makes the pictures
// of docs/features/TERMINAL_UI.md with it.
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"log"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	cell, line  = 7.85, 17.0 // pixels
	margin, top = 16.0, 40.0
	foreground  = "#d6dce5"
	background  = "#171b22"
)

var escape = regexp.MustCompile("\x1b\\[([0-9;]*)m|\x1b\\([A-Z]|[\x0e\x0f]")

// base are the first sixteen colours.
var base = []string{
	"#1d2129", "#ff8787", "#87d787", "#d7af5f", "#87afff", "#c792ea", "#5fd7d7", "#d6dce5",
	"#8a8a8a", "#ff8787", "#87d787", "#ffd75f", "#87afff", "#c792ea", "#5fd7d7", "#ffffff",
}

// pen is how the next letters look.
type pen struct {
	fg, bg        string
	bold, reverse bool
}

func main() {
	if err := draw(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func draw(r io.Reader, w io.Writer) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	columns := 0
	for _, l := range lines {
		columns = max(columns, utf8.RuneCountInString(escape.ReplaceAllString(l, "")))
	}
	width, height := 2*margin+float64(columns)*cell, top+float64(len(lines))*line+margin
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.0f %.0f" role="img" xml:space="preserve">
<style>text{font:13px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre}</style>
<rect width="100%%" height="100%%" rx="8" fill="%s"/>
<circle cx="20" cy="18" r="5" fill="#ff5f57"/><circle cx="38" cy="18" r="5" fill="#febc2e"/><circle cx="56" cy="18" r="5" fill="#28c840"/>
`, width, height, width, height, background)
	p := pen{}
	for i, l := range lines {
		p.line(out, l, top+float64(i)*line)
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

// line draws one line. The pen goes on from the line before, as tmux prints only what changes.
func (p *pen) line(w io.Writer, text string, y float64) {
	x, at := margin, 0
	put := func(piece string) {
		if piece == "" {
			return
		}
		fg, bg := p.fg, p.bg
		if p.reverse {
			fg, bg = bg, fg
			if fg == "" {
				fg = background
			}
			if bg == "" {
				bg = foreground
			}
		}
		length := float64(utf8.RuneCountInString(piece)) * cell
		if bg != "" {
			fmt.Fprintf(w, "<rect x=\"%.2f\" y=\"%.0f\" width=\"%.2f\" height=\"%.0f\" fill=\"%s\"/>\n", x, y-1, length, line, bg)
		}
		if strings.TrimSpace(piece) != "" {
			if fg == "" {
				fg = foreground
			}
			piece = dots(w, piece, x, y, fg)
			weight := ""
			if p.bold {
				weight = ` font-weight="700"`
			}
			fmt.Fprintf(w, "<text x=\"%.2f\" y=\"%.0f\" fill=\"%s\"%s textLength=\"%.2f\">%s</text>\n", x, y+12, fg, weight, length, html.EscapeString(piece))
		}
		x += length
	}
	for _, m := range escape.FindAllStringSubmatchIndex(text, -1) {
		put(text[at:m[0]])
		if at = m[1]; m[2] >= 0 {
			p.set(text[m[2]:m[3]])
		}
	}
	put(text[at:])
}

// dots draws the Braille letters of a text, which few fonts have at the right width, and leaves blanks for them.
func dots(w io.Writer, text string, x, y float64, fill string) string {
	var path strings.Builder
	i := -1
	rest := strings.Map(func(r rune) rune {
		i++
		if r < 0x2800 || r > 0x28ff {
			return r
		}
		for bit, at := range [8][2]float64{{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}, {0, 3}, {1, 3}} {
			if r>>bit&1 == 1 {
				fmt.Fprintf(&path, "M%.1f %.1fh1.6v1.6h-1.6z", x+float64(i)*cell+1.2+at[0]*cell/2, y+1+at[1]*line/4)
			}
		}
		return ' '
	}, text)
	if path.Len() > 0 {
		fmt.Fprintf(w, "<path fill=\"%s\" d=\"%s\"/>\n", fill, path.String())
	}
	return rest
}

// set takes the codes of one escape.
func (p *pen) set(codes string) {
	fields := strings.Split(codes, ";")
	for i := 0; i < len(fields); i++ {
		n, _ := strconv.Atoi(fields[i]) // empty is 0
		switch {
		case n == 0:
			*p = pen{}
		case n == 1:
			p.bold = true
		case n == 22:
			p.bold = false
		case n == 7 || n == 27:
			p.reverse = n == 7
		case n == 39:
			p.fg = ""
		case n == 49:
			p.bg = ""
		case n >= 30 && n <= 37:
			p.fg = base[n-30]
		case n >= 90 && n <= 97:
			p.fg = base[n-82]
		case n >= 40 && n <= 47:
			p.bg = base[n-40]
		case (n == 38 || n == 48) && i+2 < len(fields) && fields[i+1] == "5":
			c, _ := strconv.Atoi(fields[i+2])
			if i += 2; n == 38 {
				p.fg = indexed(c)
			} else {
				p.bg = indexed(c)
			}
		}
	}
}

// indexed is one of the 256 colours: the sixteen, a cube of 6×6×6, and 24 greys.
func indexed(n int) string {
	switch {
	case n < len(base):
		return base[n]
	case n >= 232:
		v := 8 + 10*(n-232)
		return fmt.Sprintf("#%02x%02x%02x", v, v, v)
	}
	level := func(v int) int {
		if v == 0 {
			return 0
		}
		return 55 + 40*v
	}
	n -= 16
	return fmt.Sprintf("#%02x%02x%02x", level(n/36), level(n/6%6), level(n%6))
}
