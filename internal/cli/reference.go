package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// AddReference gives root a hidden command that writes what there is to know of every other one: markdown pages and man
// pages, from the same tree that parses the command line.
func AddReference(root *cobra.Command) {
	cmd := &cobra.Command{Use: "reference", Short: "Write the reference of every command", Hidden: true, Args: NoArgs}
	markdown := cmd.Flags().String("markdown", "", "write markdown pages into this `DIR`")
	man := cmd.Flags().String("man", "", "write man pages into this `DIR`")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *markdown == "" && *man == "" {
			return sdk.Invalidf("%s: give -markdown DIR, -man DIR or both", cmd.CommandPath())
		}
		return errors.Join(
			writePages(cmd.Root(), *markdown, func(c *cobra.Command) string { return slug(c) + ".md" }, markdownPage),
			writePages(cmd.Root(), *man, func(c *cobra.Command) string { return slug(c) + ".1" }, manPage),
		)
	}
	root.AddCommand(cmd)
}

// writePages writes a page for each command that a person may use. An empty dir: none.
func writePages(cmd *cobra.Command, dir string, name func(*cobra.Command) string, page func(*cobra.Command) string) error {
	if dir == "" || cmd.Hidden || cmd.Name() == "help" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // documentation is for everyone
		return err
	}
	text := bytes.TrimRight([]byte(page(cmd)), "\n")
	err := os.WriteFile(filepath.Join(dir, name(cmd)), append(text, '\n'), 0o644) //nolint:gosec // documentation is for everyone
	for _, sub := range cmd.Commands() {
		err = errors.Join(err, writePages(sub, dir, name, page))
	}
	return err
}

// slug is the name of a command's page: hyperctl-host-list.
func slug(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// flagGroup is flags under their heading.
type flagGroup struct {
	title string
	flags []*pflag.Flag
}

// flagGroups are the command's own flags as the help groups them, and those of every command last.
func flagGroups(cmd *cobra.Command) []flagGroup {
	cmd.InitDefaultHelpFlag()
	var groups []flagGroup
	add := func(set *pflag.FlagSet, title string) {
		set.VisitAll(func(f *pflag.Flag) {
			in := title
			if group := f.Annotations[groupAnnotation]; len(group) > 0 {
				in = group[0]
			}
			at := slices.IndexFunc(groups, func(g flagGroup) bool { return g.title == in })
			switch {
			case f.Hidden:
			case at >= 0:
				groups[at].flags = append(groups[at].flags, f)
			default:
				groups = append(groups, flagGroup{in, []*pflag.Flag{f}})
			}
		})
	}
	add(cmd.LocalFlags(), "Flags")
	add(cmd.InheritedFlags(), "Flags of every command")
	return groups
}

// description is what a page says first.
func description(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

// synopsis is how the command is called, in every style.
func synopsis(cmd *cobra.Command) []string {
	if !cmd.Runnable() || cmd.HasAvailableSubCommands() {
		return []string{cmd.CommandPath() + " COMMAND [flags]"}
	}
	lines := []string{cmd.UseLine()}
	if noun := cmd.Parent(); noun != nil && noun.Flags().Lookup(opFlag) != nil {
		lines = append(lines, fmt.Sprintf("%s -%s %s [flags]", noun.CommandPath(), opFlag, cmd.Name()))
	}
	return lines
}

// exitCodes is what every page says of them.
var exitCodes = [][2]string{
	{"0", "done"},
	{"1", "it failed, or a finding stops it"},
	{"2", "the command line or the input cannot be right"},
	{"3", "what was named does not exist"},
	{"4", "vCenter, libvirt or the system refuses it"},
	{"5", "some of the work is done and stays; the message lists both"},
	{"130", "interrupted"},
}

func markdownPage(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n```text\n%s\n```\n", cmd.CommandPath(), markdownText(description(cmd)), strings.Join(synopsis(cmd), "\n"))
	if cmd.HasExample() {
		fmt.Fprintf(&b, "\n## Examples\n\n```bash\n%s\n```\n", unindent(cmd.Example))
	}
	if subs := available(cmd); len(subs) > 0 {
		b.WriteString("\n## Commands\n\n| Command | |\n|---|---|\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", sub.CommandPath(), slug(sub), markdownText(sub.Short))
		}
	}
	for _, g := range flagGroups(cmd) {
		fmt.Fprintf(&b, "\n## %s\n\n| Flag | |\n|---|---|\n", g.title)
		for _, f := range g.flags {
			name, text := flagWords(f)
			fmt.Fprintf(&b, "| `%s` | %s |\n", name, markdownText(text))
		}
	}
	if !cmd.HasParent() {
		b.WriteString("\n## Exit codes\n\n| Code | |\n|---|---|\n")
		for _, code := range exitCodes {
			fmt.Fprintf(&b, "| %s | %s |\n", code[0], code[1])
		}
		return b.String()
	}
	fmt.Fprintf(&b, "\nSee also: [%s](%s.md)\n", cmd.Parent().CommandPath(), slug(cmd.Parent()))
	return b.String()
}

func available(cmd *cobra.Command) []*cobra.Command {
	var subs []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			subs = append(subs, sub)
		}
	}
	return subs
}

// flagWords is how a flag is written and what it means.
func flagWords(f *pflag.Flag) (name, text string) {
	row := flagRow(f)
	return strings.TrimSpace(row[0]), row[1]
}

// markdownText keeps words from being taken for markup, within a table too.
func markdownText(text string) string {
	return strings.NewReplacer("|", `\|`, "*", `\*`, "<", "&lt;", "_", `\_`).Replace(text)
}

// unindent takes the help's two spaces away.
func unindent(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.TrimPrefix(strings.TrimRight(line, "\n"), "  "))
	}
	return strings.Join(lines, "\n")
}
