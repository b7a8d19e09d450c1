package sdk_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		text, unit string
		want       int64
	}{
		{"40GiB", "B", 40 << 30}, {"40GB", "B", 40_000_000_000}, {"512", "B", 512}, {" 1.5 tib ", "GiB", 1536},
		{"8GiB", "MiB", 8192}, {"0", "GiB", 0}, {"1000KB", "MB", 1}, {"1024kib", "MiB", 1}, {"0.5KiB", "B", 512},
		{"0.1GB", "MB", 100}, {"7PiB", "B", 7 << 50},
	} {
		got, err := sdk.ParseSize(tt.text, tt.unit)
		if err != nil || got != tt.want {
			t.Errorf("ParseSize(%q, %q) = %d, %v; want %d", tt.text, tt.unit, got, err, tt.want)
		}
	}
}

func TestParseSize_Refuses(t *testing.T) {
	for _, tt := range []struct{ text, unit, want string }{
		{"", "B", "not a size"}, {"GiB", "B", "not a size"}, {"-1GiB", "B", "not a size"}, {"1,5GiB", "B", "not a size"},
		{"40G", "B", `"G" is not a unit`}, {"40GiB", "blocks", `"blocks" is not a unit`}, {"1.5B", "B", "not a whole number"},
		{"40GB", "GiB", "37.253 GiB"}, {"9000PiB", "B", "more than 8 EiB"},
	} {
		_, err := sdk.ParseSize(tt.text, tt.unit)
		if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("ParseSize(%q, %q): %v, want %q", tt.text, tt.unit, err, tt.want)
		}
	}
}
