package job

import (
	"context"
	"errors"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// The kinds of Error.
const (
	KindInvalid     = "invalid"
	KindNotFound    = "not_found"
	KindConflict    = "conflict"
	KindDenied      = "denied"
	KindUnavailable = "unavailable"
	KindPartial     = "partial"     // some of the work was done and stays; the job succeeded as far as it did
	KindWorkerLost  = "worker_lost" // its workers died, too many in a row
	KindDeadline    = "deadline"
	KindInternal    = "internal" // anything else
)

// Error is why a job failed, or what is missing from one that succeeded in part.
type Error struct {
	Kind   string            `json:"kind"`
	Text   string            `json:"text"`
	Hints  []string          `json:"hints,omitempty"`
	Done   []string          `json:"done,omitempty"`   // partial: what exists
	Failed map[string]string `json:"failed,omitempty"` // partial: what does not, and why
}

var kinds = []struct {
	kind string
	err  error
}{
	{KindInvalid, sdk.ErrInvalid},
	{KindNotFound, sdk.ErrNotFound},
	{KindConflict, sdk.ErrConflict},
	{KindDenied, sdk.ErrDenied},
	{KindUnavailable, sdk.ErrUnavailable},
	{KindDeadline, context.DeadlineExceeded},
}

// FromError records err, redacted; nil is nil.
func FromError(err error) *Error {
	if err == nil {
		return nil
	}
	e := &Error{Kind: KindInternal, Text: Redact(err.Error())}
	for _, hint := range sdk.Hints(err) {
		e.Hints = append(e.Hints, Redact(hint))
	}
	var partial *sdk.PartialError
	if errors.As(err, &partial) {
		e.Kind, e.Done, e.Failed = KindPartial, partial.Done, map[string]string{}
		for name, cause := range partial.Failed {
			e.Failed[name] = Redact(cause.Error())
		}
		return e
	}
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			e.Kind = k.kind
			break
		}
	}
	return e
}

// Err is the error again, with its kind and hints, for a caller that treats a job like a call; a nil Error is nil.
func (e *Error) Err() error {
	if e == nil {
		return nil
	}
	if e.Kind == KindPartial {
		partial := &sdk.PartialError{Done: e.Done, Failed: map[string]error{}}
		for name, text := range e.Failed {
			partial.Failed[name] = errors.New(text)
		}
		return e.hinted(partial)
	}
	err := errors.New(e.Text)
	for _, k := range kinds {
		if e.Kind == k.kind {
			err = sdk.Kind(k.err, err)
		}
	}
	return e.hinted(err)
}

func (e *Error) hinted(err error) error {
	for i := len(e.Hints) - 1; i >= 0; i-- {
		err = sdk.WithHint(err, "%s", e.Hints[i])
	}
	return err
}
