package vsphere

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// maxCandidates bounds the names a hint lists.
const maxCandidates = 10

// unescapeName turns a name as vSphere stores it into the name that people see. vSphere escapes three characters.
func unescapeName(stored string) string {
	return strings.NewReplacer("%2f", "/", "%2F", "/", "%5c", `\`, "%5C", `\`, "%25", "%").Replace(stored)
}

// storedName is a new name as vSphere stores it, from one that a person wrote; nothing in it is an escape yet.
func storedName(name string) string {
	return strings.NewReplacer("%", "%25", "/", "%2f", `\`, "%5c").Replace(name)
}

// escapeName turns one name of a path, as a person writes it, into what vSphere stores. Escapes that are there stay.
func escapeName(written string) string {
	var b strings.Builder
	for i := 0; i < len(written); i++ {
		switch written[i] {
		case '%':
			if escape := written[i:min(i+3, len(written))]; isEscape(escape) {
				b.WriteString(strings.ToLower(escape))
				i += 2
			} else {
				b.WriteString("%25")
			}
		case '\\':
			b.WriteString("%5c")
		default:
			b.WriteByte(written[i])
		}
	}
	return b.String()
}

// escapeEntity is escapeName for a whole name, in which a slash separates nothing.
func escapeEntity(written string) string { return strings.ReplaceAll(escapeName(written), "/", "%2f") }

// plainText says whether a new name has neither control characters, which XML does not carry, nor what is no UTF-8.
func plainText(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

func isEscape(s string) bool {
	switch strings.ToLower(s) {
	case "%2f", "%5c", "%25":
		return true
	}
	return false
}

// escapePath escapes every name of a path.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = escapeName(parts[i])
	}
	return strings.Join(parts, "/")
}

// ambiguous is the error for a name that several objects carry.
func ambiguous(kind, name string, paths []string) error {
	sort.Strings(paths)
	err := sdk.Invalidf("%d %ss are called %q", len(paths), kind, name)
	shown := paths
	if len(shown) > maxCandidates {
		shown = shown[:maxCandidates]
	}
	return sdk.WithHint(err, "say which one: %s", strings.Join(shown, ", "))
}

// didYouMean adds the nearest names to an error.
func didYouMean(err error, name string, names []string) error {
	type near struct {
		name     string
		distance int
	}
	var found []near
	seen := map[string]bool{}
	limit := max(2, len(name)/3)
	for _, candidate := range names {
		if seen[candidate] {
			continue
		}
		seen[candidate] = true
		d := distance(strings.ToLower(name), strings.ToLower(candidate), limit)
		switch {
		case d <= limit:
			found = append(found, near{candidate, d})
		case len(name) > 2 && strings.HasPrefix(strings.ToLower(candidate), strings.ToLower(name)): // the beginning alone was written
			found = append(found, near{candidate, limit + 1})
		}
	}
	sort.SliceStable(found, func(i, j int) bool {
		if found[i].distance != found[j].distance {
			return found[i].distance < found[j].distance
		}
		return found[i].name < found[j].name
	})
	var shown []string
	for _, n := range found[:min(3, len(found))] {
		shown = append(shown, n.name)
	}
	if len(shown) == 0 {
		return err
	}
	return sdk.WithHint(err, "did you mean %s?", strings.Join(shown, " or "))
}

// distance is the edit distance of two names, or more than limit when it certainly is.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
