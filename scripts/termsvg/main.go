// Termsvg draws what a terminal showed: text on standard input, with bold and colour escapes, becomes an SVG picture on standard output.
// The README's picture is made with it from a real run of `make demo`.
package main

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"log"
	"os"
	"regexp"
	"strings"
)

const (
	columns    = 130  // longer lines are cut with an ellipsis
	width      = 1060 // of the picture: columns of 7.85 pixels and two margins
	lineHeight = 17
	margin     = 18
	top        = 44 // room for the window's bar
)

var (
	escape = regexp.MustCompile("\x1b\\[([0-9;]*)m")
	other  = regexp.MustCompile("\x1b\\[[0-9;?]*[A-Za-ln-z]|[\x00-\x08\x0b-\x1a]")
)

// classes are the styles of the escapes that our tools write.
var classes = map[string]string{"1": "b", "31": "r", "32": "g", "33": "y", "36": "c"}

func main() {
	if err := draw(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func draw(r io.Reader, w io.Writer) error {
	var lines []string
	sc := bufio.NewScanner(r)
	for sc.Scan() {
		line := sc.Text()
		if i := strings.LastIndexByte(line, '\r'); i >= 0 && i < len(line)-1 {
			line = line[i+1:] // a redrawn line: what it ended as
		}
		lines = append(lines, other.ReplaceAllString(line, ""))
	}
	if err := sc.Err(); err != nil {
		return err
	}
	height := top + len(lines)*lineHeight + margin
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" xml:space="preserve">
<style>text{font:13px/1 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d6dce5;white-space:pre}
.b{font-weight:700;fill:#fff}.g{fill:#7fd88f}.r{fill:#ff8a80}.y{fill:#f2cc6b}.c{fill:#74c7ec}</style>
<rect width="100%%" height="100%%" rx="8" fill="#171b22"/>
<circle cx="20" cy="18" r="5" fill="#ff5f57"/><circle cx="38" cy="18" r="5" fill="#febc2e"/><circle cx="56" cy="18" r="5" fill="#28c840"/>
`, width, height, width, height)
	for i, line := range lines {
		if line != "" {
			fmt.Fprintf(out, "<text x=\"%d\" y=\"%d\">%s</text>\n", margin, top+i*lineHeight, spans(line))
		}
	}
	fmt.Fprintln(out, "</svg>")
	return out.Flush()
}

// spans turns one line's escapes into styled pieces.
func spans(line string) string {
	var b strings.Builder
	left, class := columns, ""
	put := func(text string) {
		runes := []rune(text)
		if len(runes) > left {
			runes = append(runes[:max(0, left-1)], '…')
		}
		left -= len(runes)
		if len(runes) == 0 {
			return
		}
		piece := html.EscapeString(string(runes))
		if class == "" {
			b.WriteString(piece)
			return
		}
		fmt.Fprintf(&b, `<tspan class="%s">%s</tspan>`, class, piece)
	}
	at := 0
	for _, m := range escape.FindAllStringSubmatchIndex(line, -1) {
		put(line[at:m[0]])
		at, class = m[1], ""
		for _, code := range strings.Split(line[m[2]:m[3]], ";") {
			if c, ok := classes[code]; ok {
				class = c
			}
		}
	}
	put(line[at:])
	return b.String()
}
