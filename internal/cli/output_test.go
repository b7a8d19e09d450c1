package cli_test

import (
	"bytes"
	"errors"
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
		if got := cli.Printable(in); got != want {
			t.Errorf("Printable(%q) = %q; want %q", in, got, want)
		}
	}
	if got := cli.PrintableLines("a\n\tb\x07"); got != "a\n\tb\\a" {
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
