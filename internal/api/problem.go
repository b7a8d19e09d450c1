package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Problem is how every refusal and failure is told: RFC 9457, with what to do next.
type Problem struct {
	Type      string            `json:"type" doc:"urn:hypersdk:problem: and the kind: invalid, not-found, conflict, denied, unavailable, partial, deadline, unauthorized, forbidden, too-many-requests, internal, and for what HTTP itself refuses the status's name"`
	Title     string            `json:"title" doc:"The kind in words"`
	Status    int               `json:"status" doc:"The HTTP status"`
	Detail    string            `json:"detail,omitempty" doc:"What happened, to what"`
	Hint      string            `json:"hint,omitempty" doc:"What to do next"`
	RequestID string            `json:"request_id,omitempty" doc:"Names this request in the daemon's log"`
	Errors    []ProblemAt       `json:"errors,omitempty" doc:"What is wrong with which part of the request"`
	Done      []string          `json:"done,omitempty" doc:"What exists now, of work that is done in part"`
	Failed    map[string]string `json:"failed,omitempty" doc:"What failed, of work that is done in part, and why"`

	cause error // of an internal one; for the log
}

// ProblemAt is what is wrong with a part of the request. The value that was sent is not repeated: it may be a secret.
type ProblemAt struct {
	Location string `json:"location,omitempty" doc:"Such as body.target_name or query.limit"`
	Message  string `json:"message"`
}

const problemType = "urn:hypersdk:problem:"

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status; huma asks for it.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457; huma asks for it.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// Unwrap is what went wrong.
func (p *Problem) Unwrap() error { return p.cause }

func problem(status int, kind, detail string) *Problem {
	return &Problem{Type: problemType + kind, Title: http.StatusText(status), Status: status, Detail: detail}
}

// hinted adds what to do next.
func (p *Problem) hinted(hint string) *Problem {
	p.Hint = hint
	return p
}

// problemOf is the one place where kinds of errors become statuses.
func problemOf(err error) *Problem {
	var known *Problem
	if errors.As(err, &known) {
		return known
	}
	p := problemOfKind(err)
	if hints := sdk.Hints(err); len(hints) > 0 {
		p.Hint = strings.Join(slices.Compact(hints), "; ")
	}
	return p
}

func problemOfKind(err error) *Problem {
	var partial *sdk.PartialError
	if errors.As(err, &partial) {
		p := problem(http.StatusMultiStatus, "partial", err.Error())
		p.Done, p.Failed = partial.Done, map[string]string{}
		for name, failure := range partial.Failed {
			p.Failed[name] = failure.Error()
		}
		return p
	}
	for _, k := range []struct {
		kind   error
		status int
		name   string
	}{
		{sdk.ErrInvalid, http.StatusUnprocessableEntity, "invalid"},
		{sdk.ErrNotFound, http.StatusNotFound, "not-found"},
		{sdk.ErrConflict, http.StatusConflict, "conflict"},
		{sdk.ErrDenied, http.StatusBadGateway, "denied"},
		{sdk.ErrUnavailable, http.StatusServiceUnavailable, "unavailable"},
		{context.DeadlineExceeded, http.StatusGatewayTimeout, "deadline"},
		{context.Canceled, http.StatusServiceUnavailable, "canceled"},
	} {
		if errors.Is(err, k.kind) {
			return problem(k.status, k.name, err.Error())
		}
	}
	p := problem(http.StatusInternalServerError, "internal", "something went wrong inside the daemon")
	p.cause = err
	return p.hinted("the daemon's log tells more under the request_id")
}

// fromHuma takes over what huma itself refuses, without the values that were sent.
func fromHuma(e *huma.ErrorModel) *Problem {
	kind := strings.ReplaceAll(strings.ToLower(http.StatusText(e.Status)), " ", "-")
	switch e.Status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		kind = "invalid"
	case http.StatusInternalServerError:
		kind = "internal"
	}
	p := problem(e.Status, kind, e.Detail)
	for _, d := range e.Errors {
		p.Errors = append(p.Errors, ProblemAt{Location: d.Location, Message: d.Message})
	}
	if len(p.Errors) > 0 {
		first := p.Errors[0]
		p.Detail = strings.TrimPrefix(first.Location+": ", ": ") + first.Message
	}
	return p
}

// write sends the problem where huma is not in charge.
func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	p.RequestID = requestOf(r.Context()).id
	switch p.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", `Bearer realm="hypersdkd"`)
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	if r.Method != http.MethodHead {
		_ = json.NewEncoder(w).Encode(p) // the client may be gone
	}
}
