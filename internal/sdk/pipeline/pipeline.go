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
		if err := r.stage(ctx, stage); err != nil {
			if ctx.Err() == nil {
				err = errors.Join(err, r.undo(ctx, stages[:i+1]))
			}
			return err
		}
	}
	return nil
}

type runner[S any] struct {
	j      *journal.Journal
	s      *S
	report sdk.ProgressFunc
	chain  string // hash over the inputs of all stages so far: an earlier change invalidates what follows
	rerun  bool   // a stage ran, so those after it run too
}

func (r *runner[S]) stage(ctx context.Context, stage Stage[S]) error {
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
		err = r.j.Put(stateSection, r.s)
	case ctx.Err() != nil:
		rec.Status, rec.Error = sdk.Canceled, err.Error()
	default:
		rec.Status, rec.Error = sdk.Failed, err.Error()
	}
	if jerr := r.j.SetStage(name, rec); err == nil {
		err = jerr
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
		rec := r.j.Stage(ran[i].Name())
		if rec.Status == sdk.Succeeded {
			rec.Status = sdk.Pending
			errs = append(errs, r.j.SetStage(ran[i].Name(), rec))
		}
	}
	return errors.Join(errs...)
}

func hash(chain, name string, inputs any) (string, error) {
	data, err := json.Marshal([]any{chain, name, inputs})
	if err != nil {
		return "", fmt.Errorf("hash inputs: %w", err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
