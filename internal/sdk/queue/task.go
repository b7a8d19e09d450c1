package queue

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// Task is one execution of a job, as its handler sees it. Safe for concurrent use.
type Task struct {
	worker  *Worker
	queue   *Queue
	claimed *job.Job
	tracker *tracker
	cancel  context.CancelCauseFunc
	cause   func() error  // why the handler's context ended; nil: it has not
	done    chan struct{} // closed when the handler has returned

	log *logWriter

	mu     sync.Mutex // held while the record is written
	record *job.Job   // as this worker last wrote or read it

	quick sync.Mutex // never held during a write
	held  time.Time  // when the last write that the store took was sent, by the monotonic clock
	files []job.Artifact
}

// newTask returns the task and the context that its handler gets.
func newTask(life context.Context, w *Worker, j *job.Job, sent time.Time) (context.Context, *Task) {
	t := &Task{worker: w, queue: w.queue, claimed: j, record: j, held: sent, tracker: newTracker(w.queue.opts.Now, j.Stages),
		done: make(chan struct{}), files: j.Files}
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(life)) // a worker that stops says so to each task
	t.cancel, t.cause = cancel, func() error { return context.Cause(ctx) }
	return ctx, t
}

// Job is the record at the start of this execution. Do not write to it.
func (t *Task) Job() *job.Job { return t.claimed }

// Decode reads the job's body; an unknown key is an ErrInvalid.
func (t *Task) Decode(v any) error {
	d := json.NewDecoder(bytes.NewReader(t.claimed.Body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return sdk.Invalidf("spec of job %s: %w", t.claimed.ID, err)
	}
	return nil
}

// Fence is the lease's revision: a later execution of the job has a higher one.
func (t *Task) Fence() uint64 { return t.claimed.Lease.Revision }

// Plan names the stages to come, in order, so that the percentage of the whole means something.
func (t *Task) Plan(stages ...string) { t.tracker.plan(stages) }

// Report is a sdk.ProgressFunc. It never blocks; the record follows within a second or so.
func (t *Task) Report(p sdk.Progress) { t.tracker.report(p) }

// Log adds a line to the job's log. It never blocks.
func (t *Task) Log(level slog.Level, format string, args ...any) {
	t.log.add(levelName(level), fmt.Sprintf(format, args...))
}

// Logger writes to the job's log.
func (t *Task) Logger(level slog.Leveler) *slog.Logger {
	return slog.New(&logHandler{task: t, level: level})
}

// AddArtifact lists a file that the job made. One with the same name is replaced.
func (t *Task) AddArtifact(a job.Artifact) {
	a.Worker = t.worker.spec.Name
	t.quick.Lock()
	defer t.quick.Unlock()
	files := make([]job.Artifact, 0, len(t.files)+1)
	for _, f := range t.files {
		if f.Name != a.Name {
			files = append(files, f)
		}
	}
	t.files = append(files, a)
}

// Check renews the lease now: nil says that the store still gives the job to this execution. Call it right before an effect that
// cannot be taken back. Errors: why the execution must end (ErrLeaseLost, ErrCanceled, ErrHandedBack); an sdk.ErrUnavailable when the
// store does not answer.
func (t *Task) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, t.queue.opts.AckWait/3)
	defer cancel()
	err := t.renew(ctx)
	if cause := t.cause(); err != nil && cause != nil {
		return fmt.Errorf("job %s: %w", t.claimed.ID, cause)
	}
	return err
}

// run runs the handler under the lease and writes what came of it.
func (t *Task) run(ctx context.Context) {
	q := t.queue
	opening, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.opts.AckWait/3)
	log, err := openLog(opening, q.store, t.claimed, q.opts.Now)
	cancel()
	if log == nil { // the store does not answer: give the job back as soon as it does
		close(t.done)
		t.end(ctx, nil, errors.Join(ErrHandedBack, err))
		return
	}
	t.log = log
	var keeper sync.WaitGroup
	keeper.Go(t.keep)
	result, err := t.call(ctx)
	close(t.done)
	keeper.Wait()
	t.end(ctx, result, err)
	t.cancel(nil)
}

