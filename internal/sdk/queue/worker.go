package queue

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// The causes with which a handler's context ends (context.Cause).
var (
	// ErrCanceled: somebody asked the job to cancel.
	ErrCanceled = errors.New("the job was canceled")
	// ErrLeaseLost: the worker could not renew its lease, or lost it. Whatever the handler still did is not its right.
	ErrLeaseLost = errors.New("the worker lost its lease of the job")
	// ErrHandedBack: the worker stops. The job goes on elsewhere, so what it has done so far should be left for a resume.
	ErrHandedBack = errors.New("the worker stops and hands the job back")
)

// Handler runs a job of one kind. Its answer becomes the job's result, as JSON; a *sdk.PartialError with something done lets the
// job succeed with that error in its record. It must return soon after ctx ends. The same job may be run again after a worker
// died or stopped, with what it left behind on disk.
type Handler func(ctx context.Context, t *Task) (result any, err error)

// WorkerSpec says what a worker runs. Name and Handlers are required.
type WorkerSpec struct {
	Name     string             // of this worker, for people; unique among those that live
	Labels   map[string]string  // that Spec.Placement asks for; "worker" is always the name
	Slots    int                // jobs at once; 0: 1
	Handlers map[string]Handler // by kind
	Version  string             // of this program, for people

	// Abort is called when a handler goes on although its lease is lost and its context has ended: the job is about to start
	// elsewhere. A daemon ends its process here; nil only logs.
	Abort func(jobID string)
}

// Worker runs jobs of a queue until it is stopped.
type Worker struct {
	queue  *Queue
	spec   WorkerSpec
	since  time.Time
	cancel context.CancelFunc // of both loops
	wake   chan struct{}
	loop   sync.WaitGroup
	jobs   sync.WaitGroup

	mu    sync.Mutex
	tasks map[string]*Task
}

// Work starts a worker. It runs until Stop.
func (q *Queue) Work(spec WorkerSpec) (*Worker, error) {
	set(&spec.Slots, 1)
	switch {
	case !job.ValidName(spec.Name):
		return nil, sdk.Invalidf("worker name %q: letters, digits, dash, dot and underscore, at most 100", spec.Name)
	case len(spec.Handlers) == 0:
		return nil, sdk.Invalidf("worker %s has no handlers", spec.Name)
	case spec.Slots < 0:
		return nil, sdk.Invalidf("worker %s: %d slots", spec.Name, spec.Slots)
	}
	spec.Labels = maps.Clone(spec.Labels)
	if spec.Labels == nil {
		spec.Labels = map[string]string{}
	}
	spec.Labels["worker"] = spec.Name
	w := &Worker{queue: q, spec: spec, since: q.opts.Now().UTC(), tasks: map[string]*Task{}}
	life, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	wake, stopWake := q.cache.waker()
	w.wake = wake
	w.loop.Go(func() {
		defer stopWake()
		w.dispatch(life)
	})
	w.loop.Go(func() { w.announce(life) })
	return w, nil
}

// Stop takes no more jobs, ends the context of those that run with ErrHandedBack, and waits for them until ctx ends. Their jobs
// are pending again as soon as their handlers return. When ctx ends first, what still runs is left to its lease: the error says
// which jobs.
func (w *Worker) Stop(ctx context.Context) error {
	w.cancel()
	w.loop.Wait() // from here on, tasks only become fewer
	w.mu.Lock()
	for _, t := range w.tasks {
		t.cancel(ErrHandedBack)
	}
	w.mu.Unlock()
	done := make(chan struct{})
	go func() {
		w.jobs.Wait()
		close(done)
	}()
	select {
	case <-done:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_, _ = w.queue.store.commit(ctx, write{key: workerPrefix + digest(w.spec.Name), remove: true, blind: true}) // else it is forgotten
		return nil
	case <-ctx.Done():
		return sdk.Unavailablef("jobs %s did not stop in time", strings.Join(w.running(), ", "))
	}
}

func (w *Worker) running() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.tasks))
}

// dispatch claims jobs as long as there is room.
func (w *Worker) dispatch(life context.Context) {
	tick := time.NewTicker(w.queue.opts.Tick)
	defer tick.Stop()
	for {
		w.fill(life)
		select {
		case <-life.Done():
			return
		case <-w.wake:
		case <-tick.C:
		}
	}
}

