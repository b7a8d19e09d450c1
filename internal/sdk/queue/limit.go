package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// limit is the record of who uses a shared thing. It is written in the batch that starts or ends a job, so it is exact over all
// nodes.
type limit struct {
	Kind    string   `json:"kind"` // source or target
	Name    string   `json:"name"`
	Holders []string `json:"holders"` // ids of running jobs
	rev     uint64
}

// limitedError says that a job must wait for a shared thing.
type limitedError struct {
	kind, name string
	max        int
}

func (e *limitedError) Error() string {
	return fmt.Sprintf("%s %s runs %d jobs, its limit", e.kind, e.name, e.max)
}

// limitsOf are the empty limits that a job falls under.
func limitsOf(j *job.Job) []limit {
	var all []limit
	if j.Limits.Source != "" {
		all = append(all, limit{Kind: "source", Name: j.Limits.Source})
	}
	if j.Limits.Target != "" {
		all = append(all, limit{Kind: "target", Name: j.Limits.Target})
	}
	return all
}

func (l *limit) key() string { return digest(l.Kind, l.Name) }

func (q *Queue) most(l *limit) int {
	if l.Kind == "source" {
		return q.opts.PerSource
	}
	return q.opts.PerTarget
}

// limited says, from memory, what j has to wait for; nil: nothing.
func (q *Queue) limited(j *job.Job) *limitedError {
	for _, l := range limitsOf(j) {
		most := q.most(&l)
		known := q.cache.limit(l.key())
		if most > 0 && known != nil && len(known.Holders) >= most && !slices.Contains(known.Holders, j.ID) {
			return &limitedError{l.Kind, l.Name, most}
		}
	}
	return nil
}

// limitWrites makes j a holder of its limits, or takes it off. A limitedError says that there is no room.
func (q *Queue) limitWrites(ctx context.Context, j *job.Job, holds bool) ([]write, error) {
	var writes []write
	for _, l := range limitsOf(j) {
		r, err := q.store.get(ctx, limitPrefix+l.key())
		if err != nil {
			return nil, err
		}
		if r.data != nil {
			if err := json.Unmarshal(r.data, &l); err != nil {
				return nil, err
			}
		}
		l.Holders = slices.DeleteFunc(l.Holders, func(id string) bool { return id == j.ID })
		if most := q.most(&l); holds && most > 0 && len(l.Holders) >= most {
			if err := q.dropDead(ctx, &l); err != nil {
				return nil, err
			}
			if len(l.Holders) >= most {
				q.cache.learn(r)
				return nil, &limitedError{l.Kind, l.Name, most}
			}
		}
		if holds {
			l.Holders = append(l.Holders, j.ID)
		}
		data, err := json.Marshal(&l)
		if err != nil {
			return nil, err
		}
		w := write{key: limitPrefix + l.key(), data: data, expect: r.rev}
		if len(l.Holders) == 0 {
			w.data, w.remove = nil, true
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// dropDead drops holders that do not run, which only a torn write leaves behind.
func (q *Queue) dropDead(ctx context.Context, l *limit) error {
	var running []string
	for _, id := range l.Holders {
		j, err := q.readJob(ctx, id, true)
		if err != nil && !errors.Is(err, sdk.ErrNotFound) {
			return err
		}
		if err == nil && j.Status == sdk.Running {
			running = append(running, id)
		}
	}
	l.Holders = running
	return nil
}