// call runs the handler; a panic becomes an error, the daemon and its other jobs go on.
func (t *Task) call(ctx context.Context) (result any, err error) {
	defer func() {
		if v := recover(); v != nil {
			t.log.add("error", fmt.Sprintf("panic: %v\n%s", v, debug.Stack()))
			err = fmt.Errorf("the handler of %q jobs panicked: %v", t.claimed.Kind, v)
		}
	}()
	return t.worker.spec.Handlers[t.claimed.Kind](ctx, t)
}

// keep renews the lease, and with it writes the progress, until the handler returns. When the store does not take a renewal for
// two thirds of the ack-wait, it ends the handler's context; a handler that goes on even then is aborted before the ack-wait ends.
func (t *Task) keep() {
	wait := t.queue.opts.AckWait
	changed, stop := t.queue.cache.waker()
	defer stop()
	renew := time.NewTicker(min(wait/6, time.Second))
	defer renew.Stop()
	logs := time.NewTicker(logEvery)
	defer logs.Stop()
	guarded := make(chan struct{})
	go func() {
		defer close(guarded)
		t.guard()
	}()
	defer func() { <-guarded }()
	for {
		select {
		case <-t.done:
			return
		case <-logs.C:
			ctx, cancel := context.WithTimeout(context.Background(), wait/8) // a slow log must not cost the lease
			_ = t.log.flush(ctx)                                             // tried again with the next lines
			cancel()
		case <-changed:
			t.heed(t.queue.cache.job(t.claimed.ID))
		case <-renew.C:
			if errors.Is(t.cause(), ErrLeaseLost) {
				continue
			}
			if t.tracker.pending() || time.Since(t.lastHeld()) >= wait/3 {
				ctx, cancel := context.WithTimeout(context.Background(), wait/3)
				_ = t.renew(ctx) // guard ends the job when it goes on like this
				cancel()
			}
		}
	}
}

// guard watches the lease apart from the writes, which may hang.
func (t *Task) guard() {
	wait := t.queue.opts.AckWait
	for {
		left := time.Until(t.lastHeld().Add(wait * 2 / 3))
		if left <= 0 {
			break
		}
		timer := time.NewTimer(left)
		select {
		case <-t.done:
			timer.Stop()
			return
		case <-timer.C:
		}
	}
	t.cancel(ErrLeaseLost)
	t.log.add("warn", "the lease could not be renewed: stopping")
	timer := time.NewTimer(time.Until(t.lastHeld().Add(wait * 9 / 10)))
	defer timer.Stop()
	select {
	case <-t.done:
	case <-timer.C:
		t.queue.opts.Logger.Error("a job goes on without its lease", "job", t.claimed.ID)
		if t.worker.spec.Abort != nil {
			t.worker.spec.Abort(t.claimed.ID)
		}
	}
}

func (t *Task) lastHeld() time.Time {
	t.quick.Lock()
	defer t.quick.Unlock()
	return t.held
}

func (t *Task) hold(sent time.Time) {
	t.quick.Lock()
	defer t.quick.Unlock()
	if sent.After(t.held) {
		t.held = sent
	}
}

// heed acts on what others wrote into the record.
func (t *Task) heed(j *job.Job) {
	switch {
	case j == nil:
	case j.Revision < t.claimed.Revision:
	case !t.mine(j):
		t.cancel(ErrLeaseLost)
	case j.Cancel != nil:
		t.cancel(ErrCanceled)
	}
}

func (t *Task) mine(j *job.Job) bool {
	return j.Status == sdk.Running && j.Lease != nil && j.Lease.ID == t.claimed.Lease.ID
}

// renew writes the record with the progress of now. ErrLeaseLost: it is no longer this execution's.
func (t *Task) renew(ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for {
		next := clone(t.record)
		t.fill(next)
		next.Lease.Renewed = t.queue.opts.Now().UTC()
		data, err := encodeJob(next)
		if err != nil {
			return err
		}
		sent := time.Now()
		writes := []write{{key: jobPrefix + next.ID, data: data, expect: t.record.Revision}}
		err = t.queue.commit(ctx, writes)
		if err == nil {
			next.Revision = writes[0].expect
			t.record = next
			t.hold(sent)
			return nil
		}
		if !errors.Is(err, errStale) {
			return err
		}
		there, err := t.queue.readJob(ctx, next.ID, true)
		if err != nil && !errors.Is(err, sdk.ErrNotFound) {
			return err
		}
		if err != nil || !t.mine(there) {
			t.cancel(ErrLeaseLost)
			return fmt.Errorf("job %s: %w", next.ID, ErrLeaseLost)
		}
		t.record = there
		t.heed(there)
	}
}