// fill claims the best jobs that this worker may run, until it is full or there are none.
func (w *Worker) fill(life context.Context) {
	if w.free() == 0 {
		return
	}
	for _, j := range w.candidates() {
		if life.Err() != nil || w.free() == 0 {
			return
		}
		if w.queue.limited(j) == nil {
			w.claim(life, j)
		}
	}
}

func (w *Worker) free() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.spec.Slots - len(w.tasks)
}

// candidates are the pending jobs that this worker could start now, the most urgent first.
func (w *Worker) candidates() []*job.Job {
	now := w.queue.opts.Now()
	var found []*job.Job
	for _, e := range w.queue.cache.liveJobs(sdk.Pending) {
		if w.spec.Handlers[e.job.Kind] != nil && carries(w.spec.Labels, e.job.Placement) && !w.queue.startsAt(e.job, now).After(now) {
			found = append(found, e.job)
		}
	}
	slices.SortFunc(found, func(a, b *job.Job) int {
		if a.Priority != b.Priority {
			return b.Priority - a.Priority
		}
		return strings.Compare(a.ID, b.ID)
	})
	return found
}

// claim takes the job if it still is as this node knows it, and starts it.
func (w *Worker) claim(life context.Context, known *job.Job) {
	q := w.queue
	id := uuid.NewString()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(life), q.opts.AckWait/2) // a claim under way is finished
	defer cancel()
	var sent time.Time
	j, err := q.change(ctx, known.ID, func(j *job.Job) (bool, error) {
		if j.Lease != nil && j.Lease.ID == id {
			return false, nil // written by an earlier try
		}
		if j.Revision != known.Revision || j.Status != sdk.Pending {
			return false, errTaken
		}
		sent = time.Now() // the lease begins no later than the store sees this write
		now := q.opts.Now().UTC()
		j.Status, j.Started, j.Attempts, j.Worker = sdk.Running, now, j.Attempts+1, w.spec.Name
		j.Lease = &job.Lease{ID: id, Worker: w.spec.Name, Revision: j.Revision, WaitMS: q.opts.AckWait.Milliseconds(), Claimed: now, Renewed: now}
		return true, nil
	})
	if errors.Is(err, sdk.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		w.jobs.Go(func() { w.giveBack(life, known.ID, id) })
	}
	if err != nil || j.Lease == nil || j.Lease.ID != id {
		return // somebody else was faster, or the limits are full
	}
	running, t := newTask(life, w, j, sent)
	w.mu.Lock()
	w.tasks[j.ID] = t
	w.mu.Unlock()
	w.jobs.Go(func() {
		t.run(running)
		w.mu.Lock()
		delete(w.tasks, j.ID)
		w.mu.Unlock()
		select {
		case w.wake <- struct{}{}:
		default:
		}
	})
}

// giveBack undoes a claim whose answer was lost, if it was made.
func (w *Worker) giveBack(life context.Context, id, lease string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(life), w.queue.opts.AckWait)
	defer cancel()
	_, err := w.queue.change(ctx, id, func(j *job.Job) (bool, error) {
		if j.Lease == nil || j.Lease.ID != lease {
			return false, nil
		}
		j.Status, j.Lease = sdk.Pending, nil
		return true, nil
	})
	if err != nil {
		w.queue.opts.Logger.Warn("give a claim back", "job", id, "error", err) // its lease ends by itself
	}
}

// announce tells the queue about this worker.
func (w *Worker) announce(life context.Context) {
	for {
		me := job.Worker{Name: w.spec.Name, Labels: w.spec.Labels, Kinds: slices.Sorted(maps.Keys(w.spec.Handlers)), Slots: w.spec.Slots,
			Running: w.running(), Version: w.spec.Version, Since: w.since, Seen: w.queue.opts.Now().UTC()}
		if data, err := json.Marshal(&me); err == nil {
			if _, err := w.queue.store.commit(life, write{key: workerPrefix + digest(me.Name), data: data, blind: true}); err != nil && life.Err() == nil {
				w.queue.opts.Logger.Warn("announce worker", "worker", me.Name, "error", err)
			}
		}
		if !pause(life, w.queue.opts.AckWait/3) {
			return
		}
	}
}
