package guest

import (
	"strings"
	"unicode"
)

// The ways that FixSpec.Fstab names.
const (
	FstabStabilizeAll = "stabilize-all"
	FstabByPathOnly   = "bypath-only"
	FstabNoop         = "noop"
)

// fstabEntry is one line of /etc/fstab that is not a comment.
type fstabEntry struct {
	Spec, Mount, Type, Options string
}

func (e fstabEntry) has(option string) bool {
	for o := range strings.SplitSeq(e.Options, ",") {
		if o == option {
			return true
		}
	}
	return false
}

// parseFstab reads the lines that have at least a device and a mount point.
func parseFstab(text string) []fstabEntry {
	var entries []fstabEntry
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		e := fstabEntry{Spec: unescapeFstab(fields[0]), Mount: unescapeFstab(fields[1])}
		if len(fields) > 2 {
			e.Type = fields[2]
		}
		if len(fields) > 3 {
			e.Options = fields[3]
		}
		entries = append(entries, e)
	}
	return entries
}

// fstabEscapes are getmntent's: a space, a tab, a newline and the backslash itself.
var fstabEscapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func unescapeFstab(field string) string { return fstabEscapes.Replace(field) }

// rewriteDevices replaces one field of each line of a table such as fstab (field 0) and crypttab (field 1), and nothing else:
// comments, spacing and line ends stay byte for byte. replace gets the line's fields and returns false to leave it as it is.
func rewriteDevices(text string, field int, replace func(fields []string) (string, bool)) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		start, end, ok := fieldAt(line, field)
		if !ok || strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
			out.WriteString(line)
			continue
		}
		fields := strings.Fields(line)
		for i := range fields {
			fields[i] = unescapeFstab(fields[i])
		}
		stable, ok := replace(fields)
		if !ok {
			out.WriteString(line)
			continue
		}
		out.WriteString(line[:start] + stable + line[end:])
	}
	return out.String()
}

// fieldAt returns where the n-th field of a line lies.
func fieldAt(line string, n int) (start, end int, ok bool) {
	for range n + 1 {
		rest := strings.TrimLeftFunc(line[end:], unicode.IsSpace)
		if rest == "" {
			return 0, 0, false
		}
		start = len(line) - len(rest)
		end = len(line)
		if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
			end = start + i
		}
	}
	return start, end, true
}
