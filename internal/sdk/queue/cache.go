package queue

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// The prefixes of keys.
const (
	jobPrefix      = "job."
	keyPrefix      = "key."
	limitPrefix    = "limit."
	schedulePrefix = "schedule."
	workerPrefix   = "worker."
)

// maxTombstones is how many deletions a watcher that was away can still learn of.
const maxTombstones = 4096

// cache is this node's copy of the records. What it hands out is shared: nobody writes to it.
type cache struct {
	mu        sync.RWMutex
	jobs      map[string]*entry
	live      map[string]*entry // of jobs: pending and running
	limits    map[string]*limit
	schedules map[string]*job.Schedule
	workers   map[string]*seenWorker
	notes     map[string]*note
	revs      map[string]uint64 // of every key seen, also of removed ones: nothing older comes back
	gone      []job.Update      // deletions, oldest first
	seq       uint64            // every change up to here was followed
	watches   map[*Watch]struct{}
	wakers    map[chan struct{}]struct{}
}

// entry is a job and when this node saw it change last, by its own monotonic clock.
type entry struct {
	job  *job.Job
	seen time.Time
}

type seenWorker struct {
	job.Worker
	at time.Time
}

func newCache() *cache {
	return &cache{jobs: map[string]*entry{}, live: map[string]*entry{}, limits: map[string]*limit{}, schedules: map[string]*job.Schedule{},
		workers: map[string]*seenWorker{}, notes: map[string]*note{}, revs: map[string]uint64{}, watches: map[*Watch]struct{}{}, wakers: map[chan struct{}]struct{}{}}
}

// follow takes a change in the store's order and tells the watchers.
func (c *cache) follow(r record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(r)
	c.seq = max(c.seq, r.rev)
	if id, ok := strings.CutPrefix(r.key, jobPrefix); ok {
		if r.data == nil {
			c.bury(job.Update{Seq: r.rev, ID: id, Deleted: true})
		}
		for w := range c.watches {
			w.mark(id)
		}
	}
}

// learn takes a record out of order: this node's own write, or a read from the store. Watchers hear of it when it is followed.
func (c *cache) learn(r record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(r)
}

func (c *cache) put(r record) {
	if r.rev <= c.revs[r.key] || strings.HasPrefix(r.key, keyPrefix) {
		return
	}
	c.revs[r.key] = r.rev
	prefix, name, _ := strings.Cut(r.key, ".")
	wake := true
	switch prefix + "." {
	case jobPrefix:
		wake = c.putJob(name, r)
	case limitPrefix:
		putJSON(c.limits, name, r, func(l *limit) { l.rev = r.rev })
	case schedulePrefix:
		putJSON(c.schedules, name, r, func(s *job.Schedule) { s.Revision = r.rev })
	case outboxPrefix:
		putJSON(c.notes, name, r, func(n *note) { n.rev, n.seen = r.rev, time.Now() })
		if r.data == nil {
			delete(c.revs, r.key) // a note is decided by compare-and-set: one that comes back does no harm
		}
	case workerPrefix:
		putJSON(c.workers, name, r, func(w *seenWorker) { w.at = time.Now() })
		wake = false
	}
	if wake {
		for waker := range c.wakers {
			select {
			case waker <- struct{}{}:
			default:
			}
		}
	}
}

func putJSON[T any](m map[string]*T, name string, r record, done func(*T)) {
	delete(m, name)
	if r.data == nil {
		return
	}
	v := new(T)
	if json.Unmarshal(r.data, v) == nil {
		done(v)
		m[name] = v
	}
}

// putJob says whether somebody who waits for work should look again.
func (c *cache) putJob(id string, r record) (wake bool) {
	before := c.jobs[id]
	delete(c.jobs, id)
	delete(c.live, id)
	j, err := decodeJob(r)
	if err != nil {
		return false
	}
	if j.Status == sdk.Running && j.Lease == nil {
		j.Lease = &job.Lease{} // no version of this program writes that
	}
	e := &entry{job: j, seen: time.Now()}
	c.jobs[id] = e
	if j.Live() {
		c.live[id] = e
	}
	return before == nil || before.job.Status != j.Status || before.job.Cancel != j.Cancel
}

func (c *cache) bury(u job.Update) {
	c.gone = append(c.gone, u)
	for len(c.gone) > maxTombstones {
		delete(c.revs, jobPrefix+c.gone[0].ID)
		c.gone = c.gone[1:]
	}
}

func (c *cache) job(id string) *job.Job {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if e := c.jobs[id]; e != nil {
		return e.job
	}
	return nil
}

// liveJobs are the live jobs of a status, in no order.
func (c *cache) liveJobs(status sdk.Status) []*entry {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var found []*entry
	for _, e := range c.live {
		if e.job.Status == status {
			found = append(found, e)
		}
	}
	return found
}

func (c *cache) limit(name string) *limit {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.limits[name]
}

// waker is a channel that gets a value when there may be work.
func (c *cache) waker() (wake chan struct{}, stop func()) {
	wake = make(chan struct{}, 1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wakers[wake] = struct{}{}
	return wake, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.wakers, wake)
	}
}

func sorted[T any, K cmp.Ordered](m map[K]T, compare func(a, b T) int) []T {
	all := make([]T, 0, len(m))
	for _, v := range m {
		all = append(all, v)
	}
	slices.SortFunc(all, compare)
	return all
}

func decodeJob(r record) (*job.Job, error) {
	if r.data == nil {
		return nil, sdk.NotFoundf("job %q not found", strings.TrimPrefix(r.key, jobPrefix))
	}
	j := new(job.Job)
	if err := json.Unmarshal(r.data, j); err != nil {
		return nil, err
	}
	j.Revision = r.rev
	return j, nil
}
