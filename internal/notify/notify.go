package notify

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// The values of When.
const (
	WhenEnded  = "ended"  // every end; the default
	WhenFailed = "failed" // failed, and succeeded only in part
)

// Filter chooses the ends that a sink hears of.
type Filter struct {
	When  string   `json:"when,omitempty"`  // ended or failed
	Kinds []string `json:"kinds,omitempty"` // of jobs; empty: all
}

func (f *Filter) validate() error {
	if f.When != "" && f.When != WhenEnded && f.When != WhenFailed {
		return sdk.Invalidf("notify when %q: ended or failed", f.When)
	}
	return nil
}

// wants says whether the sink is to hear of j.
func (f *Filter) wants(j *job.Job) bool {
	if f.When == WhenFailed && j.Status != sdk.Failed && (j.Status != sdk.Succeeded || j.Error == nil) {
		return false
	}
	for _, kind := range f.Kinds {
		if kind == j.Kind {
			return true
		}
	}
	return len(f.Kinds) == 0
}

// Sink tells somebody of a job's end. It has the shape of the queue's.
type Sink func(ctx context.Context, j *job.Job) error

// outcome is one word or two for a person.
func outcome(j *job.Job) string {
	if j.Status == sdk.Succeeded && j.Error != nil {
		return "succeeded in part"
	}
	return string(j.Status)
}

// title names the job on one line. Names come from elsewhere: what is no printable character is left out.
func title(j *job.Job) string {
	name := j.Name
	if name == "" {
		name = j.ID
	}
	return fmt.Sprintf("%s \"%s\" %s", j.Kind, printable(name), outcome(j))
}

// printable leaves out what controls a terminal or turns the direction of writing, and puts lines into one.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return ' '
		}
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			return -1
		}
		return r
	}, text)
}

// took is how long the last execution was; 0: it never started.
func took(j *job.Job) time.Duration {
	if j.Started.IsZero() || j.Ended.IsZero() {
		return 0
	}
	return j.Ended.Sub(j.Started).Round(time.Second)
}

// loopback says whether host is this machine by its name alone; nothing is resolved.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
