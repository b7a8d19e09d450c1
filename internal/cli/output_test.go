package cli_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestTable(t *testing.T) {
	table := cli.Table{
		Columns: []cli.Column{{Name: "NAME"}, {Name: "VMS", Right: true}, {Name: "STATE"}},
		Rows:    [][]string{{"esxi-1", "7", "connected"}, {"東京", "1234", ""}, {"\x1b[31m", "1", "x"}},
	}
	var got bytes.Buffer
	if err := table.Write(&got); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"NAME       VMS  STATE\n" +
		"esxi-1       7  connected\n" +
		"東京      1234  -\n" +
		"\\x1b[31m     1  x\n"
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestDetails(t *testing.T) {
	var got bytes.Buffer
	if err := cli.Details("Name", "vc", "Instance UUID", "").Write(&got); err != nil {
		t.Fatal(err)
	}
	want := "Name:           vc\nInstance UUID:  -\n"
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestOutput(t *testing.T) {
	type thing struct {
		Name string `json:"name"`
	}
	view := cli.View{Value: []thing{{"<a>"}}, Table: cli.Table{Rows: [][]string{{"row"}}}}
	const asJSON = "[\n  {\n    \"name\": \"<a>\"\n  }\n]\n"
	tests := []struct {
		args []string
		view cli.View
		want string
	}{
		{nil, view, "row\n"},
		{[]string{"-o", "table"}, view, "row\n"},
		{[]string{"-o", "json"}, view, asJSON},
		{[]string{"--json"}, view, asJSON},
		{[]string{"--json"}, cli.View{Value: []thing(nil)}, "[]\n"},
		{[]string{"--json", "-o", "json"}, view, asJSON},
		{[]string{"-o", "yaml"}, view, "- name: <a>\n"},
		{[]string{"-o", "yaml"}, cli.View{Value: []thing(nil)}, "[]\n"},
		{[]string{"-o", "csv"}, view, "name\n<a>\n"},
		{[]string{"-o", "csv"}, cli.View{Value: []thing(nil)}, "name\n"},
		{[]string{"-o", "csv"}, cli.View{Value: 1, Rows: []thing{{"b"}}}, "name\nb\n"},
		{[]string{"-o", "wide"}, view, "row\n"},
		{nil, cli.View{Text: func(w io.Writer) error { _, err := io.WriteString(w, "text"); return err }}, "text"},
		{nil, cli.View{Table: view.Table, More: []cli.Section{{Title: "Empty"}, {Title: "Disks", Table: view.Table}}}, "row\n\nDisks\n  row\n"},
	}
	for _, tt := range tests {
		cmd := &cobra.Command{Use: "x"}
		out := cli.AddOutput(cmd)
		if err := cmd.ParseFlags(tt.args); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := errors.Join(out.Check(), out.Print(&got, tt.view)); err != nil || got.String() != tt.want {
			t.Errorf("%q: %v, got %q; want %q", tt.args, err, got.String(), tt.want)
		}
	}
}

func TestOutput_RefusesAnUnknownForm(t *testing.T) {
	cmd := &cobra.Command{Use: "x"}
	out := cli.AddOutput(cmd)
	if err := cmd.ParseFlags([]string{"-o", "jsn"}); err != nil {
		t.Fatal(err)
	}
	err := out.Check()
	if !errors.Is(err, sdk.ErrInvalid) || sdk.Hints(err)[0] != "did you mean json?" {
		t.Errorf("error = %v, hints %q", err, sdk.Hints(err))
	}
}

func TestOutput_RefusesTwoForms(t *testing.T) {
	cmd := &cobra.Command{Use: "x"}
	out := cli.AddOutput(cmd)
	if err := cmd.ParseFlags([]string{"-o", "yaml", "--json"}); err != nil {
		t.Fatal(err)
	}
	if err := out.Check(); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("error = %v; want an invalid one", err)
	}
}

func TestTable_WideColumnsShowWhenAsked(t *testing.T) {
	view := cli.View{Table: cli.Table{
		Columns: []cli.Column{{Name: "NAME"}, {Name: "PATH", Wide: true}, {Name: "VMS", Right: true}},
		Rows:    [][]string{{"a", "/DC0/a", "7"}},
	}}
	for form, want := range map[string]string{
		"table": "NAME  VMS\na       7\n",
		"wide":  "NAME  PATH    VMS\na     /DC0/a    7\n",
	} {
		cmd := &cobra.Command{Use: "x"}
		out := cli.AddOutput(cmd)
		if err := cmd.ParseFlags([]string{"-o", form}); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := out.Print(&got, view); err != nil || got.String() != want {
			t.Errorf("%s: %v, got\n%swant\n%s", form, err, got.String(), want)
		}
	}
}

func TestWriteYAML_IsTheJSON(t *testing.T) {
	value := struct {
		Zeta   string         `json:"zeta"`
		Alpha  []int64        `json:"alpha"`
		Words  []string       `json:"words"`
		None   *int           `json:"none"`
		Empty  []string       `json:"empty"`
		Left   string         `json:"left,omitempty"`
		Ratio  float64        `json:"ratio"`
		Labels map[string]any `json:"labels"`
	}{
		Zeta: "true", Alpha: []int64{9007199254740993}, Words: []string{"123", "a: b", "line\nline", "\x1b[2J\x7f\u0085", "", "null", "2026-01-02"},
		Empty: []string{}, Ratio: 1.5, Labels: map[string]any{},
	}
	var got bytes.Buffer
	if err := cli.WriteYAML(&got, value); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(got.String(), "\x1b\x7f\u0085") {
		t.Errorf("control characters are in %q", got.String())
	}
	want := `zeta: "true"
alpha:
  - 9007199254740993
words:
  - "123"
  - 'a: b'
  - |-
    line
    line
  - "\e[2J\x7F\N"
  - ""
  - "null"
  - "2026-01-02"
none: null
empty: []
ratio: 1.5
labels: {}
`
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
}

func TestWriteCSV(t *testing.T) {
	type base struct {
		Ref string `json:"ref"`
	}
	type row struct {
		base
		Name  string   `json:"name"`
		MB    int64    `json:"memory_mb,omitempty"`
		IPs   []string `json:"ips"`
		inner int
		Skip  string `json:"-"`
	}
	rows := []row{
		{base{"vm-1"}, `a "quoted", name`, 1 << 40, []string{"10.0.0.1"}, 1, "x"},
		{base{"vm-2"}, "two\nlines\x1b[2J", 0, nil, 1, "x"},
	}
	tests := []struct {
		value any
		want  string
	}{
		{rows, "ref,name,memory_mb,ips\nvm-1,\"a \"\"quoted\"\", name\",1099511627776,\"[\"\"10.0.0.1\"\"]\"\nvm-2,\"two\nlines\\x1b[2J\",,\n"},
		{&rows[0].base, "ref\nvm-1\n"},
		{[]row{}, "ref,name,memory_mb,ips\n"},
		{[]string{"a", "b,c"}, "value\na\n\"b,c\"\n"},
		{map[string]any{"b": 1, "a": true}, "a,b\ntrue,1\n"},
	}
	for _, tt := range tests {
		var got bytes.Buffer
		if err := cli.WriteCSV(&got, tt.value); err != nil || got.String() != tt.want {
			t.Errorf("%v: %v\ngot:\n%q\nwant:\n%q", tt.value, err, got.String(), tt.want)
		}
	}
}

func TestPrintable(t *testing.T) {
	tests := map[string]string{
		"plain ü 東京":     "plain ü 東京",
		"a\nb":           `a\nb`,
		"\x1b[2J":        `\x1b[2J`,
		"\u202Eabc":      `\u202eabc`,
		"bad\xffbyte":    "bad\ufffdbyte",
		"quote \" slash": "quote \" slash",
	}
	for in, want := range tests {
		if got := sdk.Printable(in); got != want {
			t.Errorf("Printable(%q) = %q; want %q", in, got, want)
		}
	}
	if got := sdk.PrintableLines("a\n\tb\x07"); got != "a\n\tb\\a" {
		t.Errorf("PrintableLines = %q", got)
	}
}

func TestTook(t *testing.T) {
	tests := map[time.Duration]string{
		420 * time.Millisecond:                     "0.4 s",
		12*time.Second + 300*time.Millisecond:      "12 s",
		3*time.Minute + 12*time.Second + 400000000: "3m12s",
	}
	for in, want := range tests {
		if got := cli.Took(in); got != want {
			t.Errorf("Took(%v) = %q; want %q", in, got, want)
		}
	}
}

func TestPercent(t *testing.T) {
	if got := cli.Percent(1, 3); got != "33%" {
		t.Errorf("Percent(1, 3) = %q", got)
	}
	if got := cli.Percent(1, 0); got != "-" {
		t.Errorf("Percent(1, 0) = %q", got)
	}
}

func TestSize(t *testing.T) {
	for in, want := range map[string]int64{"0": 0, "1048576": 1 << 20, "1MiB": 1 << 20, "10MB": 10e6, "1.5KiB": 1536} {
		var s cli.Size
		if err := s.Set(in); err != nil || int64(s) != want {
			t.Errorf("Set(%q) = %d, %v; want %d", in, s, err, want)
		}
	}
	for _, in := range []string{"", "x", "-1", "9EiB", "1 parsec"} {
		var s cli.Size
		if err := s.Set(in); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("Set(%q) = %d, %v; want an invalid one", in, s, err)
		}
	}
}
