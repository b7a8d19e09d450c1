package vsphere

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// realtime is the interval at which hosts sample; vSphere keeps these samples for an hour.
const realtime = 20 * time.Second

const (
	intervalForms = "an interval is realtime, or a whole number and a unit: 20s, 5m, 5min, 30m, 1h, 2h, 1d"
	timeForms     = "a time is RFC 3339 (2024-01-20T10:00:00Z), or so long before now: 24h ago, 24h, 30m, 7d"
)

// ParseInterval reads the interval of samples: realtime (20 seconds), or whole numbers with units such as 20s, 5m, 5min, 1h,
// 1d. It is never shorter than 20 seconds, which is how often vSphere samples.
func ParseInterval(text string) (time.Duration, error) {
	if strings.EqualFold(strings.TrimSpace(text), "realtime") {
		return realtime, nil
	}
	d, ok := parseSpan(text)
	if !ok {
		return 0, sdk.WithHint(sdk.Invalidf("interval %q cannot be read", text), intervalForms)
	}
	if d < realtime {
		return 0, sdk.WithHint(sdk.Invalidf("interval %q is shorter than the 20 seconds at which vSphere samples", text), intervalForms)
	}
	return d, nil
}

// ParseTime reads a point in time: now, RFC 3339, or a span before now, with or without "ago".
func ParseTime(text string, now time.Time) (time.Time, error) {
	trimmed := strings.TrimSpace(text)
	if strings.EqualFold(trimmed, "now") {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339, trimmed); err == nil {
		return t.UTC(), nil
	}
	span := trimmed
	if before, ok := strings.CutSuffix(span, "ago"); ok && strings.HasSuffix(before, " ") {
		span = strings.TrimSpace(before)
	}
	d, ok := parseSpan(span)
	if !ok {
		return time.Time{}, sdk.WithHint(sdk.Invalidf("time %q cannot be read", text), timeForms)
	}
	return now.Add(-d), nil
}

// spanPart is one number with its unit.
var spanPart = regexp.MustCompile(`^([0-9]+) ?([a-z]+) ?`)

// units of spans, in the words that people write.
var units = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
	"w": 7 * 24 * time.Hour, "week": 7 * 24 * time.Hour, "weeks": 7 * 24 * time.Hour,
}

// maxSpan bounds a span: vSphere keeps nothing for longer than years.
const maxSpan = 100 * 366 * 24 * time.Hour

// parseSpan reads 90s, 1h30m, 2 days. A day has 24 hours. It is above zero.
func parseSpan(text string) (time.Duration, bool) {
	rest := strings.TrimSpace(text)
	var total time.Duration
	for rest != "" {
		m := spanPart.FindStringSubmatch(rest)
		if m == nil {
			return 0, false
		}
		unit, known := units[m[2]]
		n, err := strconv.ParseInt(m[1], 10, 64)
		if !known || err != nil || n > int64(maxSpan/unit) {
			return 0, false
		}
		if total += time.Duration(n) * unit; total > maxSpan {
			return 0, false
		}
		rest = rest[len(m[0]):]
	}
	return total, total > 0
}

// formatSpan writes a span in the form that parseSpan reads: 20s, 5m, 90m, 2h, 1d.
func formatSpan(d time.Duration) string {
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= u.unit && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(math.Round(d.Seconds())), 10) + "s"
}
