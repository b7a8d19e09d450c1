package queue

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

const defaultPage = 100

// Get reads one job from the store: ErrNotFound when it does not exist, or no longer.
func (q *Queue) Get(ctx context.Context, id string) (*job.Job, error) {
	j, err := q.readJob(ctx, id, true)
	if err != nil {
		return nil, err
	}
	return q.explained(j), nil
}

// List answers from memory, newest jobs first: what this node wrote is in it, what others wrote a moment ago may not be.
func (q *Queue) List(f job.Filter) (*job.Page, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	set(&f.Limit, defaultPage)
	q.cache.mu.RLock()
	page := &job.Page{Jobs: []*job.Job{}, Seq: q.cache.seq}
	var chosen []*job.Job
	for _, e := range q.cache.jobs {
		if f.Match(e.job) {
			chosen = append(chosen, e.job)
		}
	}
	q.cache.mu.RUnlock()
	page.Total = len(chosen)
	slices.SortFunc(chosen, func(a, b *job.Job) int { return strings.Compare(b.ID, a.ID) })
	if f.After != "" {
		i, _ := slices.BinarySearchFunc(chosen, f.After, func(j *job.Job, after string) int { return strings.Compare(after, j.ID) })
		chosen = slices.DeleteFunc(chosen[i:], func(j *job.Job) bool { return j.ID == f.After })
	}
	if len(chosen) > f.Limit {
		chosen = chosen[:f.Limit]
		page.Next = chosen[f.Limit-1].ID
	}
	for _, j := range chosen {
		page.Jobs = append(page.Jobs, q.explained(j))
	}
	return page, nil
}

// Counts are the jobs of each status, of each kind: what a metrics page shows.
func (q *Queue) Counts() map[string]map[sdk.Status]int {
	q.cache.mu.RLock()
	defer q.cache.mu.RUnlock()
	counts := map[string]map[sdk.Status]int{}
	for _, e := range q.cache.jobs {
		if counts[e.job.Kind] == nil {
			counts[e.job.Kind] = map[sdk.Status]int{}
		}
		counts[e.job.Kind][e.job.Status]++
	}
	return counts
}

// Workers are those heard of within three ack-waits, by name.
func (q *Queue) Workers() []job.Worker {
	q.cache.mu.RLock()
	defer q.cache.mu.RUnlock()
	workers := []job.Worker{}
	for _, w := range sorted(q.cache.workers, func(a, b *seenWorker) int { return strings.Compare(a.Name, b.Name) }) {
		if time.Since(w.at) < 3*q.opts.AckWait {
			workers = append(workers, w.Worker)
		}
	}
	return workers
}

// explained is j with the reason why it waits.
func (q *Queue) explained(j *job.Job) *job.Job {
	c := *j
	if c.Status == sdk.Pending {
		c.Waiting = q.waiting(&c)
	}
	return &c
}

func (q *Queue) waiting(j *job.Job) string {
	now := q.opts.Now()
	if at := q.startsAt(j, now); at.After(now) {
		return "starts at " + at.UTC().Format(time.RFC3339) + " at the earliest"
	}
	workers := q.Workers()
	able := slices.DeleteFunc(workers, func(w job.Worker) bool { return !slices.Contains(w.Kinds, j.Kind) || !carries(w.Labels, j.Placement) })
	if len(able) == 0 && len(j.Placement) > 0 {
		return fmt.Sprintf("no worker runs jobs of kind %q with labels %s", j.Kind, labelText(j.Placement))
	}
	if len(able) == 0 {
		return fmt.Sprintf("no worker runs jobs of kind %q", j.Kind)
	}
	if limited := q.limited(j); limited != nil {
		return limited.Error()
	}
	free := slices.ContainsFunc(able, func(w job.Worker) bool { return len(w.Running) < w.Slots })
	if !free {
		return fmt.Sprintf("all %d workers that may run it are busy", len(able))
	}
	return "" // it starts any moment
}

// startsAt is the earliest instant, not before now, at which j's times allow it to start.
func (q *Queue) startsAt(j *job.Job, now time.Time) time.Time {
	at := now
	if j.NotBefore.After(at) {
		at = j.NotBefore
	}
	if j.Window != nil {
		if open, err := j.Window.Next(at); err == nil {
			at = open
		}
	}
	return at
}

func carries(labels, wanted map[string]string) bool {
	for name, value := range wanted {
		if got, ok := labels[name]; !ok || got != value {
			return false
		}
	}
	return true
}

func labelText(labels map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, name+"="+labels[name])
	}
	return strings.Join(parts, ",")
}
