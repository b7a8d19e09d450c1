package vsphere

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	// restRoot is the part of the REST service that every vCenter since 6.5 has.
	restRoot        = "/rest/com/vmware/cis/"
	restIDHeader    = "vmware-api-session-id"
	restPatience    = time.Minute // with a service that is busy
	restFirstPause  = 200 * time.Millisecond
	maxRESTResponse = 32 << 20
)

// restSession is a session at vCenter's REST service, which tags live in. It is a login of its own, made when the first
// call needs it: who uses no tags never logs in there.
type restSession struct {
	c    *Client
	user string
	pass Secret
	http *http.Client
	log  *slog.Logger

	gate    chan struct{} // held while logging in
	id      Secret        // guarded by gate, as what follows
	refused error         // why no login is tried any more
}

func newRESTSession(c *Client, user string, pass Secret) *restSession {
	return &restSession{
		c: c, user: user, pass: pass, gate: make(chan struct{}, 1), log: c.log.With("subsystem", "rest"),
		http: &http.Client{Transport: c.vim.DefaultTransport(), CheckRedirect: noRedirect},
	}
}

// call sends one call and decodes the answer's value into out, which may be nil. It logs in when there is no session, again
// when it ended, and repeats while the service is busy; every call that goes through here may be repeated.
func (r *restSession) call(ctx context.Context, method, where, action string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval = restFirstPause
	var err error
	_, gaveUp := backoff.Retry(ctx, func() (struct{}, error) {
		err = r.authenticated(ctx, method, where, action, body, out)
		return struct{}{}, again(err)
	}, backoff.WithBackOff(pauses), backoff.WithMaxElapsedTime(restPatience))
	if gaveUp != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return err
}

// again tells backoff whether and when to repeat what failed.
func again(err error) error {
	var busy *busyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &busy) && busy.after > 0:
		return backoff.RetryAfter(busy.after)
	case errors.Is(err, sdk.ErrUnavailable):
		return err
	}
	return backoff.Permanent(err)
}

// authenticated sends a call in the session. An answer that the session ended had no effect, so the call is sent again.
func (r *restSession) authenticated(ctx context.Context, method, where, action string, body []byte, out any) error {
	id, err := r.session(ctx, "")
	if err != nil {
		return err
	}
	err = r.send(ctx, method, where, action, id, body, out)
	if !errors.Is(err, errRESTUnauthenticated) {
		return err
	}
	if id, err = r.session(ctx, id); err != nil {
		return err
	}
	return r.send(ctx, method, where, action, id, body, out)
}

// session is the current session, or a new one when there is none or it is the ended one.
func (r *restSession) session(ctx context.Context, ended Secret) (Secret, error) {
	select {
	case r.gate <- struct{}{}:
		defer func() { <-r.gate }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if r.refused != nil {
		return "", r.refused
	}
	if r.id != "" && r.id != ended {
		return r.id, nil
	}
	var id string
	err := r.send(ctx, http.MethodPost, "session", "", "", nil, &id)
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		err = sdk.WithHint(sdk.Invalidf("%s has no REST service", r.c.vim.URL().Host), "tags need a vCenter of version 6.5 or newer, not an ESXi host")
	case errors.Is(err, sdk.ErrDenied):
		r.refused = err // trying a wrong password again and again locks the account
	}
	if err != nil {
		return "", fmt.Errorf("log in to the REST service: %w", err)
	}
	r.id = Secret(id)
	return r.id, nil
}

// close logs out, when there was a login, and lets nobody log in again.
func (r *restSession) close(ctx context.Context) error {
	select {
	case r.gate <- struct{}{}:
		defer func() { <-r.gate }()
	case <-ctx.Done():
		return ctx.Err()
	}
	r.refused = sdk.Conflictf("the vCenter session is closed")
	if r.id == "" {
		return nil
	}
	err := r.send(ctx, http.MethodDelete, "session", "", r.id, nil, nil)
	r.id = ""
	if errors.Is(err, errRESTUnauthenticated) {
		return nil
	}
	return err
}

// send makes one HTTP call. Without a session id it is the login's.
func (r *restSession) send(ctx context.Context, method, where, action string, id Secret, body []byte, out any) error {
	if err := r.c.session.enter(ctx); err != nil {
		return err
	}
	defer r.c.session.leave()
	u := url.URL{Scheme: "https", Host: r.c.vim.URL().Host, Path: restRoot + where}
	if action != "" {
		u.RawQuery = url.Values{"~action": {action}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Content-Type", "application/json")
	if id != "" {
		req.Header.Set(restIDHeader, string(id))
	} else {
		req.SetBasicAuth(r.user, string(r.pass))
	}
	began := time.Now()
	res, err := r.http.Do(req)
	if err != nil {
		return classify(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end or given up
	r.log.Debug("REST call", "method", method, "path", where, "action", action, "status", res.StatusCode, "took", time.Since(began))
	if res.StatusCode >= 300 {
		return restFailure(res)
	}
	if out == nil {
		return nil
	}
	value := struct{ Value any }{out}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxRESTResponse)).Decode(&value); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", method, where, classify(err))
	}
	return nil
}

// errRESTUnauthenticated is a session that ended, or credentials that are wrong.
var errRESTUnauthenticated = errors.New("not authenticated")

// busyError is a service that asks to be left alone for some seconds; 0: it does not say.
type busyError struct {
	text  string
	after int
}

func (e *busyError) Error() string { return e.text }

// restFailure is the error of an answer: the service's own words, of the kind that its type or the status says.
func restFailure(res *http.Response) error {
	var body struct {
		Type  string
		Value struct {
			Messages []struct {
				Text string `json:"default_message"`
			}
		}
	}
	_ = json.NewDecoder(io.LimitReader(res.Body, maxRESTResponse)).Decode(&body) // without words the status must do
	var said []string
	for _, m := range body.Value.Messages {
		said = append(said, strings.TrimSuffix(m.Text, "."))
	}
	kind := strings.TrimPrefix(body.Type, "com.vmware.vapi.std.errors.")
	if len(said) == 0 {
		said = []string{strings.TrimSpace(strings.ReplaceAll(kind, "_", " "))}
	}
	text := strings.Join(said, "; ")
	if text == "" {
		text = res.Status
	}
	err := errors.New(text)
	switch {
	case res.StatusCode == http.StatusUnauthorized:
		return sdk.Kind(sdk.ErrDenied, fmt.Errorf("%w: %w", errRESTUnauthenticated, err))
	case res.StatusCode == http.StatusForbidden:
		return sdk.WithHint(sdk.Kind(sdk.ErrDenied, err), "the user needs the privilege to read the object and those of vSphere Tagging, or the object is gone")
	case res.StatusCode == http.StatusNotFound:
		return sdk.Kind(sdk.ErrNotFound, err)
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode >= 502:
		after, _ := strconv.Atoi(res.Header.Get("Retry-After")) // a date, or nothing, leaves it to us
		return sdk.Kind(sdk.ErrUnavailable, &busyError{text: text, after: after})
	case kind == "already_exists", kind == "not_allowed_in_current_state", kind == "resource_in_use", kind == "concurrent_change":
		return sdk.Kind(sdk.ErrConflict, err)
	case res.StatusCode == http.StatusBadRequest:
		return sdk.Kind(sdk.ErrInvalid, err)
	}
	return err
}
