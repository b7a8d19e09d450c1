package queue

import (
	"context"
	"slices"
	"sync"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// Watch is one follower of changes. A slow one never makes the queue wait and never loses a job's last state: changes of one
// job that it has not taken yet are merged into the latest.
type Watch struct {
	// Updates has every change after the starting point; it is closed when the watch's context ends, or the queue. Its Seq resumes
	// the watch elsewhere.
	Updates <-chan job.Update

	queue  *Queue
	filter job.Filter
	mu     sync.Mutex
	dirty  map[string]struct{} // ids to look at
	wake   chan struct{}
}

// Watch follows the jobs that the filter chooses, from the sequence number of a page or an update on; 0 begins with every job
// there is. The filter's status is not looked at: a follower wants to see a job leave. A number from the future, of a queue that
// was made anew, counts as 0. Deletions are told whatever the filter, unless it has an ID.
func (q *Queue) Watch(ctx context.Context, since uint64, filter job.Filter) (*Watch, error) {
	if err := filter.Validate(); err != nil {
		return nil, err
	}
	filter.Status = nil
	updates := make(chan job.Update)
	w := &Watch{Updates: updates, queue: q, filter: filter, dirty: map[string]struct{}{}, wake: make(chan struct{}, 1)}
	c := q.cache
	c.mu.Lock()
	if since > c.seq {
		since = 0
	}
	for id, e := range c.jobs {
		if e.job.Revision > since {
			w.mark(id)
		}
	}
	if since > 0 { // who begins now has nothing to forget
		for _, u := range c.gone {
			if u.Seq > since {
				w.mark(u.ID)
			}
		}
	}
	c.watches[w] = struct{}{}
	c.mu.Unlock()
	q.goes(func() { w.run(ctx, updates) })
	return w, nil
}

// mark notes that a job changed. It never blocks.
func (w *Watch) mark(id string) {
	w.mu.Lock()
	w.dirty[id] = struct{}{}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Watch) run(ctx context.Context, updates chan<- job.Update) {
	defer close(updates)
	defer func() {
		w.queue.cache.mu.Lock()
		defer w.queue.cache.mu.Unlock()
		delete(w.queue.cache.watches, w)
	}()
	for {
		for _, u := range w.take() {
			select {
			case updates <- u:
			case <-ctx.Done():
				return
			case <-w.queue.closed:
				return
			}
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return
		case <-w.queue.closed:
			return
		}
	}
}

// take returns what changed, in the store's order. No update's Seq passes what was followed, for a change that this node
// learned out of order may stand before one it has not seen.
func (w *Watch) take() []job.Update {
	c := w.queue.cache
	c.mu.RLock()
	defer c.mu.RUnlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []job.Update
	for id := range w.dirty {
		if w.filter.ID != "" && w.filter.ID != id {
			continue
		}
		if e := c.jobs[id]; e != nil {
			if w.filter.Match(e.job) {
				all = append(all, job.Update{Seq: e.job.Revision, ID: id, Job: e.job})
			}
		} else if rev := c.revs[jobPrefix+id]; rev > 0 {
			all = append(all, job.Update{Seq: rev, ID: id, Deleted: true})
		}
	}
	clear(w.dirty)
	slices.SortFunc(all, func(a, b job.Update) int { return int(int64(a.Seq) - int64(b.Seq)) })
	for i := range all {
		all[i].Seq = min(all[i].Seq, c.seq)
	}
	return all
}

// Wait follows one job to its end and returns it; with a context that ends first, it returns the context's error.
func (q *Queue) Wait(ctx context.Context, id string, each func(*job.Job)) (*job.Job, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j, err := q.readJob(ctx, id, true)
	if err != nil {
		return nil, err
	}
	q.cache.mu.RLock()
	since := min(j.Revision-1, q.cache.seq)
	q.cache.mu.RUnlock()
	w, err := q.Watch(ctx, since, job.Filter{ID: id})
	if err != nil {
		return nil, err
	}
	for u := range w.Updates {
		switch {
		case u.ID != id:
		case u.Deleted:
			return q.Get(ctx, id)
		default:
			if each != nil {
				each(u.Job)
			}
			if !u.Job.Live() {
				return u.Job, nil
			}
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, sdk.Unavailablef("wait for job %s: the queue was closed", id)
}