// fill puts what the handler reported into j.
func (t *Task) fill(j *job.Job) {
	t.tracker.put(j)
	t.quick.Lock()
	defer t.quick.Unlock()
	j.Files = t.files
}

// end writes what came of the execution. It tries until the store answers: nobody else may write an end as long as this
// execution holds the record, and when it no longer does, its end is refused.
func (t *Task) end(ctx context.Context, result any, err error) {
	q := t.queue
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(2*q.opts.AckWait, 10*time.Second))
	defer cancel()
	data, err := encodeResult(result, err)
	if t.log != nil {
		if err != nil {
			t.log.add("error", err.Error())
		}
		if flushErr := t.log.flush(ctx); flushErr != nil && !errors.Is(flushErr, errStale) {
			q.opts.Logger.Warn("write the job's log", "job", t.claimed.ID, "error", flushErr)
		}
	}
	_, writeErr := q.change(ctx, t.claimed.ID, func(j *job.Job) (bool, error) {
		if !t.mine(j) {
			return false, nil // the end is written already, or the job is another's
		}
		t.fill(j)
		t.outcome(j, data, err)
		return true, nil
	})
	if writeErr != nil {
		q.opts.Logger.Warn("write the job's end", "job", t.claimed.ID, "error", writeErr)
	}
}

// outcome is the state machine's way out of running.
func (t *Task) outcome(j *job.Job, result json.RawMessage, err error) {
	now := t.queue.opts.Now().UTC()
	cause := t.cause()
	var partial *sdk.PartialError
	isPartial := errors.As(err, &partial) && len(partial.Done) > 0
	j.Lease, j.Lost = nil, 0
	switch {
	case err == nil || isPartial && cause == nil:
		j.Status, j.Result, j.Error, j.Ended = sdk.Succeeded, result, job.FromError(err), now
	case j.Cancel != nil:
		j.Status, j.Result, j.Ended = sdk.Canceled, result, now
		if !errors.Is(err, context.Canceled) && !errors.Is(err, ErrCanceled) {
			j.Error = job.FromError(err)
		}
	case errors.Is(cause, ErrHandedBack), errors.Is(cause, ErrLeaseLost), errors.Is(err, ErrHandedBack):
		j.Status = sdk.Pending
		return
	case errors.Is(err, sdk.ErrUnavailable) && j.Retries < j.MaxRetries:
		j.Retries++
		j.Status, j.Error, j.NotBefore = sdk.Pending, job.FromError(err), now.Add(retryAfter(j.Retries))
		return
	default:
		j.Status, j.Result, j.Error, j.Ended = sdk.Failed, result, job.FromError(err), now
	}
	closeStages(j, now)
}

// retryAfter doubles from 10 seconds to 10 minutes.
func retryAfter(n int) time.Duration {
	return min(10*time.Second<<min(n-1, 10), 10*time.Minute)
}

// encodeResult turns the handler's answer into JSON. One that cannot be kept does not undo the work: the error says so beside it.
func encodeResult(result any, err error) (json.RawMessage, error) {
	if result == nil {
		return nil, err
	}
	data, encodeErr := json.Marshal(result)
	switch {
	case encodeErr != nil:
		encodeErr = fmt.Errorf("the result cannot be recorded: %w", encodeErr)
	case len(data) > job.MaxResultBytes:
		encodeErr = fmt.Errorf("the result of %d bytes is not recorded: at most %d", len(data), job.MaxResultBytes)
	default:
		return job.RedactJSON(data), err
	}
	if err == nil {
		return nil, &sdk.PartialError{Done: []string{"the job"}, Failed: map[string]error{"result": encodeErr}}
	}
	return nil, err
}

func levelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	}
	return "error"
}
