package sdk_test

import (
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestReport_NilIsFine(t *testing.T) {
	var none sdk.ProgressFunc
	none.Report(sdk.Progress{})
	var got sdk.Progress
	sdk.ProgressFunc(func(p sdk.Progress) { got = p }).Report(sdk.Progress{Stage: "fix"})
	if got.Stage != "fix" {
		t.Errorf("got %+v, want the report", got)
	}
}

func TestSeverity_Worse(t *testing.T) {
	order := []sdk.Severity{sdk.Info, sdk.Warning, sdk.Critical}
	for i, a := range order {
		for j, b := range order {
			if got, want := a.Worse(b), i > j; got != want {
				t.Errorf("%s worse than %s: %v, want %v", a, b, got, want)
			}
		}
	}
}

func TestFormatBytes(t *testing.T) {
	tests := []struct {
		n    int64
		want string
	}{
		{0, "0 B"}, {1023, "1023 B"}, {1024, "1.0 KiB"}, {1536, "1.5 KiB"}, {10 << 10, "10 KiB"},
		{999 << 10, "999 KiB"}, {1000 << 10, "1.0 MiB"}, {100 << 30, "100 GiB"}, {1 << 60, "1.0 EiB"},
	}
	for _, tt := range tests {
		if got := sdk.FormatBytes(tt.n); got != tt.want {
			t.Errorf("%d: got %q, want %q", tt.n, got, tt.want)
		}
	}
}
