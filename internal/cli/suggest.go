package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Unknown is the error for a word that is none of the known ones: sdk.ErrInvalid, with a hint that names the nearest, or all
// of them when none is near.
func Unknown(what, got string, known []string) error {
	return Suggest(sdk.Invalidf("unknown %s %q", what, got), got, known)
}

// Suggest adds the hint of Unknown to an error about a name that is none of the known ones.
func Suggest(err error, got string, known []string) error {
	if near := nearest(got, known); len(near) > 0 {
		return sdk.WithHint(err, "did you mean %s?", strings.Join(near, " or "))
	}
	if len(known) == 0 {
		return err
	}
	return sdk.WithHint(err, "there is %s", enumerate(known))
}

// nearest returns the known words that a slip of the finger could have made out of got, the nearest first, at most three.
func nearest(got string, known []string) []string {
	bare := strings.TrimLeft(got, "-")
	type candidate struct {
		word string
		far  int
	}
	var found []candidate
	for _, word := range known {
		name := strings.TrimLeft(word, "-")
		far := distance(strings.ToLower(bare), strings.ToLower(name))
		if far <= max(1, min(len(bare), len(name))/3) || (len(bare) > 1 && strings.HasPrefix(name, bare)) {
			found = append(found, candidate{word, far})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.far - b.far })
	var words []string
	for _, c := range found[:min(3, len(found))] {
		words = append(words, c.word)
	}
	return words
}

// distance counts the letters to insert, drop, replace or swap with their neighbour (optimal string alignment).
func distance(from, to string) int {
	a, b := []rune(from), []rune(to)
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			differ := 0
			if a[i-1] != b[j-1] {
				differ = 1
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differ)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// enumerate writes a, b and c.
func enumerate(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return fmt.Sprintf("%s and %s", strings.Join(words[:last], ", "), words[last])
}
