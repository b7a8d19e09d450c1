package cli

import (
	"bytes"
	"testing"
)

func TestPrintNext_RowsStayInLine(t *testing.T) {
	table := func(a, b string) View {
		return View{Value: map[string]string{a: b}, Table: Table{Columns: []Column{{Name: "A"}, {Name: "N", Right: true}}, Rows: [][]string{{a, b}}}}
	}
	var got bytes.Buffer
	out, rows := &Output{format: "table"}, &Rows{Every: 3}
	for _, v := range []View{table("one", "1"), table("seventeen", "17"), table("x", ""), table("y", "2")} {
		if err := out.PrintNext(&got, rows, v); err != nil {
			t.Fatal(err)
		}
	}
	want := "A    N\none  1\n" + "seventeen  17\n" + "x           -\n" + "A           N\ny           2\n"
	if got.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", got.String(), want)
	}
	got.Reset()
	if err := (&Output{json: true}).PrintNext(&got, rows, table("<a>", "1")); err != nil || got.String() != "{\"<a>\":\"1\"}\n" {
		t.Errorf("got %q %v", got.String(), err)
	}
	got.Reset()
	rows = &Rows{}
	for _, form := range []string{"csv", "csv", "yaml"} {
		if err := (&Output{format: form}).PrintNext(&got, rows, table("a", "1")); err != nil {
			t.Fatal(err)
		}
	}
	if want := "a\n1\n1\n---\na: \"1\"\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}
