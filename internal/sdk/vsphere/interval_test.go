package vsphere

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"realtime": 20 * time.Second, "Realtime": 20 * time.Second, "20s": 20 * time.Second, " 5m ": 5 * time.Minute, "5min": 5 * time.Minute,
		"30m": 30 * time.Minute, "1h": time.Hour, "2h": 2 * time.Hour, "1d": 24 * time.Hour, "1h30m": 90 * time.Minute, "2 hours": 2 * time.Hour,
		"1w": 168 * time.Hour,
	} {
		if got, err := ParseInterval(text); err != nil || got != want {
			t.Errorf("%q: got %v %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "0s", "19s", "5", "m", "5M", "-5m", "1.5h", "5m ago", "1e3s", "99999999999999999999s", "9999999w", "5 m x", "１h"} {
		if got, err := ParseInterval(text); !errors.Is(err, sdk.ErrInvalid) || len(sdk.Hints(err)) == 0 {
			t.Errorf("%q: got %v %v, want ErrInvalid with a hint", text, got, err)
		}
	}
}

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"now": now, "24h ago": now.Add(-24 * time.Hour), "24h": now.Add(-24 * time.Hour), "7d": now.AddDate(0, 0, -7), "90 minutes ago": now.Add(-90 * time.Minute),
		"2024-01-20T10:00:00Z": time.Date(2024, 1, 20, 10, 0, 0, 0, time.UTC), "2024-01-20T10:00:00+02:00": time.Date(2024, 1, 20, 8, 0, 0, 0, time.UTC),
	} {
		if got, err := ParseTime(text, now); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%q: got %v %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "ago", "24hago", "yesterday", "2024-01-20", "2024-01-20 10:00", "24h ago ago", "realtime", "-24h"} {
		if got, err := ParseTime(text, now); !errors.Is(err, sdk.ErrInvalid) || len(sdk.Hints(err)) == 0 {
			t.Errorf("%q: got %v %v, want ErrInvalid with a hint", text, got, err)
		}
	}
}

// FuzzParse looks for a text that panics, gives a span out of bounds, or is not read back from the form that we write.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"realtime", "20s", "5min", "1h30m", "24h ago", "2024-01-20T10:00:00Z", "1 d 2 h", "99999999999w", "ago", "\x00"} {
		f.Add(seed)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := ParseInterval(text); err == nil {
			if d < realtime || d > maxSpan {
				t.Errorf("%q is %v", text, d)
			}
			if back, err := ParseInterval(formatSpan(d)); err != nil || back != d {
				t.Errorf("%q is written %q and read back as %v %v", text, formatSpan(d), back, err)
			}
		}
		if at, err := ParseTime(text, now); err == nil && at.After(now) && !strings.Contains(text, ":") {
			t.Errorf("%q is in the future: %v", text, at)
		}
	})
}

func kept() *counterTable {
	const day = 24 * time.Hour
	return &counterTable{intervals: []storedInterval{
		{realtime, time.Hour, 0}, {5 * time.Minute, day, 2}, {30 * time.Minute, 7 * day, 2}, {2 * time.Hour, 30 * day, 1}, {day, 365 * day, 1},
	}}
}

