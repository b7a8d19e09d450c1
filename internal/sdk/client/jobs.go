package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// Accepted is a job that the daemon took.
type Accepted struct {
	job.Job
	Existed  bool     `json:"existed"`            // true: a job for the very same work lives already, and this is it
	Warnings []string `json:"warnings,omitempty"` // what was asked and is done otherwise
}

// SubmitRequest submits an export or a migration. It returns when the job is on the daemon's disk.
func (c *Client) SubmitRequest(ctx context.Context, r job.Request) (*Accepted, error) {
	return c.submit(ctx, r)
}

// Submit submits a job of any kind. It returns when the job is on the daemon's disk.
func (c *Client) Submit(ctx context.Context, s job.Spec) (*Accepted, error) { return c.submit(ctx, s) }

// SubmitRaw submits the body of POST /jobs as it is written: a job.Request or, with a kind, a job.Spec. The daemon checks it.
func (c *Client) SubmitRaw(ctx context.Context, body json.RawMessage) (*Accepted, error) {
	return c.submit(ctx, body)
}

func (c *Client) submit(ctx context.Context, body any) (*Accepted, error) {
	var a Accepted
	if _, err := c.call(ctx, http.MethodPost, []string{"jobs"}, nil, body, &a); err != nil {
		return nil, err
	}
	return &a, nil
}

// GetJob reads a job by its id.
func (c *Client) GetJob(ctx context.Context, id string) (*job.Job, error) {
	return get[job.Job](ctx, c, "jobs", id)
}

// ListJobs reads a page of jobs, the newest first. Of the filter the daemon takes status, kind and name.
func (c *Client) ListJobs(ctx context.Context, f job.Filter) (*job.Page, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	q := query{url.Values{}}.texts("kind", f.Kind).text("name", f.Name).number("limit", f.Limit).text("after", f.After)
	status := make([]string, len(f.Status))
	for i, s := range f.Status {
		status[i] = string(s)
	}
	q.texts("status", status)
	var page job.Page
	_, err := c.call(ctx, http.MethodGet, []string{"jobs"}, q.Values, nil, &page)
	return &page, err
}

// CancelJob asks for a job's end: a pending one is canceled at once, one that runs when its worker has stopped.
func (c *Client) CancelJob(ctx context.Context, id, reason string) (*job.Job, error) {
	var j job.Job
	_, err := c.call(ctx, http.MethodPost, []string{"jobs", id, "cancel"}, query{url.Values{}}.text("reason", reason).Values, struct{}{}, &j)
	return &j, err
}

// RetryJob runs a job that has ended again. It goes on where it stopped.
func (c *Client) RetryJob(ctx context.Context, id string) (*job.Job, error) {
	var j job.Job
	_, err := c.call(ctx, http.MethodPost, []string{"jobs", id, "retry"}, nil, struct{}{}, &j)
	return &j, err
}

// JobLogs reads the lines of a job's log after line since, at most limit (0: 1000).
func (c *Client) JobLogs(ctx context.Context, id string, since int64, limit int) ([]job.LogLine, error) {
	q := query{url.Values{}}.number("limit", limit)
	if since > 0 {
		q.Set("since", strconv.FormatInt(since, 10))
	}
	var lines []job.LogLine
	_, err := c.call(ctx, http.MethodGet, []string{"jobs", id, "logs"}, q.Values, nil, &lines)
	return lines, err
}

// WatchJob calls use with the job as it is and after each change, until it has ended or use fails. A lost connection is waited out.
func (c *Client) WatchJob(ctx context.Context, id string, use func(*job.Job) error) (*job.Job, error) {
	var last *job.Job
	see := func(j *job.Job) error {
		if last != nil && j.Revision <= last.Revision {
			return nil
		}
		last = j
		return use(j)
	}
	first, err := c.GetJob(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := see(first); err != nil || !first.Live() {
		return last, err
	}
	err = c.FollowJobs(ctx, 0, func(u job.Update) error {
		switch {
		case u.ID != id:
			return nil
		case u.Deleted:
			return sdk.NotFoundf("job %s is gone: its record was removed", id)
		}
		if err := see(u.Job); err != nil {
			return err
		}
		if !last.Live() {
			return errEnough
		}
		return nil
	}, func() error { // what changed while there was no stream
		j, err := c.GetJob(ctx, id)
		if err != nil {
			return err
		}
		if err := see(j); err != nil {
			return err
		}
		if !last.Live() {
			return errEnough
		}
		return nil
	})
	return last, err
}

// FollowJobs hands on changes of jobs after a sequence number (0: beginning with every job as it is), in order, until ctx ends or use fails. A lost connection
// is waited out. opened, which may be nil, is called whenever the stream stands.
func (c *Client) FollowJobs(ctx context.Context, since uint64, use func(job.Update) error, opened func() error) error {
	return follow(ctx, c, []string{"jobs", "stream"}, opened, func(u *job.Update) url.Values {
		if u != nil {
			since = u.Seq
		}
		if since == 0 {
			return nil
		}
		return url.Values{"since": {strconv.FormatUint(since, 10)}}
	}, use)
}
