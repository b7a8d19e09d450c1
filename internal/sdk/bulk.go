package sdk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// DefaultConcurrent is how many items of bulk work run at once when nobody says: vCenter queues more than a few anyway.
const DefaultConcurrent = 5

// BulkItem is one piece of bulk work. Do may run beside others; it returns Skip when there is nothing to do, and Done when there is
// something to say about how it was done.
type BulkItem struct {
	Name string
	Do   func(ctx context.Context, report ProgressFunc) error
}

// BulkResult says what became of each item, in the order they were given.
type BulkResult struct {
	Total     int           `json:"total"`
	Succeeded int           `json:"succeeded"`
	Skipped   int           `json:"skipped"`
	Failed    int           `json:"failed"`
	Canceled  int           `json:"canceled"`
	Items     []BulkOutcome `json:"items"`
}

// BulkOutcome is what became of one item.
type BulkOutcome struct {
	Name        string  `json:"name"`
	Status      Status  `json:"status"`            // succeeded, skipped, failed or canceled
	Message     string  `json:"message,omitempty"` // why it was skipped, the error, or how it was done
	TookSeconds float64 `json:"took_seconds"`
	Err         error   `json:"-"` // of failed and canceled ones
}

// Skip is what an item's Do returns when what it would make is there already.
func Skip(format string, args ...any) error { return &skipError{fmt.Sprintf(format, args...)} }

type skipError struct{ why string }

func (e *skipError) Error() string { return e.why }

// Done is what an item's Do returns when it did its work in a way that a person should know of.
func Done(format string, args ...any) error { return &doneError{fmt.Sprintf(format, args...)} }

type doneError struct{ how string }

func (e *doneError) Error() string { return e.how }

// RunBulk runs the items, at most concurrent at once (0: DefaultConcurrent), and waits for all. One that fails stops no other.
// When ctx ends, those that run are told by it and the rest is not begun. report gets the beginning and the end of each item
// as what says (the stage: "clone"), and what Do reports.
//
// The result is always whole. The error is nil when nothing failed; a *PartialError when something was done or there
// already; else it unwraps to the failures.
func RunBulk(ctx context.Context, what string, concurrent int, items []BulkItem, report ProgressFunc) (*BulkResult, error) {
	if concurrent <= 0 {
		concurrent = DefaultConcurrent
	}
	outcomes := make([]BulkOutcome, len(items))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(concurrent, len(items)) {
		workers.Go(func() {
			for i := range next {
				outcomes[i] = items[i].run(ctx, what, report)
			}
		})
	}
	for i := range items {
		next <- i // after ctx has ended each is answered at once
	}
	close(next)
	workers.Wait()
	r := newBulkResult(outcomes)
	return r, r.err(what)
}

func (item BulkItem) run(ctx context.Context, what string, report ProgressFunc) BulkOutcome {
	started := time.Now()
	tell := func(p Progress) {
		p.Stage, p.Item = what, item.Name
		report.Report(p)
	}
	err := ctx.Err()
	if err == nil {
		tell(Progress{Status: Running})
		err = item.Do(ctx, tell)
	}
	o := BulkOutcome{Name: item.Name, Status: Succeeded, TookSeconds: time.Since(started).Seconds()}
	var skip *skipError
	var done *doneError
	switch {
	case err == nil:
	case errors.As(err, &done):
		o.Message = done.how
	case errors.As(err, &skip):
		o.Status, o.Message = Skipped, skip.why
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		o.Status, o.Message, o.Err = Canceled, err.Error(), err
	default:
		o.Status, o.Message, o.Err = Failed, err.Error(), err
	}
	tell(Progress{Status: o.Status, Message: o.Message})
	return o
}

func newBulkResult(outcomes []BulkOutcome) *BulkResult {
	r := &BulkResult{Total: len(outcomes), Items: outcomes}
	for _, o := range outcomes {
		switch o.Status {
		case Succeeded:
			r.Succeeded++
		case Skipped:
			r.Skipped++
		case Canceled:
			r.Canceled++
		default:
			r.Failed++
		}
	}
	return r
}

func (r *BulkResult) err(what string) error {
	partial := &PartialError{Failed: map[string]error{}}
	for _, o := range r.Items {
		if o.Err != nil {
			partial.Failed[o.Name] = o.Err
		} else {
			partial.Done = append(partial.Done, o.Name)
		}
	}
	switch {
	case len(partial.Failed) == 0:
		return nil
	case len(partial.Done) > 0:
		return fmt.Errorf("%s: %w", what, partial)
	case r.Total == 1:
		return fmt.Errorf("%s %q: %w", what, r.Items[0].Name, r.Items[0].Err)
	}
	return fmt.Errorf("%s: %w", what, &noneError{partial})
}

// noneError says that nothing of some bulk work was done.
type noneError struct{ of *PartialError }

func (e *noneError) Error() string {
	return fmt.Sprintf("all %d failed: %s", len(e.of.Failed), e.of.failures())
}
func (e *noneError) Unwrap() []error { return e.of.Unwrap() }

// failures are the failures by name, sorted.
func (e *PartialError) failures() string {
	parts := make([]string, 0, len(e.Failed))
	for name, err := range e.Failed {
		parts = append(parts, fmt.Sprintf("%s: %v", name, err))
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}
