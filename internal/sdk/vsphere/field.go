package vsphere

import "errors"

// fieldError says which field of a spec an error is about.
type fieldError struct {
	field string
	err   error
}

func (e *fieldError) Error() string { return e.err.Error() }
func (e *fieldError) Unwrap() error { return e.err }

// inField attaches the JSON key of a spec's field to an error.
func inField(field string, err error) error {
	if err == nil {
		return nil
	}
	return &fieldError{field, err}
}

// Field is the JSON key of the spec's field that an error is about; empty when it is about none, or not known.
func Field(err error) string {
	if f, ok := errors.AsType[*fieldError](err); ok {
		return f.field
	}
	return ""
}
