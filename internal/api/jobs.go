package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

// The kinds of jobs, and what the spec of each is.
const (
	KindClone          = "clone"           // a vsphere.CloneItem
	KindCloneBulk      = "clone_bulk"      // a vsphere.CloneBulkSpec
	KindTemplateCreate = "template_create" // a vsphere.TemplateSpec
	KindTemplateDeploy = "template_deploy" // a vsphere.CloneItem whose source is a template
	KindMigration      = "migration"       // a migrate.Spec
)

// Jobs is the queue as the API needs it. Its errors are those of the SDK's kinds.
type Jobs interface {
	// Submit puts a job on disk before it returns. A live job of the same kind and key is returned instead, with created false.
	Submit(ctx context.Context, spec job.Spec) (j *job.Job, created bool, err error)
	Get(ctx context.Context, id string) (*job.Job, error)
	List(f job.Filter) (*job.Page, error)
	Cancel(ctx context.Context, id, by, reason string) (*job.Job, error)
	Retry(ctx context.Context, id string) (*job.Job, error)
	Logs(ctx context.Context, id string, since int64, limit int) ([]job.LogLine, error)
	// Wait follows one job to its end.
	Wait(ctx context.Context, id string, each func(*job.Job)) (*job.Job, error)
	// Watch hands on changes from a sequence number on, 0: beginning with every job.
	Watch(ctx context.Context, since uint64, f job.Filter) (*queue.Watch, error)
}

// queue is the queue, when the daemon has one.
func (s *Server) queue() (Jobs, error) {
	if s.jobs == nil {
		return nil, sdk.Unavailablef("this daemon runs no jobs")
	}
	return s.jobs, nil
}

// WaitParam is how a caller chooses between a job and its end.
type WaitParam struct {
	Wait bool `query:"wait" doc:"Wait for the end and answer with the result instead of the job: 200, or 207 when it is partial. A caller that goes away leaves the job running"`
}

// submitted is a job that was taken, or the result of one that was waited for.
type submitted struct {
	Status   int
	Location string `header:"Location"`
	JobID    string `header:"X-Job-Id"`
	Body     any
}

// Accepted is a job that was taken.
type Accepted struct {
	job.Job
	Existed  bool     `json:"existed" doc:"true: a job for the very same work lives already, and this is it"`
	Warnings []string `json:"warnings,omitempty" doc:"What was asked and is done otherwise"`
}

// submit gives work to the queue, and waits for its end when that is asked.
func (s *Server) submit(ctx context.Context, spec job.Spec, wait bool, warnings ...string) (*submitted, error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	req := requestOf(ctx)
	spec.SubmittedBy = req.name()
	j, created, err := q.Submit(ctx, spec)
	if err != nil {
		return nil, err
	}
	req.job = j.ID
	out := &submitted{Status: http.StatusAccepted, Location: "/jobs/" + j.ID, JobID: j.ID, Body: Accepted{*j, !created, warnings}}
	if !wait {
		return out, nil
	}
	ctx, stop := s.untilClosed(ctx)
	defer stop()
	if j, err = q.Wait(ctx, j.ID, nil); err != nil && context.Cause(ctx) == errClosing { //nolint:errorlint // it is that very error
		err = errClosing
	}
	if err != nil {
		return nil, sdk.WithHint(fmt.Errorf("wait for job %s: %w", out.JobID, err), "the job goes on; GET %s tells how", out.Location)
	}
	return out, out.end(j)
}

// end makes the answer that of the job's end: its result, or why there is none.
func (o *submitted) end(j *job.Job) error {
	switch {
	case j.Error != nil && j.Error.Kind == job.KindPartial && len(j.Result) > 0:
		o.Status, o.Body = http.StatusMultiStatus, j.Result
	case j.Error != nil:
		return j.Error.Err()
	case j.Status == sdk.Canceled:
		return sdk.Conflictf("job %s was canceled", j.ID)
	case len(j.Result) > 0:
		o.Status, o.Body = http.StatusOK, j.Result
	default:
		o.Status, o.Body = http.StatusOK, j
	}
	return nil
}

// work makes a job's spec of a body. The key is the body's own digest: who asks twice gets one job.
func work(kind, name string, body any) (job.Spec, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return job.Spec{}, err
	}
	return job.Spec{Kind: kind, Name: name, Key: digestOf(text), Body: text}, nil
}

type jobsInput struct {
	Status []string `query:"status" doc:"In any of these, with commas: pending, running, succeeded, failed, canceled"`
	Kind   []string `query:"kind" doc:"Of any of these, with commas: clone, clone_bulk, template_create, template_deploy, migration"`
	Name   string   `query:"name" doc:"Glob over the name"`
	Limit  int      `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	After  string   `query:"after" doc:"What next said of the page before"`
}

func (in *jobsInput) filter() job.Filter {
	f := job.Filter{Kind: in.Kind, Name: in.Name, Limit: in.Limit, After: in.After}
	for _, status := range in.Status {
		f.Status = append(f.Status, sdk.Status(status))
	}
	return f
}

func (s *Server) listJobs(_ context.Context, in *jobsInput) (*body[*job.Page], error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	f := in.filter()
	if err := f.Validate(); err != nil {
		return nil, err
	}
	page, err := q.List(f)
	return &body[*job.Page]{page}, err
}

// JobParam is a job in a path.
type JobParam struct {
	ID string `path:"id" maxLength:"64" doc:"The job's id"`
}

func (s *Server) getJob(ctx context.Context, in *JobParam) (*body[*job.Job], error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	j, err := q.Get(ctx, in.ID)
	return &body[*job.Job]{j}, err
}

type cancelInput struct {
	JobParam
	Reason string `query:"reason" maxLength:"256" doc:"Why, for whoever reads the record"`
}

func (s *Server) cancelJob(ctx context.Context, in *cancelInput) (*body[*job.Job], error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	req := requestOf(ctx)
	req.job = in.ID
	j, err := q.Cancel(ctx, in.ID, req.name(), in.Reason)
	return &body[*job.Job]{j}, err
}

func (s *Server) retryJob(ctx context.Context, in *JobParam) (*body[*job.Job], error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	requestOf(ctx).job = in.ID
	j, err := q.Retry(ctx, in.ID)
	return &body[*job.Job]{j}, err
}

type logsInput struct {
	JobParam
	Since int64 `query:"since" minimum:"0" doc:"Only lines after this one"`
	Limit int   `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
}

func (s *Server) jobLogs(ctx context.Context, in *logsInput) (*body[[]job.LogLine], error) {
	q, err := s.queue()
	if err != nil {
		return nil, err
	}
	lines, err := q.Logs(ctx, in.ID, in.Since, in.Limit)
	if lines == nil {
		lines = []job.LogLine{}
	}
	return &body[[]job.LogLine]{lines}, err
}