func TestWindow(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 34, 56, 0, time.UTC)
	clock := func(text string) time.Time {
		at, err := time.Parse("02 15:04:05", text)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 3, at.Day(), at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	}
	for name, tc := range map[string]struct {
		spec         MetricsSpec
		start, end   time.Time
		stored, step time.Duration
		samples      int
	}{
		"nothing said":                      {MetricsSpec{}, clock("10 12:28:56"), now, realtime, realtime, 15},
		"three samples":                     {MetricsSpec{MaxSamples: 3}, clock("10 12:32:56"), now, realtime, realtime, 3},
		"more than is kept":                 {MetricsSpec{MaxSamples: 900}, clock("10 11:34:56"), now, realtime, realtime, 900},
		"a day":                             {MetricsSpec{Start: "23h"}, clock("09 13:34:56"), now, 5 * time.Minute, 5 * time.Minute, 0},
		"two days":                          {MetricsSpec{Start: "2d"}, clock("08 12:34:56"), now, 30 * time.Minute, 30 * time.Minute, 0},
		"kept interval":                     {MetricsSpec{Start: "3h", Interval: "5min"}, clock("10 09:34:56"), now, 5 * time.Minute, 5 * time.Minute, 0},
		"hours of a morning":                {MetricsSpec{Start: "5h", Interval: "1h"}, clock("10 07:00:00"), clock("10 12:00:00"), 5 * time.Minute, time.Hour, 0},
		"hours of a day, the first whole":   {MetricsSpec{Start: "24h ago", Interval: "1h"}, clock("09 12:00:00"), clock("10 12:00:00"), 30 * time.Minute, time.Hour, 0},
		"minutes of all that is kept":       {MetricsSpec{Start: "1h", Interval: "1m"}, clock("10 11:35:00"), clock("10 12:34:00"), realtime, time.Minute, 0},
		"the last hours":                    {MetricsSpec{Interval: "1h", MaxSamples: 4}, clock("10 08:00:00"), clock("10 12:00:00"), 5 * time.Minute, time.Hour, 4},
		"hours of more than a day":          {MetricsSpec{Interval: "1h", MaxSamples: 48}, clock("08 12:00:00"), clock("10 12:00:00"), 30 * time.Minute, time.Hour, 48},
		"until an hour ago":                 {MetricsSpec{Start: "3h", End: "1h ago", Interval: "30m"}, clock("10 09:34:56"), clock("10 11:34:56"), 30 * time.Minute, 30 * time.Minute, 0},
		"an end in the future is now":       {MetricsSpec{Start: "1h", End: "2030-01-01T00:00:00Z"}, clock("10 11:34:56"), now, realtime, realtime, 0},
		"the end decides without start too": {MetricsSpec{End: "3h", MaxSamples: 2}, clock("10 09:09:56"), clock("10 09:34:56"), 5 * time.Minute, 5 * time.Minute, 2},
	} {
		w, err := kept().window(tc.spec, now)
		if err != nil || !w.start.Equal(tc.start) || !w.end.Equal(tc.end) || w.stored.period != tc.stored || w.step != tc.step || w.samples != tc.samples {
			t.Errorf("%s: got %v to %v, %v from %v, %d samples, %v;\nwant %v to %v, %v from %v, %d", name,
				w.start, w.end, w.step, w.stored.period, w.samples, err, tc.start, tc.end, tc.step, tc.stored, tc.samples)
		}
	}
}

func TestWindow_Refusals(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 34, 56, 0, time.UTC)
	for name, tc := range map[string]struct {
		spec        MetricsSpec
		field, text string
	}{
		"no multiple":       {MetricsSpec{Interval: "45s"}, "interval", "no multiple"},
		"realtime too long": {MetricsSpec{Interval: "realtime", Start: "2h"}, "start", "kept for 1h"},
		"minutes too long":  {MetricsSpec{Interval: "1m", Start: "2d"}, "start", "kept for 1h"},
		"no end of hours":   {MetricsSpec{Interval: "1h", Start: "40d"}, "start", "kept for 7d"},
		"backwards":         {MetricsSpec{Start: "1h", End: "2h"}, "start", "is not before the end"},
		"in the future":     {MetricsSpec{Start: "2030-01-01T00:00:00Z"}, "start", "is not before the end"},
	} {
		_, err := kept().window(tc.spec, now)
		if !errors.Is(err, sdk.ErrInvalid) || Field(err) != tc.field || !strings.Contains(err.Error(), tc.text) || len(sdk.Hints(err)) == 0 {
			t.Errorf("%s: got %v on %q, hints %q; want %q on %s with a hint", name, err, Field(err), sdk.Hints(err), tc.text, tc.field)
		}
	}
}
