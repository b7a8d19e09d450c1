package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
)

// reference writes the pages of a tree and returns the directory.
func reference(t *testing.T) string {
	t.Helper()
	root := tree()
	list, _, err := root.Find([]string{"host", "list"})
	if err != nil {
		t.Fatal(err)
	}
	list.Short, list.Example = "List a|b <all>", "  tool host list -pattern 'x*'\n  .dot"
	list.Long = ".SH not a heading\n\nsecond \\fBparagraph"
	secret := &cobra.Command{Use: "secret", Hidden: true, Run: func(*cobra.Command, []string) {}}
	root.AddCommand(secret)
	cli.AddReference(root)
	dir := t.TempDir()
	code, stdout, stderr := execute(t, root, "reference", "-markdown", filepath.Join(dir, "md"), "-man", filepath.Join(dir, "man"))
	if code != 0 || stdout != "" || stderr != "" {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	return dir
}

func TestReference_Markdown(t *testing.T) {
	dir := reference(t)
	want := "# tool host list\n\n.SH not a heading\n\nsecond \\fBparagraph\n\n```text\ntool host list [flags]\ntool host -op list [flags]\n```\n\n" +
		"## Examples\n\n```bash\ntool host list -pattern 'x*'\n.dot\n```\n\n## Flags\n\n| Flag | |\n|---|---|\n"
	got, err := os.ReadFile(filepath.Join(dir, "md", "tool-host-list.md"))
	if err != nil || !strings.HasPrefix(string(got), want) {
		t.Errorf("%v, got:\n%s\nwant it to begin:\n%s", err, got, want)
	}
	got, err = os.ReadFile(filepath.Join(dir, "md", "tool-host.md"))
	if row := `| [tool host list](tool-host-list.md) | List a\|b &lt;all> |`; err != nil || !strings.Contains(string(got), row) {
		t.Errorf("%v, %q is not in:\n%s", err, row, got)
	}
	for _, name := range []string{"tool-secret.md", "tool-reference.md", "tool-help.md"} {
		if _, err := os.Stat(filepath.Join(dir, "md", name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
}

func TestReference_Man(t *testing.T) {
	dir := reference(t)
	page := filepath.Join(dir, "man", "tool-host-list.1")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n\\&.SH not a heading\n.PP\nsecond \\efBparagraph\n", "\n\\&.dot\n", "\n\\fB\\-\\-pattern STRING\\fR\n", "\n.BR tool\\-host (1)\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Log("no groff here: the pages are not formatted")
		return
	}
	pages, err := filepath.Glob(filepath.Join(dir, "man", "*.1"))
	if err != nil || len(pages) < 5 {
		t.Fatalf("pages %q, %v", pages, err)
	}
	args := append([]string{"-man", "-Tutf8", "-ww", "-z"}, pages...)
	if out, err := exec.CommandContext(t.Context(), groff, args...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("groff: %v\n%s", err, out)
	}
}

func TestReference_Refuses(t *testing.T) {
	root := tree()
	cli.AddReference(root)
	if code, _, stderr := execute(t, root, "reference"); code != cli.ExitUsage || !strings.Contains(stderr, "give -markdown DIR") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	root = tree()
	cli.AddReference(root)
	if code, _, _ := execute(t, root, "reference", "-man", "/dev/null/x"); code == 0 {
		t.Error("a directory that cannot be is accepted")
	}
}
