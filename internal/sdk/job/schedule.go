package job

import "time"

// The values of Schedule.Missed.
const (
	MissedOnce = "once" // run once, as soon as possible, however many were missed; the default
	MissedSkip = "skip" // wait for the next time
)

// The values of Schedule.Overlap.
const (
	OverlapSkip  = "skip" // do not start another while the last one lives; the default
	OverlapAllow = "allow"
)

// Schedule submits a job at the times of a cron expression.
type Schedule struct {
	Name string `json:"name"` // letters, digits, dash, dot and underscore
	// Cron is five fields (minute hour day-of-month month day-of-week), or @hourly, @daily, @weekly, @monthly, @yearly or
	// @every DURATION.
	Cron     string `json:"cron"`
	TimeZone string `json:"time_zone,omitempty"` // an IANA name; empty: UTC
	Missed   string `json:"missed,omitempty"`    // runs while no daemon was up: once or skip
	Overlap  string `json:"overlap,omitempty"`   // skip or allow
	Paused   bool   `json:"paused,omitempty"`
	Job      Spec   `json:"job"`

	Created   time.Time `json:"created,omitzero"`
	Next      time.Time `json:"next,omitzero"` // zero: never, or paused
	LastFired time.Time `json:"last_fired,omitzero"`
	LastJob   string    `json:"last_job,omitempty"`
	LastNote  string    `json:"last_note,omitempty"` // why the last time started no job
	Revision  uint64    `json:"revision"`            // of this record; give it back in an update to be told of a conflict
}
