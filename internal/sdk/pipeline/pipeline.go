package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
)

// stateSection is where the journal keeps the state between stages.
const stateSection = "state"

// undoTimeout bounds the clean-up after a failure.
const undoTimeout = 2 * time.Minute

// Stage is one entry of a pipeline over a state S. S marshals to JSON: its exported fields are what a resume knows.
type Stage[S any] interface {
	Name() string
	// Inputs is what the stage is asked to do, hashed to decide whether an earlier run's success still counts.
	Inputs(s *S) any
	Run(ctx context.Context, s *S, report sdk.ProgressFunc) error
}

// Undoer is a stage that can take back what it did when a later stage fails for good.
type Undoer[S any] interface {
	Undo(ctx context.Context, s *S) error
}

// Checker is a stage whose earlier success must be looked at before it is believed: files may be gone.
type Checker[S any] interface {
	// Stands returns nil when the result still stands, or the reason why the stage must run again.
	Stands(ctx context.Context, s *S) error
}

// StageError says which stage failed.
type StageError struct {
	Stage string
	Err   error
}

func (e *StageError) Error() string { return e.Stage + ": " + e.Err.Error() }

// Unwrap returns the stage's own error.
func (e *StageError) Unwrap() error { return e.Err }

// Run runs the stages in order. The journal's state is loaded into s before the first one.
func Run[S any](ctx context.Context, j *journal.Journal, stages []Stage[S], s *S, report sdk.ProgressFunc) error {
	if _, err := j.Get(stateSection, s); err != nil {
		return err
	}
	r := &runner[S]{j: j, s: s, report: report}
	for i, stage := range stages {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.stage(ctx, stage, stages[i+1:]); err != nil {
			if r.mayUndo(ctx, err) {
				err = errors.Join(err, r.undo(ctx, stages[:i+1]))
			}
			return err
		}
	}
	return nil
}

// Forward is a state that can say that from here on there is no way back: then nothing is undone.
type Forward interface {
	OnlyForward() bool
}

// recordError says that a stage did its work and the journal could not be written: a full disk must not tear down what runs.
type recordError struct{ err error }

func (e *recordError) Error() string { return "write down what was done: " + e.err.Error() }
func (e *recordError) Unwrap() error { return e.err }

type runner[S any] struct {
	j      *journal.Journal
	s      *S
	report sdk.ProgressFunc
	chain  string // hash over the inputs of all stages so far: an earlier change invalidates what follows
	rerun  bool   // a stage ran, so those after it run too
}

// stage runs one stage, or skips it. What comes after one that runs is forgotten first: were the process killed between the
// two, a later stage's old success would otherwise stand on a result that is gone.
func (r *runner[S]) stage(ctx context.Context, stage Stage[S], later []Stage[S]) error {
	name := stage.Name()
	inputs, err := hash(r.chain, name, stage.Inputs(r.s))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.chain = inputs
	if !r.rerun && r.stands(ctx, stage, inputs) {
		r.report.Report(sdk.Progress{Stage: name, Status: sdk.Succeeded, Message: "done in an earlier run"})
		return nil
	}
	r.rerun = true
	if err := r.j.Forget(names(later)...); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	rec := journal.Stage{Status: sdk.Running, Inputs: inputs, StartedAt: time.Now().UTC()}
	if err := r.j.SetStage(name, rec); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	r.report.Report(sdk.Progress{Stage: name, Status: sdk.Running})
	err = stage.Run(ctx, r.s, r.report)
	rec.EndedAt = time.Now().UTC()
	switch {
	case err == nil:
		rec.Status = sdk.Succeeded
		err = recorded(r.j.Put(stateSection, r.s))
	case ctx.Err() != nil:
		rec.Status, rec.Error = sdk.Canceled, err.Error()
	default:
		rec.Status, rec.Error = sdk.Failed, err.Error()
	}
	if jerr := r.j.SetStage(name, rec); err == nil {
		err = recorded(jerr)
	}
	r.report.Report(sdk.Progress{Stage: name, Status: rec.Status, Message: rec.Error})
	if err != nil {
		return &StageError{Stage: name, Err: err}
	}
	return nil
}

func (r *runner[S]) stands(ctx context.Context, stage Stage[S], inputs string) bool {
	rec := r.j.Stage(stage.Name())
	if rec.Status != sdk.Succeeded || rec.Inputs != inputs {
		return false
	}
	if c, ok := stage.(Checker[S]); ok {
		if err := c.Stands(ctx, r.s); err != nil {
			r.report.Report(sdk.Progress{Stage: stage.Name(), Message: "runs again: " + err.Error()})
			return false
		}
	}
	return true
}

// undo takes back, last first, what can be taken back; the journal forgets those stages so that they run again.
func (r *runner[S]) undo(ctx context.Context, ran []Stage[S]) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
	defer cancel()
	var errs []error
	for i := len(ran) - 1; i >= 0; i-- {
		u, ok := ran[i].(Undoer[S])
		if !ok {
			continue
		}
		if err := u.Undo(ctx, r.s); err != nil {
			errs = append(errs, fmt.Errorf("undo %s: %w", ran[i].Name(), err))
			continue
		}
		errs = append(errs, r.j.Forget(ran[i].Name()))
	}
	return errors.Join(errs...)
}

func (r *runner[S]) mayUndo(ctx context.Context, err error) bool {
	var unrecorded *recordError
	f, ok := any(r.s).(Forward)
	return ctx.Err() == nil && !errors.As(err, &unrecorded) && (!ok || !f.OnlyForward())
}

func names[S any](stages []Stage[S]) []string {
	out := make([]string, len(stages))
	for i, s := range stages {
		out[i] = s.Name()
	}
	return out
}

func recorded(err error) error {
	if err == nil {
		return nil
	}
	return &recordError{err: err}
}

func hash(chain, name string, inputs any) (string, error) {
	data, err := json.Marshal([]any{chain, name, inputs})
	if err != nil {
		return "", fmt.Errorf("hash inputs: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
