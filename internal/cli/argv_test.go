package cli_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// tree is a program with each kind of thing: a noun with verbs, a verb that stands alone, flags with and without values.
func tree() *cobra.Command {
	root := cli.Root("tool", "A tool", "1.2.3")
	run := func(*cobra.Command, []string) error { return nil }
	list := &cobra.Command{Use: "list", RunE: run}
	list.Flags().String("pattern", "", "")
	cli.AddOutput(list)
	info := &cobra.Command{Use: "info", RunE: run, Args: cli.MaxArgs(1)}
	info.Flags().String("name", "", "")
	cli.AddOutput(info)
	clone := &cobra.Command{Use: "clone", Aliases: []string{"copy"}, RunE: run}
	clone.Flags().Bool("power-on", false, "")
	clone.Flags().String("target", "", "")
	clone.Flags().Int("cpu-limit", 0, "")
	root.AddCommand(cli.Noun("host", "Hosts", list, info), clone)
	return root
}

func TestNormalize(t *testing.T) {
	tests := []struct {
		in, want string // split at spaces
	}{
		{"", ""},
		{"host list", "host list"},
		{"host -op list", "host list"},
		{"host --op list", "host list"},
		{"host -op=list", "host list"},
		{"-op list host", "host list"},
		{"host -pattern esxi-* -op list -json", "host list --pattern esxi-* --json"},
		{"host -op info -name esxi-01", "host info --name esxi-01"},
		{"host -op info esxi-01", "host info esxi-01"},
		{"host -op info list", "host info list"},
		{"host info list", "host info list"},
		{"-json host list", "host list --json"},
		{"-log-level debug host list", "host list --log-level debug"},
		{"-v host list", "host list -v"},
		{"-vv host list -ojson", "host list -vv -ojson"},
		{"host list -vo json", "host list -vo json"},
		{"host list -output=json", "host list --output=json"},
		{"clone -power-on -target x", "clone --power-on --target x"},
		{"copy -power-on=false", "copy --power-on=false"},
		{"clone -cpu-limit -1", "clone --cpu-limit -1"},
		{"clone -target -power-on", "clone --target -power-on"},
		{"clone -target -- -power-on", "clone --target -- --power-on"},
		{"clone -- -power-on host", "clone -- -power-on host"},
		{"host -op list -- -op info", "host list -- -op info"},
		{"clone -", "clone -"},
		{"clone -5", "clone -5"},
		{"clone -h", "clone -h"},
		{"clone -help", "clone --help"},
		{"-version", "--version"},
		{"clone -powr-on", "clone --powr-on"},
		{"host -op nonsense", "host --op nonsense"},
		{"host -op list -op info", "host --op list --op info"},
		{"host -op", "host --op"},
		{"clone -op list", "clone --op list"},
		{"host list -op info", "host list --op info"},
		{"hots list", "hots list"},
		{"__complete host -op ", "__complete host --op "},
		{"__complete host -op list -pat", "__complete host list -pat"},
	}
	for _, tt := range tests {
		got := cli.Normalize(tree(), split(tt.in))
		if diff := cmp.Diff(split(tt.want), got); diff != "" {
			t.Errorf("Normalize(%q) (-want +got):\n%s", tt.in, diff)
		}
	}
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, " ")
}

// FuzzNormalize holds it to: no panic, nothing changes behind "--", no argument appears or disappears but those of -op, and
// an argument gains at most one dash.
func FuzzNormalize(f *testing.F) {
	for _, seed := range []string{"host\n-op\nlist", "clone\n-power-on\n--\n-x\n-op", "-vo\njson\nhost", "--\n--", "-\n-=\n--=\n-é", "host\n-op\n--\n-op"} {
		f.Add(seed)
	}
	root := tree()
	f.Fuzz(func(t *testing.T, text string) {
		in := strings.Split(text, "\n")
		if strings.HasPrefix(in[0], "__complete") {
			return
		}
		before := slices.Clone(in)
		out := cli.Normalize(root, in)
		if diff := cmp.Diff(before, in); diff != "" {
			t.Errorf("the input was changed:\n%s", diff)
		}
		count := map[string]int{}
		for _, arg := range in {
			count[arg]++
		}
		added := 0
		for _, arg := range out {
			switch {
			case count[arg] > 0:
				count[arg]--
			case strings.HasPrefix(arg, "--") && count[arg[1:]] > 0:
				count[arg[1:]]--
			default:
				added++ // the verb of -op=verb
			}
		}
		missing := len(in) - len(out) + added
		hasOp := strings.Contains(text, "-op")
		if (added > 0 || missing > 0) && !hasOp {
			t.Errorf("Normalize(%q) = %q: %d arguments are new and %d are gone", in, out, added, missing)
		}
		if len(in)-len(out) > 1 {
			t.Errorf("Normalize(%q) = %q: too much is gone", in, out)
		}
		if again := cli.Normalize(root, out); !hasOp && !slices.Equal(again, out) {
			t.Errorf("Normalize(%q) = %q, and again = %q", in, out, again)
		}
	})
}

func TestNormalize_LeavesEverythingBehindTheDashesAlone(t *testing.T) {
	tail := []string{"--", "-op", "list", "-power-on", "host", "--", "-x"}
	out := cli.Normalize(tree(), append([]string{"host", "-op", "list"}, tail...))
	if got := out[len(out)-len(tail):]; !slices.Equal(got, tail) {
		t.Errorf("behind the dashes: %q; want %q", got, tail)
	}
}
