package sdk

import (
	"errors"
	"fmt"
)

// The kinds of error. A kind is attached once, where a foreign error enters the module; above that, callers add the doing
// and the thing with fmt.Errorf and %w, and doors map the kind to a status, an exit code or a diagnostic with errors.Is.
var (
	// ErrInvalid marks input that cannot be right, whatever the state of the world.
	ErrInvalid = errors.New("invalid")
	// ErrNotFound marks a named thing that certainly does not exist.
	ErrNotFound = errors.New("not found")
	// ErrConflict marks a thing that exists already, is busy, or is in the wrong state for the verb.
	ErrConflict = errors.New("conflict")
	// ErrDenied marks a refusal by vCenter or libvirt: login, privilege, certificate.
	ErrDenied = errors.New("denied")
	// ErrUnavailable marks a failure that a retry may cure: network, busy server.
	ErrUnavailable = errors.New("unavailable")
)

// Kind attaches a kind to a foreign error. The text stays the foreign error's own.
func Kind(kind, err error) error {
	if err == nil {
		return nil
	}
	return &kindError{kind: kind, err: err}
}

type kindError struct{ kind, err error }

func (e *kindError) Error() string   { return e.err.Error() }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.err} }

// Invalidf is an ErrInvalid with its text.
func Invalidf(format string, args ...any) error { return Kind(ErrInvalid, fmt.Errorf(format, args...)) }

// NotFoundf is an ErrNotFound with its text.
func NotFoundf(format string, args ...any) error {
	return Kind(ErrNotFound, fmt.Errorf(format, args...))
}

// Conflictf is an ErrConflict with its text.
func Conflictf(format string, args ...any) error {
	return Kind(ErrConflict, fmt.Errorf(format, args...))
}

// Unavailablef is an ErrUnavailable with its text.
func Unavailablef(format string, args ...any) error {
	return Kind(ErrUnavailable, fmt.Errorf(format, args...))
}

// WithHint adds what the user can do next. Doors show hints apart from the message; Error does not contain them.
func WithHint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hintError{err: err, hint: fmt.Sprintf(format, args...)}
}

type hintError struct {
	err  error
	hint string
}

func (e *hintError) Error() string { return e.err.Error() }
func (e *hintError) Unwrap() error { return e.err }

// Hints returns every hint in err's tree, outermost first.
func Hints(err error) []string {
	var hints []string
	var walk func(error)
	walk = func(err error) {
		if h, ok := err.(*hintError); ok { //nolint:errorlint // walks the tree itself
			hints = append(hints, h.hint)
		}
		switch u := err.(type) { //nolint:errorlint // walks the tree itself
		case interface{ Unwrap() error }:
			if e := u.Unwrap(); e != nil {
				walk(e)
			}
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				walk(e)
			}
		}
	}
	if err != nil {
		walk(err)
	}
	return hints
}

// PartialError says that some of the work was done and stays, and some failed: an export that is whole while the pipeline
// after it failed, or a bulk verb of which some items failed.
type PartialError struct {
	Done   []string         // what exists now, by name
	Failed map[string]error // what does not, by name
}

func (e *PartialError) Error() string {
	return fmt.Sprintf("%d done, %d failed: %s", len(e.Done), len(e.Failed), e.failures())
}

// Unwrap lets errors.Is see the kinds of the failures.
func (e *PartialError) Unwrap() []error {
	errs := make([]error, 0, len(e.Failed))
	for _, err := range e.Failed {
		errs = append(errs, err)
	}
	return errs
}
