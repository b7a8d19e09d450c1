package sdk

import (
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// SizeUnits are the units of ParseSize: decimal ones (kB is 1000 bytes) and binary ones (KiB is 1024).
func SizeUnits() []string {
	return []string{"B", "kB", "MB", "GB", "TB", "PB", "KiB", "MiB", "GiB", "TiB", "PiB"}
}

var sizePattern = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)$`)

// ParseSize reads a size such as 40GiB, 1.5 TB or 512 (bytes) and tells it in a unit, which has to fit without a rest. Upper
// and lower case are one. A unit of which one cannot say whether it is decimal or binary, such as G, is sdk.ErrInvalid.
func ParseSize(text, unit string) (int64, error) {
	m := sizePattern.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return 0, WithHint(Invalidf("%q is not a size", text), "write a number and a unit, such as 40GiB, 1.5TB or 512B")
	}
	if m[2] == "" {
		m[2] = "B"
	}
	from, err := bytesIn(m[2])
	if err != nil {
		return 0, err
	}
	to, err := bytesIn(unit)
	if err != nil {
		return 0, err
	}
	value, _ := new(big.Rat).SetString(m[1]) // the pattern allows numbers only
	value.Mul(value, new(big.Rat).SetInt(from)).Quo(value, new(big.Rat).SetInt(to))
	switch {
	case !value.IsInt():
		return 0, WithHint(Invalidf("%q is %s %s, not a whole number", text, value.FloatString(3), unit), "ask for a smaller unit, or round the size")
	case !value.Num().IsInt64():
		return 0, Invalidf("%q is more than 8 EiB", text)
	}
	return value.Num().Int64(), nil
}

func bytesIn(unit string) (*big.Int, error) {
	i := slices.IndexFunc(SizeUnits(), func(u string) bool { return strings.EqualFold(u, unit) })
	switch {
	case i < 0:
		return nil, WithHint(Invalidf("%q is not a unit of size", unit),
			"use one of %s; GB is 1000 MB, GiB is 1024 MiB", strings.Join(SizeUnits(), ", "))
	case i <= 5:
		return new(big.Int).Exp(big.NewInt(1000), big.NewInt(int64(i)), nil), nil
	}
	return new(big.Int).Exp(big.NewInt(1024), big.NewInt(int64(i-5)), nil), nil
}
