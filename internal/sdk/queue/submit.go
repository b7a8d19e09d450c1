package queue

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// Submit puts a job into the queue; when it returns, the job is on disk. A live job of the same kind and key is returned instead,
// with created false. Errors: ErrInvalid for the spec, ErrUnavailable when the store does not answer before ctx ends or too many
// jobs live; after the former the job may exist, and submitting again with the same key finds it.
func (q *Queue) Submit(ctx context.Context, spec job.Spec) (j *job.Job, created bool, err error) {
	return q.submit(ctx, spec, "", nil)
}

// submit writes the record of extra in the same batch. errStale: extra's record changed.
func (q *Queue) submit(ctx context.Context, spec job.Spec, schedule string, extra func(j *job.Job) (write, error)) (*job.Job, bool, error) {
	if err := spec.Validate(); err != nil {
		return nil, false, err
	}
	if live := q.liveCount(); live >= q.opts.MaxLive {
		return nil, false, sdk.WithHint(sdk.Unavailablef("%d jobs are pending or running, the queue's limit", live), "wait, or cancel some")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, false, err
	}
	j := &job.Job{ID: id.String(), Spec: spec, Status: sdk.Pending, Created: q.opts.Now().UTC(), Schedule: schedule}
	for {
		holder, err := q.trySubmit(ctx, j, extra)
		switch {
		case err == nil && holder != nil:
			return holder, false, nil
		case err == nil:
			return j, true, nil
		case errors.Is(err, errStale) && extra != nil:
			return nil, false, err
		case errors.Is(err, errStale):
		case !errors.Is(err, sdk.ErrUnavailable) || !pause(ctx, 100*time.Millisecond):
			return nil, false, err
		}
		if ctx.Err() != nil {
			return nil, false, sdk.Unavailablef("submit job: %w", ctx.Err())
		}
	}
}

// trySubmit returns the live job that has j's key already: also j itself, when an earlier try was made and its answer lost.
func (q *Queue) trySubmit(ctx context.Context, j *job.Job, extra func(*job.Job) (write, error)) (*job.Job, error) {
	data, err := encodeJob(j)
	if err != nil {
		return nil, err
	}
	writes := []write{{key: jobPrefix + j.ID, data: data}}
	if j.Key != "" {
		holder, rev, err := q.keyHolder(ctx, j.Kind, j.Key)
		if err != nil {
			return nil, err
		}
		if holder != nil && holder.ID != j.ID {
			return holder, nil
		}
		writes = append([]write{keyWrite(j, rev)}, writes...)
	}
	at := len(writes) - 1
	if extra != nil {
		w, err := extra(j)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	err = q.commit(ctx, writes)
	if errors.Is(err, errStale) {
		if mine, readErr := q.readJob(ctx, j.ID, true); readErr == nil {
			*j = *mine
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	j.Revision = writes[at].expect
	return nil, nil
}

func (q *Queue) liveCount() int {
	q.cache.mu.RLock()
	defer q.cache.mu.RUnlock()
	return len(q.cache.live)
}

// Cancel ends a pending job at once. A running one is told to stop and is canceled when its worker has stopped; until then it is
// running, with CancelRequested. Errors: ErrNotFound; ErrConflict when the job has ended.
func (q *Queue) Cancel(ctx context.Context, id, by, reason string) (*job.Job, error) {
	wish := &job.Cancel{By: by, Reason: job.Redact(reason), At: q.opts.Now().UTC()}
	return q.change(ctx, id, func(j *job.Job) (bool, error) {
		switch {
		case j.Cancel != nil && j.Cancel.At.Equal(wish.At) && j.Cancel.By == by:
			return false, nil // written by an earlier try
		case !j.Live():
			return false, sdk.Conflictf("job %s has ended: %s", id, j.Status)
		case j.Status == sdk.Running && j.Cancel != nil:
			return false, nil
		case j.Status == sdk.Pending:
			j.Status, j.Ended = sdk.Canceled, wish.At
			closeStages(j, wish.At)
		}
		j.Cancel = wish
		return true, nil
	})
}

// Retry makes an ended job pending again: the same job, so that its handler goes on where it stopped. Errors: ErrNotFound;
// ErrConflict when it lives, or when another live job has its key.
func (q *Queue) Retry(ctx context.Context, id string) (*job.Job, error) {
	var from uint64
	return q.change(ctx, id, func(j *job.Job) (bool, error) {
		if j.Live() {
			if from != 0 && j.Revision > from {
				return false, nil // written by an earlier try
			}
			return false, sdk.WithHint(sdk.Conflictf("job %s is %s", id, j.Status), "cancel it first")
		}
		from = j.Revision
		j.Status, j.Ended, j.Error, j.Cancel, j.Result = sdk.Pending, time.Time{}, nil, nil, nil
		j.Lost, j.Retries, j.Worker, j.NotBefore = 0, 0, "", time.Time{}
		return true, nil
	})
}

var idPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func validID(id string) bool { return idPattern.MatchString(id) }
