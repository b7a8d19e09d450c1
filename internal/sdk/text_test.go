package sdk_test

import (
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestPrintable(t *testing.T) {
	for _, tt := range [][2]string{
		{"web-01 ü 虚拟机", "web-01 ü 虚拟机"},
		{"\x1b[2Jgone", `\x1b[2Jgone`},
		{"two\nlines", `two\nlines`},
		{"right\u202eleft", `right\u202eleft`}, // would turn around what follows
		{"not\xffUTF-8", "not�UTF-8"},
	} {
		if got := sdk.Printable(tt[0]); got != tt[1] {
			t.Errorf("%q: %q, want %q", tt[0], got, tt[1])
		}
	}
	if got := sdk.PrintableLines("a\n\tb\r"); got != "a\n\tb\\r" {
		t.Errorf("lines: %q", got)
	}
}
