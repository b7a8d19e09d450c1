package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// opFlag names a noun's verb as a flag: host -op list.
const opFlag = "op"

// Normalize rewrites arguments into the one form that the parser knows. A long flag may have one dash (-power-on, -name=x),
// a noun's verb may be a flag (host -op list), and flags may stand before the words they belong to. It changes no value and
// nothing after "--", and it reports nothing: what makes no sense is left for the parser to refuse.
func Normalize(root *cobra.Command, args []string) []string {
	if len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		return normalizeCompletion(root, args)
	}
	n := normalizer{flags: flagsOf(root), at: root}
	n.walk(args)
	return n.result()
}

// normalizeCompletion leaves the last argument alone: it is the one that is being typed.
func normalizeCompletion(root *cobra.Command, args []string) []string {
	last := len(args) - 1
	if last < 1 {
		return args
	}
	return slices.Concat(args[:1], Normalize(root, args[1:last]), args[last:])
}

type normalizer struct {
	flags flagTable
	at    *cobra.Command // the command that the words so far name
	path  []string       // those words
	rest  []string       // everything else, in order
	op    []int          // where in rest the arguments of -op are
	verb  string         // its value
	ops   int            // how often it was given
	words bool           // a word was no command: those that follow are not either
}

func (n *normalizer) walk(args []string) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			n.rest = append(n.rest, args[i:]...)
			return
		case len(arg) < 2 || arg[0] != '-':
			n.word(arg)
		default:
			long := n.flags.long(arg)
			value := n.flags.wantsValue(long) && i+1 < len(args)
			if value {
				i++
			}
			n.flag(long, args[i], value)
		}
	}
}

// word takes an argument that is no flag: the name of a subcommand, as long as they come, or an operand.
func (n *normalizer) word(arg string) {
	verbGiven := n.ops > 0 && n.at.HasParent()
	if sub := child(n.at, arg); sub != nil && !n.words && !verbGiven {
		n.at, n.path = sub, append(n.path, arg)
		return
	}
	n.words = true
	n.rest = append(n.rest, arg)
}

// flag takes a flag, with the next argument when that is its value.
func (n *normalizer) flag(arg, value string, separate bool) {
	name, inline, hasInline := strings.Cut(arg, "=")
	first := len(n.rest)
	n.rest = append(n.rest, arg)
	if separate {
		n.rest = append(n.rest, value)
	}
	if name != "--"+opFlag {
		return
	}
	n.ops++
	for i := first; i < len(n.rest); i++ {
		n.op = append(n.op, i)
	}
	if hasInline {
		n.verb = inline
	} else if separate {
		n.verb = value
	}
}

// result puts the words first and turns one -op of a verb that the noun has into that word.
func (n *normalizer) result() []string {
	if n.ops != 1 || n.at.Flags().Lookup(opFlag) == nil || child(n.at, n.verb) == nil {
		return slices.Concat(n.path, n.rest)
	}
	out := append(n.path, n.verb)
	for i, arg := range n.rest {
		if !slices.Contains(n.op, i) {
			out = append(out, arg)
		}
	}
	return out
}

func child(cmd *cobra.Command, name string) *cobra.Command {
	for _, sub := range cmd.Commands() {
		if sub.Name() == name || sub.HasAlias(name) {
			return sub
		}
	}
	return nil
}

// flagTable says of every flag in the tree whether it takes a value. A name means the same kind of thing in the whole tree; a
// test holds the commands to that.
type flagTable struct {
	names   map[string]bool
	letters map[byte]bool
}

func flagsOf(root *cobra.Command) flagTable {
	t := flagTable{names: map[string]bool{}, letters: map[byte]bool{}}
	add := func(f *pflag.Flag) {
		t.names[f.Name] = f.NoOptDefVal == ""
		if f.Shorthand != "" {
			t.letters[f.Shorthand[0]] = f.NoOptDefVal == ""
		}
	}
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.InitDefaultHelpFlag()
		cmd.InitDefaultVersionFlag()
		cmd.Flags().VisitAll(add)
		cmd.PersistentFlags().VisitAll(add)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	return t
}

// long gives a long flag with one dash its second one. What is neither a long flag nor begins with a shorthand gets it too,
// so that the error speaks of the whole word; a negative number is left alone.
func (t flagTable) long(arg string) string {
	if strings.HasPrefix(arg, "--") || arg[1] >= '0' && arg[1] <= '9' {
		return arg
	}
	name, _, _ := strings.Cut(arg[1:], "=")
	if _, known := t.names[name]; known && len(name) > 1 {
		return "-" + arg
	}
	if _, known := t.letters[arg[1]]; known || len(name) < 2 {
		return arg
	}
	return "-" + arg
}

// wantsValue says whether the flag's value is the next argument.
func (t flagTable) wantsValue(arg string) bool {
	if name, ok := strings.CutPrefix(arg, "--"); ok {
		return t.names[name] // false for a name with =, too
	}
	for i := 1; i < len(arg); i++ {
		takes, known := t.letters[arg[i]]
		if !known {
			return false
		}
		if takes {
			return i == len(arg)-1
		}
	}
	return false
}
