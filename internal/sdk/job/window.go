package job

import (
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Window is the hours of the week in which a job may start. A window whose end is not after its start runs into the next
// day, and belongs to the day on which it opens.
type Window struct {
	Days     []string `json:"days,omitempty"`      // mon, tue, wed, thu, fri, sat, sun; empty: every day
	Start    string   `json:"start"`               // "22:00", local time
	End      string   `json:"end"`                 // "06:00", local time, not included
	TimeZone string   `json:"time_zone,omitempty"` // an IANA name; empty: UTC
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Validate checks the window: an ErrInvalid names what is wrong.
func (w *Window) Validate() error {
	_, err := w.parse()
	return err
}

// Next returns t when the window is open at t, else the next instant at which it opens.
func (w *Window) Next(t time.Time) (time.Time, error) {
	p, err := w.parse()
	if err != nil {
		return time.Time{}, err
	}
	local := t.In(p.zone)
	// From yesterday, whose window may still be open, to a week from now: every day of the week is among them.
	for day := -1; day <= 8; day++ {
		date := time.Date(local.Year(), local.Month(), local.Day()+day, 12, 0, 0, 0, p.zone)
		if !p.days[date.Weekday()] {
			continue
		}
		opens, closes := p.at(date, p.start), p.at(date, p.end)
		if p.end <= p.start {
			closes = p.at(date.AddDate(0, 0, 1), p.end)
		}
		if !t.Before(opens) && t.Before(closes) {
			return t, nil
		}
		if opens.After(t) && closes.After(opens) {
			return opens, nil
		}
	}
	return time.Time{}, sdk.Invalidf("window %s-%s never opens", w.Start, w.End)
}

type parsedWindow struct {
	days       [7]bool
	start, end int // minutes of the day
	zone       *time.Location
}

// at is the instant at which the day's clock shows the minute; an hour that a change of clocks leaves out is moved on by it.
func (p *parsedWindow) at(day time.Time, minute int) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), minute/60, minute%60, 0, 0, p.zone)
}

func (w *Window) parse() (*parsedWindow, error) {
	p := &parsedWindow{zone: time.UTC}
	var err error
	if p.zone, err = Zone(w.TimeZone); err != nil {
		return nil, err
	}
	if p.start, err = clock(w.Start); err != nil {
		return nil, err
	}
	if p.end, err = clock(w.End); err != nil {
		return nil, err
	}
	for _, name := range w.Days {
		i := slices.Index(weekdays, strings.ToLower(name))
		if i < 0 {
			return nil, sdk.Invalidf("day %q of a window: use mon, tue, wed, thu, fri, sat or sun", name)
		}
		p.days[i] = true
	}
	if len(w.Days) == 0 {
		p.days = [7]bool{true, true, true, true, true, true, true}
	}
	return p, nil
}

func clock(s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, sdk.Invalidf("%q is not a time of day: write it like 22:30", s)
	}
	return t.Hour()*60 + t.Minute(), nil
}

// Zone is the time zone of an IANA name; empty is UTC. The machine's own zone ("Local") is refused: a record means the same on
// every machine.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, sdk.Invalidf("time zone %q is not known: use an IANA name such as Europe/Berlin", name)
	}
	return zone, nil
}
