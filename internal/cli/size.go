package cli

import (
	"math"

	"github.com/dustin/go-humanize"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Size is a flag's value in bytes: 1048576, 1MiB, 1.5GB.
type Size int64

// Set parses the text.
func (s *Size) Set(text string) error {
	n, err := humanize.ParseBytes(text)
	if err != nil || n > math.MaxInt64 {
		return sdk.Invalidf("%q is not a size; for example 1048576, 10MiB or 1.5GB", text)
	}
	*s = Size(n)
	return nil
}

func (s *Size) String() string {
	if *s == 0 {
		return ""
	}
	return humanize.IBytes(uint64(*s)) //nolint:gosec // Set allows no negative one
}

// Type is the word for the value in the help.
func (s *Size) Type() string { return "SIZE" }
