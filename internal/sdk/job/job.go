package job

import (
	"encoding/json"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Spec asks for one job. Kind is required; the zero value of everything else is good.
type Spec struct {
	Kind string `json:"kind"`           // which handler runs it: "migration", "clone", …
	Name string `json:"name,omitempty"` // for people
	// Key is the same for the same piece of work: while a job of this kind and key lives, submitting another returns the first.
	Key  string          `json:"key,omitempty"`
	Body json.RawMessage `json:"spec,omitempty"` // what the handler reads; at most MaxBodyBytes, and no secret in it

	Priority  int               `json:"priority,omitempty"`  // -100 to 100, higher first; equal ones in the order of submission
	Placement map[string]string `json:"placement,omitempty"` // a worker must carry all of these labels; empty: any worker
	Limits    Limits            `json:"limits,omitzero"`     // what it must share
	Labels    map[string]string `json:"labels,omitempty"`    // the caller's own, to filter by

	NotBefore time.Time `json:"not_before,omitzero"` // earliest start
	Window    *Window   `json:"window,omitempty"`    // hours in which it may start; once started it runs on to its end

	// MaxRetries is how often the queue itself starts the job again after it failed with the kind "unavailable"; 0: never.
	MaxRetries  int    `json:"max_retries,omitempty"`
	SubmittedBy string `json:"submitted_by,omitempty"` // who asked, as the front door knows them
}

// Limits names the shared things a job uses. The queue runs only so many jobs at once for each of them.
type Limits struct {
	Source string `json:"source,omitempty"` // the source host, such as "esxi-01"; empty: not limited
	Target string `json:"target,omitempty"` // the target, such as "kvm-3"; empty: not limited
}

// Job is the record of one job: what was asked, where it is, what came of it.
type Job struct {
	ID string `json:"id"` // a UUID of version 7: ids sort by time of submission
	Spec

	Status   sdk.Status `json:"status"`            // pending, running, succeeded, failed or canceled
	Waiting  string     `json:"waiting,omitempty"` // why a pending job has not started, computed when it is read
	Attempts int        `json:"attempts"`          // how often it was started
	// Lost counts the starts in a row that ended with the worker gone rather than with an answer.
	Lost     int             `json:"lost,omitempty"`
	Retries  int             `json:"retries,omitempty"` // of Spec.MaxRetries used
	Percent  float64         `json:"percent"`           // of the whole, 0 to 100
	Stages   []Stage         `json:"stages,omitempty"`  // in the order in which they began
	Cancel   *Cancel         `json:"cancel_requested,omitempty"`
	Lease    *Lease          `json:"lease,omitempty"` // while it runs
	Worker   string          `json:"worker,omitempty"`
	Schedule string          `json:"schedule,omitempty"` // the name of the schedule that submitted it
	Error    *Error          `json:"error,omitempty"`
	Files    []Artifact      `json:"artifacts,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"` // the handler's own answer
	Created  time.Time       `json:"created"`
	Started  time.Time       `json:"started,omitzero"` // of the last attempt
	Ended    time.Time       `json:"ended,omitzero"`
	Revision uint64          `json:"revision"` // of this record; grows with every change, over all jobs
}

// Live says whether the job is pending or running.
func (j *Job) Live() bool { return j.Status == sdk.Pending || j.Status == sdk.Running }

// Lease is a worker's right to run a job. It ends when it is not renewed within its ack-wait.
type Lease struct {
	ID     string `json:"id"` // of this execution
	Worker string `json:"worker"`
	// Revision fences the execution: of two executions of one job the later has the higher one. Whoever keeps effects refuses a
	// lower one than it has seen.
	Revision uint64 `json:"revision"`
	// WaitMS is the ack-wait in milliseconds: how long after its last renewal nobody else takes the job.
	WaitMS  int64     `json:"ack_wait_ms"`
	Claimed time.Time `json:"claimed"`
	Renewed time.Time `json:"renewed"` // by the worker's clock, for people: no decision depends on it
}

// Cancel is somebody's wish that a job end.
type Cancel struct {
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at"`
}

// Artifact is a file that a job made, on the disk of the worker that ran it.
type Artifact struct {
	Name   string `json:"name"` // unique in the job; for downloads
	Path   string `json:"path"`
	Worker string `json:"worker,omitempty"` // whose disk it is on
	Media  string `json:"media_type,omitempty"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256,omitempty"`
}
