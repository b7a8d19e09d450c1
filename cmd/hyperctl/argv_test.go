package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// FuzzNormalize feeds the real tree: no panic, what stands behind "--" stays, a second time changes nothing, and the parser takes the
// result or refuses it in words.
func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{
		"host\n-op\nlist\n-pattern\nesxi-*\n-json", "metrics\n-entity\nx\n-watch", "vm\n-op\npower\n-name\nx\n-state\non\n-dry-run",
		"config\nuse\nprod", "-context\nprod\nhost\nlist\n-o\nyaml", "preflight\n-vm\nx\n-network\na=b=bridge:c\n--\n-op", "-vvo\njson\nvm", "-op=info\nhost\n-name=",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := strings.Split(text, "\n")
		if strings.HasPrefix(in[0], "__complete") {
			return
		}
		root := commands("1")
		out := cli.Normalize(root, in)
		if at := slices.Index(out, "--"); at >= 0 {
			tail := out[at:]
			if !slices.Equal(in[len(in)-len(tail):], tail) {
				t.Errorf("Normalize(%q) = %q: what is behind the dashes changed", in, out)
			}
		}
		if again := cli.Normalize(root, out); !strings.Contains(text, "op") && !slices.Equal(again, out) {
			t.Errorf("Normalize(%q) = %q, and again = %q", in, out, again)
		}
		cmd, rest, err := root.Find(out)
		if err == nil {
			err = cmd.ParseFlags(rest)
		}
		if err != nil && err.Error() == "" {
			t.Errorf("%q is refused without a word", in)
		}
	})
}
