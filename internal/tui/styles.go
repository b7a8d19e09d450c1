package tui

import (
	"image/color"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// styles is the one palette. A colour is never the only sign of anything: what it marks is also said by a word or a character.
type styles struct {
	bar, banner, head, cursor, dim, strong lipgloss.Style
	key, accent, good, warn, bad, plot     lipgloss.Style
}

// newStyles makes the palette for a terminal. Where there are 16 colours it uses the terminal's own, so that they are readable
// on its background; without colours bold and reverse stay. The others are of the 256 that
// most terminals have.
func newStyles(profile colorprofile.Profile, dark bool) *styles {
	pick := func(own, light, bright string) color.Color {
		switch {
		case profile <= colorprofile.ASCII:
			return lipgloss.NoColor{}
		case profile == colorprofile.ANSI:
			return lipgloss.Color(own)
		}
		if dark {
			return lipgloss.Color(bright)
		}
		return lipgloss.Color(light)
	}
	plain := lipgloss.NewStyle()
	blue, green := pick("4", "#005faf", "#87afff"), pick("2", "#00875f", "#87d787")
	amber, red := pick("3", "#875f00", "#d7af5f"), pick("1", "#af0000", "#ff8787")
	cyan, grey := pick("6", "#008787", "#5fd7d7"), pick("8", "#6c6c6c", "#8a8a8a")
	s := &styles{
		strong: plain.Bold(true), dim: plain.Foreground(grey), head: plain.Bold(true).Foreground(grey),
		key: plain.Bold(true).Foreground(blue), accent: plain.Foreground(blue), good: plain.Foreground(green),
		warn: plain.Foreground(amber), bad: plain.Foreground(red), plot: plain.Foreground(cyan),
	}
	if profile <= colorprofile.ANSI {
		s.bar, s.cursor = plain.Bold(true).Reverse(true), plain.Reverse(true)
		s.banner = plain.Bold(true).Reverse(true).Foreground(red)
		return s
	}
	s.bar = plain.Bold(true).Foreground(pick("", "#ffffff", "#eeeeee")).Background(pick("", "#005faf", "#005f87"))
	s.cursor = plain.Bold(true).Background(pick("", "#d7d7ff", "#303030"))
	s.banner = plain.Bold(true).Foreground(lipgloss.Color("#ffffff")).Background(lipgloss.Color("#af0000"))
	return s
}

// status is the style of a status word.
func (s *styles) status(status sdk.Status) lipgloss.Style {
	switch status {
	case sdk.Succeeded:
		return s.good
	case sdk.Failed:
		return s.bad
	case sdk.Canceled, sdk.Interrupted:
		return s.warn
	case sdk.Running:
		return s.accent
	default:
		return s.dim
	}
}

// severity is the style of a severity, a finding's or an event's.
func (s *styles) severity(word string) lipgloss.Style {
	switch word {
	case string(sdk.Critical), "error":
		return s.bad
	case string(sdk.Warning):
		return s.warn
	}
	return s.dim
}
