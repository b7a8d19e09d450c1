package queue

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// outboxPrefix is of the notes that a job ended and somebody is to be told.
const outboxPrefix = "ended."

// maxTellings is how often a sink is tried before the queue gives up on it: with the doubling pauses, for about two days.
const maxTellings = 20

// note is written in the batch that ends a job, so that no end is forgotten, whoever dies.
type note struct {
	Done  []string  `json:"done,omitempty"` // sinks that took it
	Tries int       `json:"tries"`
	Next  time.Time `json:"next,omitzero"` // not before
	Taken string    `json:"taken,omitempty"`
	rev   uint64
	seen  time.Time // by this node's monotonic clock
}

// Sink is told of a job's end. An ErrUnavailable is tried again, with growing pauses; any other error is final.
type Sink func(ctx context.Context, j *job.Job) error

// OnEnd tells the sinks, by name, of every job that ends, until ctx ends; it blocks. It needs Options.Outbox. However many nodes do
// this, one tells; each sink is told at least once, and more than once only when a node died between telling and noting it.
func (q *Queue) OnEnd(ctx context.Context, sinks map[string]Sink) error {
	if !q.opts.Outbox {
		return sdk.Invalidf("the queue keeps no outbox: nobody would be told")
	}
	wake, stop := q.cache.waker()
	defer stop()
	tick := time.NewTicker(q.opts.Tick)
	defer tick.Stop()
	for {
		for id, n := range q.dueNotes() {
			if err := q.tell(ctx, id, n, sinks); err != nil && !errors.Is(err, errStale) && ctx.Err() == nil {
				q.opts.Logger.Warn("tell of a job's end", "job", id, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake:
		case <-tick.C:
		}
	}
}

// dueNotes are the notes that may be taken: nobody has them, or whoever had them did not finish for an ack-wait and a minute.
func (q *Queue) dueNotes() map[string]note {
	now := q.opts.Now()
	q.cache.mu.RLock()
	defer q.cache.mu.RUnlock()
	due := map[string]note{}
	for id, n := range q.cache.notes {
		if !n.Next.After(now) && (n.Taken == "" || time.Since(n.seen) > q.opts.AckWait+time.Minute) {
			due[id] = *n
		}
	}
	return due
}

func (q *Queue) tell(ctx context.Context, id string, n note, sinks map[string]Sink) error {
	n.Taken, n.Tries = q.name, n.Tries+1
	if err := q.putNote(ctx, id, &n); err != nil {
		return err
	}
	j, err := q.readJob(ctx, id, true)
	if errors.Is(err, sdk.ErrNotFound) || err == nil && j.Live() { // removed, or retried meanwhile
		return q.dropNote(ctx, id, n)
	}
	if err != nil {
		return err
	}
	later := false
	for _, name := range slices.Sorted(maps.Keys(sinks)) {
		if slices.Contains(n.Done, name) {
			continue
		}
		bounded, cancel := context.WithTimeout(ctx, time.Minute/time.Duration(len(sinks)))
		err := sinks[name](bounded, j)
		cancel()
		if err != nil {
			q.opts.Logger.Warn("tell of a job's end", "job", id, "sink", name, "try", n.Tries, "error", job.Redact(err.Error()))
		}
		if errors.Is(err, sdk.ErrUnavailable) && n.Tries < maxTellings {
			later = true
			continue
		}
		n.Done = append(n.Done, name)
		if err := q.putNote(ctx, id, &n); err != nil {
			return err
		}
	}
	if !later {
		return q.dropNote(ctx, id, n)
	}
	n.Taken, n.Next = "", q.opts.Now().UTC().Add(min(10*time.Second<<min(n.Tries-1, 10), 4*time.Hour))
	return q.putNote(ctx, id, &n)
}

func (q *Queue) putNote(ctx context.Context, id string, n *note) error {
	w := noteWrite(id, n)
	writes := []write{w}
	err := q.commit(context.WithoutCancel(ctx), writes)
	n.rev = writes[0].expect
	return err
}

func (q *Queue) dropNote(ctx context.Context, id string, n note) error {
	return q.commit(context.WithoutCancel(ctx), []write{{key: outboxPrefix + id, remove: true, expect: n.rev}})
}

func noteWrite(id string, n *note) write {
	data, _ := json.Marshal(n) // strings and numbers encode
	return write{key: outboxPrefix + id, data: data, expect: n.rev}
}
