package job

import (
	"path"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Filter chooses jobs. Its zero value chooses all; what is set must all hold.
type Filter struct {
	ID       string            `json:"id,omitempty"`
	Status   []sdk.Status      `json:"status,omitempty"` // any of them
	Kind     []string          `json:"kind,omitempty"`   // any of them
	Name     string            `json:"name,omitempty"`   // a glob, as path.Match
	Key      string            `json:"key,omitempty"`
	Schedule string            `json:"schedule,omitempty"`
	Worker   string            `json:"worker,omitempty"`
	Source   string            `json:"source,omitempty"` // of Limits
	Target   string            `json:"target,omitempty"` // of Limits
	Labels   map[string]string `json:"labels,omitempty"` // all of them

	Limit int    `json:"limit,omitempty"` // jobs a page; 0: 100, at most 1000
	After string `json:"after,omitempty"` // Page.Next of the page before
}

// Page is a part of a list, newest jobs first.
type Page struct {
	Jobs  []*Job `json:"jobs"`
	Total int    `json:"total"`          // jobs the filter chooses, over all pages
	Next  string `json:"next,omitempty"` // Filter.After of the next page; empty: this is the last
	Seq   uint64 `json:"seq"`            // watch from here to miss nothing after this list
}

// Validate checks the filter's shape: an ErrInvalid names what is wrong.
func (f Filter) Validate() error {
	if _, err := path.Match(f.Name, ""); err != nil {
		return sdk.Invalidf("name %q is not a pattern: %w", f.Name, err)
	}
	if f.Limit < 0 || f.Limit > 1000 {
		return sdk.Invalidf("limit %d: it is between 1 and 1000", f.Limit)
	}
	for _, s := range f.Status {
		if !slices.Contains([]sdk.Status{sdk.Pending, sdk.Running, sdk.Succeeded, sdk.Failed, sdk.Canceled}, s) {
			return sdk.Invalidf("status %q: a job is pending, running, succeeded, failed or canceled", s)
		}
	}
	return nil
}

// Match says whether the filter chooses j, whatever the page.
func (f Filter) Match(j *Job) bool {
	if f.Name != "" {
		if ok, err := path.Match(f.Name, j.Name); err != nil || !ok {
			return false
		}
	}
	for name, value := range f.Labels {
		if got, ok := j.Labels[name]; !ok || got != value {
			return false
		}
	}
	return (len(f.Status) == 0 || slices.Contains(f.Status, j.Status)) &&
		(len(f.Kind) == 0 || slices.Contains(f.Kind, j.Kind)) &&
		same(f.ID, j.ID) && same(f.Key, j.Key) && same(f.Schedule, j.Schedule) && same(f.Worker, j.Worker) &&
		same(f.Source, j.Limits.Source) && same(f.Target, j.Limits.Target)
}

func same(want, got string) bool { return want == "" || want == got }
