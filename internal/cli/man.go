package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// manPage is the command's page in section 1, in the man macros. It carries no date: the same tree makes the same page.
func manPage(cmd *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 \"\" %s \"User Commands\"\n", manQuote(strings.ToUpper(slug(cmd))), manQuote(cmd.Root().Name()))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n", manText(slug(cmd)), manText(cmd.Short))
	for _, line := range synopsis(cmd) {
		fmt.Fprintf(&b, "%s\n", manText(line))
	}
	fmt.Fprintf(&b, ".fi\n.SH DESCRIPTION\n%s\n", manParagraphs(description(cmd)))
	if subs := available(cmd); len(subs) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, sub := range subs {
			manItem(&b, sub.Name(), sub.Short)
		}
	}
	for _, g := range flagGroups(cmd) {
		fmt.Fprintf(&b, ".SH %s\n", manText(strings.ToUpper(g.title)))
		for _, f := range g.flags {
			name, text := flagWords(f)
			manItem(&b, name, text)
		}
	}
	if cmd.HasExample() {
		fmt.Fprintf(&b, ".SH EXAMPLES\n.nf\n%s\n.fi\n", manText(unindent(cmd.Example)))
	}
	b.WriteString(".SH EXIT STATUS\n")
	for _, code := range exitCodes {
		manItem(&b, code[0], code[1])
	}
	manSeeAlso(&b, cmd)
	return b.String()
}

func manItem(b *strings.Builder, term, text string) {
	fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s\n", manText(term), manText(text))
}

func manSeeAlso(b *strings.Builder, cmd *cobra.Command) {
	var pages []string
	if cmd.HasParent() {
		pages = append(pages, slug(cmd.Parent()))
	}
	for _, sub := range available(cmd) {
		pages = append(pages, slug(sub))
	}
	if len(pages) == 0 {
		return
	}
	b.WriteString(".SH SEE ALSO\n")
	for i, page := range pages {
		end := ","
		if i == len(pages)-1 {
			end = ""
		}
		fmt.Fprintf(b, ".BR %s (1)%s\n", manText(page), end)
	}
}

// manText writes text so that none of it is a request or an escape: a backslash and a dash are themselves, and a line that begins
// with a dot or a quote is text.
func manText(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// manParagraphs is manText with a paragraph at each empty line.
func manParagraphs(text string) string {
	return strings.ReplaceAll(manText(strings.TrimSpace(text)), "\n\n", "\n.PP\n")
}

func manQuote(text string) string {
	return `"` + strings.ReplaceAll(manText(text), `"`, `\(dq`) + `"`
}
