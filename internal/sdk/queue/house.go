package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// reapLost takes jobs from workers that did not renew for the ack-wait. Each node measures by its own monotonic clock since it
// saw the record change last, so no two clocks are compared; the write names the revision that was seen, so a worker that
// renewed meanwhile keeps its job. While this node was cut off it saw nothing: its watch begins anew with the connection.
func (q *Queue) reapLost(ctx context.Context) {
	linked := q.birth.Add(time.Duration(q.linked.Load()))
	for _, e := range q.cache.liveJobs(sdk.Running) {
		wait := max(q.opts.AckWait, time.Duration(e.job.Lease.WaitMS)*time.Millisecond) // nodes may have different ones
		if time.Since(e.seen) < wait || time.Since(linked) < wait || ctx.Err() != nil {
			continue
		}
		if err := q.reap(ctx, e.job); err != nil && !errors.Is(err, errTaken) && ctx.Err() == nil {
			q.opts.Logger.Warn("take a job from a silent worker", "job", e.job.ID, "worker", e.job.Worker, "error", err)
		}
	}
}

func (q *Queue) reap(ctx context.Context, seen *job.Job) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := q.change(ctx, seen.ID, func(j *job.Job) (bool, error) {
		if j.Revision != seen.Revision {
			return false, errTaken
		}
		now := q.opts.Now().UTC()
		worker := j.Worker
		j.Lease, j.Lost = nil, j.Lost+1
		switch {
		case j.Cancel != nil:
			j.Status, j.Ended = sdk.Canceled, now
		case j.Lost >= q.opts.MaxDeliveries:
			j.Status, j.Ended = sdk.Failed, now
			j.Error = &job.Error{Kind: job.KindWorkerLost,
				Text:  fmt.Sprintf("%d workers in a row died or fell silent while they ran it, the last was %s", j.Lost, worker),
				Hints: []string{"look into the job's log and the worker's for what kills it, then retry the job"}}
		default:
			j.Status = sdk.Pending
			return true, nil
		}
		closeStages(j, now)
		return true, nil
	})
	return err
}

// sweep removes ended jobs that are too old or too many, with their logs, and workers that were not heard of for a day.
func (q *Queue) sweep(ctx context.Context) {
	oldest := q.opts.Now().Add(-q.opts.KeepFor)
	for i, j := range q.ended() {
		if ctx.Err() != nil {
			return
		}
		if i < q.opts.KeepNumber && j.Ended.After(oldest) {
			continue
		}
		if err := q.remove(ctx, j); err != nil && !errors.Is(err, errStale) && ctx.Err() == nil {
			q.opts.Logger.Warn("remove an old job", "job", j.ID, "error", err)
		}
	}
	q.cache.mu.RLock()
	var silent []write
	for name, w := range q.cache.workers {
		if time.Since(w.at) > 24*time.Hour {
			silent = append(silent, write{key: workerPrefix + name, remove: true, expect: q.cache.revs[workerPrefix+name]})
		}
	}
	q.cache.mu.RUnlock()
	for _, w := range silent {
		_ = q.commit(ctx, []write{w}) // a worker that came back has written meanwhile
	}
}

// ended are the jobs that have ended, the latest first.
func (q *Queue) ended() []*job.Job {
	q.cache.mu.RLock()
	var ended []*job.Job
	for _, e := range q.cache.jobs {
		if !e.job.Live() {
			ended = append(ended, e.job)
		}
	}
	q.cache.mu.RUnlock()
	slices.SortFunc(ended, func(a, b *job.Job) int {
		if c := b.Ended.Compare(a.Ended); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	return ended
}

func (q *Queue) remove(ctx context.Context, j *job.Job) error {
	if err := q.commit(ctx, []write{{key: jobPrefix + j.ID, remove: true, expect: j.Revision}}); err != nil {
		return err
	}
	return engineErr("remove the log", q.store.logs.Purge(ctx, jetstream.WithPurgeSubject(q.store.logSubject(j.ID))))
}

// Delete removes an ended job and its log. Errors: ErrNotFound; ErrConflict when it lives.
func (q *Queue) Delete(ctx context.Context, id string) error {
	for {
		j, err := q.readJob(ctx, id, true)
		if err != nil {
			return err
		}
		if j.Live() {
			return sdk.WithHint(sdk.Conflictf("job %s is %s", id, j.Status), "cancel it first")
		}
		if err := q.remove(ctx, j); !errors.Is(err, errStale) {
			return err
		}
	}
}
