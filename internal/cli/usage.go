package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	groupAnnotation = "group"
	helpWidth       = 80
	helpColumn      = 28 // where the meaning of a flag begins
)

// Group puts flags under a heading of their own in the help.
func Group(flags *pflag.FlagSet, title string, names ...string) {
	for _, name := range names {
		// An unknown name is a programmer's slip; the help shows such a flag nowhere else either.
		_ = flags.SetAnnotation(name, groupAnnotation, []string{title})
	}
}

// usage writes how to call cmd: its subcommands and its flags, by group.
func usage(cmd *cobra.Command) error {
	w := cmd.OutOrStderr()
	fmt.Fprintf(w, "Usage:\n")
	if cmd.Runnable() && !cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "  %s\n", cmd.UseLine())
	} else {
		fmt.Fprintf(w, "  %s COMMAND [flags]\n", cmd.CommandPath())
	}
	if cmd.HasExample() {
		fmt.Fprintf(w, "\nExamples:\n%s\n", cmd.Example)
	}
	if cmd.HasAvailableSubCommands() {
		fmt.Fprintf(w, "\nCommands:\n")
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() {
				fmt.Fprintf(w, "  %-12s %s\n", sub.Name(), sub.Short)
			}
		}
	}
	writeFlags(w, cmd.LocalFlags(), "Flags")
	writeFlags(w, cmd.InheritedFlags(), "Flags of every command")
	return nil
}

// writeFlags writes the flags by group, those of none first.
func writeFlags(w io.Writer, flags *pflag.FlagSet, title string) {
	titles := []string{title}
	rows := map[string][][2]string{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		in := title
		if group := f.Annotations[groupAnnotation]; len(group) > 0 {
			in = group[0]
		}
		if !slices.Contains(titles, in) {
			titles = append(titles, in)
		}
		rows[in] = append(rows[in], flagRow(f))
	})
	for _, title := range titles {
		if len(rows[title]) == 0 {
			continue
		}
		fmt.Fprintf(w, "\n%s:\n", title)
		for _, row := range rows[title] {
			fmt.Fprint(w, Wrap(row[0], helpColumn, row[1]))
		}
	}
}

// flagRow is how a flag is written and what it means.
func flagRow(f *pflag.Flag) [2]string {
	value, text := pflag.UnquoteUsage(f)
	name := "      --" + f.Name
	if f.Shorthand != "" {
		name = "  -" + f.Shorthand + ", --" + f.Name
	}
	if f.NoOptDefVal == "" {
		name += " " + strings.ToUpper(value)
	}
	return [2]string{name, text}
}

// Wrap writes a text in 80 columns from the given column on, with the head before it: on the same line when it fits.
func Wrap(head string, column int, text string) string {
	var b strings.Builder
	line := head
	if room := column - len([]rune(line)); room < 1 {
		b.WriteString(line + "\n")
		line = strings.Repeat(" ", column)
	} else {
		line += strings.Repeat(" ", room)
	}
	fresh := true
	for _, word := range strings.Fields(text) {
		if !fresh && len([]rune(line))+1+len([]rune(word)) > helpWidth {
			b.WriteString(line + "\n")
			line, fresh = strings.Repeat(" ", column), true
		}
		if !fresh {
			line += " "
		}
		line, fresh = line+word, false
	}
	return b.String() + strings.TrimRight(line, " ") + "\n"
}
