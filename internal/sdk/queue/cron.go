package queue

import (
	"math/bits"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// anyField is how the parser marks a field that is "*".
const anyField = 1 << 63

// timetable is a parsed cron expression in a time zone. Around a change of clocks it does what people expect of cron: what runs
// every hour or more often goes by elapsed time; what has hours of its own runs once at each of them, and when the hour is left
// out, as soon as it would have come.
type timetable struct {
	schedule cron.Schedule
	zone     *time.Location
	wall     bool // goes by the clock on the wall
}

func parseCron(expression, zone string) (*timetable, error) {
	location, err := job.Zone(zone)
	if err != nil {
		return nil, err
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)
	if strings.HasPrefix(expression, "TZ=") || strings.HasPrefix(expression, "CRON_TZ=") {
		return nil, sdk.WithHint(sdk.Invalidf("cron %q holds a time zone", expression), "set time_zone")
	}
	schedule, err := parser.Parse(expression)
	if err != nil {
		return nil, sdk.WithHint(sdk.Invalidf("cron %q: %w", expression, err),
			"five fields: minute hour day-of-month month day-of-week, such as 30 2 * * 1-5, or @daily, or @every 6h")
	}
	t := &timetable{schedule: schedule, zone: location}
	if spec, ok := schedule.(*cron.SpecSchedule); ok {
		hours := spec.Hour &^ anyField
		spec.Location = location
		if t.wall = bits.OnesCount64(hours) < 24; t.wall {
			spec.Location = time.UTC // the clock's face is handed in as if it were UTC
		}
	}
	return t, nil
}

// next is the first time after t; zero: there is none in the next years.
func (c *timetable) next(t time.Time) time.Time {
	if !c.wall {
		return c.schedule.Next(t)
	}
	face := asUTC(t.In(c.zone))
	for {
		face = c.schedule.Next(face)
		if face.IsZero() {
			return time.Time{}
		}
		if at := c.instant(face); at.After(t) {
			return at
		}
	}
}

// instant is when the clock on the wall first shows face; when it never does, the instant at which it jumps over it.
func (c *timetable) instant(face time.Time) time.Time {
	at := time.Date(face.Year(), face.Month(), face.Day(), face.Hour(), face.Minute(), face.Second(), 0, c.zone)
	if !asUTC(at).Equal(face) { // left out
		start, end := at.ZoneBounds()
		if asUTC(at).After(face) {
			return start
		}
		return end
	}
	// Shown twice? The first is in the zone before.
	start, _ := at.ZoneBounds()
	if start.IsZero() {
		return at
	}
	_, now := at.Zone()
	_, before := start.Add(-time.Second).In(c.zone).Zone()
	if earlier := at.Add(time.Duration(now-before) * time.Second); earlier.Before(start) && asUTC(earlier.In(c.zone)).Equal(face) {
		return earlier
	}
	return at
}

// asUTC is the face of t's clock as if it were in UTC.
func asUTC(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// NextRuns are the next n times of a cron expression after t: what a form shows beside the field.
func NextRuns(expression, zone string, t time.Time, n int) ([]time.Time, error) {
	table, err := parseCron(expression, zone)
	if err != nil {
		return nil, err
	}
	times := []time.Time{}
	for len(times) < n {
		if t = table.next(t); t.IsZero() {
			break
		}
		times = append(times, t)
	}
	return times, nil
}
