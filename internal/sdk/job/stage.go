package job

import (
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Stage is one stage of a job and how far it is.
type Stage struct {
	Name   string     `json:"name"`
	Status sdk.Status `json:"status"` // also skipped
	Measure
	Message string    `json:"message,omitempty"`
	Items   []Item    `json:"items,omitempty"` // its disks or VMs
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
}

// Item is a disk or a VM that a stage works on.
type Item struct {
	Name   string     `json:"name"`
	Status sdk.Status `json:"status"`
	Measure
	Message string `json:"message,omitempty"`
}

// Measure is an amount of work. Of a stage with measured items it is their sum.
type Measure struct {
	Done  int64   `json:"done"`                  // in Unit
	Total int64   `json:"total"`                 // in Unit; 0: not known
	Unit  string  `json:"unit,omitempty"`        // "bytes", "percent" or empty
	Wire  int64   `json:"wire,omitempty"`        // bytes received, when Unit is bytes of disk covered
	Rate  float64 `json:"rate,omitempty"`        // Unit a second, smoothed over the last 20 seconds or so
	ETA   float64 `json:"eta_seconds,omitempty"` // 0: not known
}

// Update is one change of a job's record.
type Update struct {
	Seq     uint64 `json:"seq"` // grows; resume a watch with the last one seen
	ID      string `json:"id"`
	Deleted bool   `json:"deleted,omitempty"` // the record is gone, by retention
	Job     *Job   `json:"job,omitempty"`     // as it is after the change; nil when deleted. Shared: do not write to it
}

// LogLine is one line of a job's log.
type LogLine struct {
	Line    int64     `json:"line"` // counts from 1 within the job, over all attempts; resume with the last one seen
	Time    time.Time `json:"time"`
	Level   string    `json:"level"` // debug, info, warn, error
	Text    string    `json:"text"`
	Attempt int       `json:"attempt"`
}

// Worker is a process that runs jobs, as the queue sees it.
type Worker struct {
	Name    string            `json:"name"`
	Labels  map[string]string `json:"labels,omitempty"`
	Kinds   []string          `json:"kinds"`
	Slots   int               `json:"slots"`   // jobs at once
	Running []string          `json:"running"` // ids
	Version string            `json:"version,omitempty"`
	Since   time.Time         `json:"since"`
	Seen    time.Time         `json:"seen"`
}
