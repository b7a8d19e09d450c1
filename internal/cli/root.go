package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Root makes a program's root command with the flags that every command has. Errors are Main's to print.
func Root(name, short, version string) *cobra.Command {
	root := &cobra.Command{
		Use:           name,
		Short:         short,
		Version:       version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noVerb,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(usage)
	root.PersistentFlags().SortFlags = false
	addLogFlags(root.PersistentFlags())
	return root
}

// Noun makes a command whose subcommands are verbs. A verb is a word (host list) or a flag (host -op list).
func Noun(name, short string, verbs ...*cobra.Command) *cobra.Command {
	var names []string
	for _, verb := range verbs {
		names = append(names, verb.Name())
	}
	noun := &cobra.Command{Use: name, Short: short}
	noun.Args = func(cmd *cobra.Command, args []string) error {
		if op, _ := cmd.Flags().GetString(opFlag); op != "" {
			return nil // it is the operation that there is not
		}
		return noVerb(cmd, args)
	}
	noun.RunE = func(cmd *cobra.Command, _ []string) error {
		op, _ := cmd.Flags().GetString(opFlag)
		if op == "" {
			return sdk.WithHint(sdk.Invalidf("%s: which operation?", name), "there is %s; %s --help tells more", enumerate(names), cmd.CommandPath())
		}
		if slices.Contains(names, op) { // given once, it were a word by now
			return sdk.Invalidf("%s: one operation at a time", name)
		}
		return Unknown("operation", op, names)
	}
	noun.Flags().String(opFlag, "", "the verb as a flag: "+strings.Join(names, ", "))
	// The name is right by construction; an error would be a second flag of that name.
	_ = noun.RegisterFlagCompletionFunc(opFlag, cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	noun.AddCommand(verbs...)
	return noun
}

// noVerb refuses a word where a subcommand's name was expected.
func noVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if len(names) == 0 {
		return NoArgs(cmd, args)
	}
	return Unknown("command", args[0], names)
}

// NoArgs refuses operands.
func NoArgs(cmd *cobra.Command, args []string) error { return MaxArgs(0)(cmd, args) }

// MaxArgs refuses more than n operands.
func MaxArgs(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		return sdk.WithHint(sdk.Invalidf("unexpected argument %q", args[n]), "%s", seeHelp(cmd))
	}
}

func flagError(cmd *cobra.Command, err error) error {
	var missing *pflag.NotExistError
	if !errors.As(err, &missing) {
		return sdk.WithHint(sdk.Kind(sdk.ErrInvalid, err), "%s", seeHelp(cmd))
	}
	got := "--" + missing.GetSpecifiedName()
	if letters := missing.GetSpecifiedShortnames(); letters != "" {
		got = "-" + letters
	}
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, "--"+f.Name)
		}
	})
	if near := nearest(got, known); len(near) > 0 {
		return Unknown("flag", got, near)
	}
	return sdk.WithHint(sdk.Invalidf("unknown flag %q", got), "%s", seeHelp(cmd))
}

func seeHelp(cmd *cobra.Command) string { return cmd.CommandPath() + " --help lists what there is" }

// Operand is the name that a verb works on: its operand, or the flag -name, but not two different ones.
func Operand(what, flag string, args []string) (string, error) {
	name := flag
	if len(args) > 0 {
		name = args[0]
	}
	switch {
	case name == "":
		return "", sdk.WithHint(sdk.Invalidf("which %s?", what), "give its name as an argument or with -name")
	case flag != "" && flag != name:
		return "", sdk.Invalidf("two %ss are named, %q and %q", what, name, flag)
	}
	return name, nil
}
