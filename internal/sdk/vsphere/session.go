package vsphere

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// session is the round tripper under every call: it bounds the calls in flight, gives errors their kind, repeats a read
// once when an idle connection had died and for some seconds while vCenter is busy, and logs in again, once for all waiting calls, when vCenter ended the session.
// A call that was refused as not authenticated had no effect, so repeating it is safe whatever it is.
type session struct {
	next  soap.RoundTripper
	login func(context.Context) error // over next, not over the session
	slots chan struct{}
	log   *slog.Logger

	gate       chan struct{} // held while logging in
	generation atomic.Uint64 // of the login
	refused    error         // why no login is tried any more; guarded by gate
}

func newSession(next soap.RoundTripper, maxCalls int, login func(context.Context) error, log *slog.Logger) *session {
	return &session{next: next, login: login, log: log, slots: make(chan struct{}, maxCalls), gate: make(chan struct{}, 1)}
}

// RoundTrip implements soap.RoundTripper.
func (s *session) RoundTrip(ctx context.Context, req, res soap.HasFault) error {
	seen := s.generation.Load()
	err := s.call(ctx, req, res)
	for again := busyPause; errors.Is(err, sdk.ErrUnavailable) && faultOf(err) == nil && isRead(req) && ctx.Err() == nil; again *= 2 {
		busy := isBusy(err)
		if busy {
			pause(ctx, again)
		}
		reset(res)
		err = s.call(ctx, req, res)
		if !busy || again > longestBusyPause {
			break
		}
	}
	if !isFault[*types.NotAuthenticated](err) {
		return err
	}
	if err := s.renew(ctx, seen); err != nil {
		return err
	}
	reset(res)
	return s.call(ctx, req, res)
}

func (s *session) call(ctx context.Context, req, res soap.HasFault) error {
	if _, longPoll := req.(*methods.WaitForUpdatesExBody); !longPoll {
		if err := s.enter(ctx); err != nil {
			return err
		}
		defer s.leave()
	}
	began := time.Now()
	err := s.next.RoundTrip(ctx, req, res)
	s.log.Debug("SOAP call", "method", methodName(req), "took", time.Since(began), "failed", err != nil)
	if err == nil {
		err = hiddenNotAuthenticated(res)
	}
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	}
	return classify(err)
}

// methodName is the method of a call, as the API names it.
func methodName(req soap.HasFault) string {
	return strings.TrimSuffix(reflect.TypeOf(req).Elem().Name(), "Body")
}

// enter waits for a place among the calls in flight; leave gives it back.
func (s *session) enter(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *session) leave() { <-s.slots }

const (
	busyPause        = 100 * time.Millisecond // before a read is repeated that was answered "busy", doubled each time …
	longestBusyPause = 2 * time.Second        // … up to this
)

// isBusy says whether the proxy in front of vCenter answered that the service behind it is not there now. govmomi keeps the status in a
// type of its own that tells it by its text alone.
func isBusy(err error) bool {
	failed, ok := errors.AsType[*url.Error](err)
	if !ok {
		return false
	}
	status := failed.Err.Error()
	return strings.HasPrefix(status, "502 ") || strings.HasPrefix(status, "503 ") || strings.HasPrefix(status, "504 ")
}

// whileBusy repeats a call that nothing came of because vCenter was busy, for some four seconds in all.
func whileBusy(ctx context.Context, call func() error) error {
	err := call()
	for again := busyPause; isBusy(err) && again <= longestBusyPause && ctx.Err() == nil; again *= 2 {
		pause(ctx, again)
		err = call()
	}
	return err
}

// renew logs in again unless another call did so since the caller's generation.
func (s *session) renew(ctx context.Context, seen uint64) error {
	select {
	case s.gate <- struct{}{}:
		defer func() { <-s.gate }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if s.refused != nil {
		return s.refused
	}
	if s.generation.Load() != seen {
		return nil
	}
	if err := s.login(ctx); err != nil {
		err = fmt.Errorf("log in again: %w", classify(err))
		if errors.Is(err, sdk.ErrDenied) {
			s.refused = err // trying a wrong password again and again locks the account
		}
		return err
	}
	s.generation.Add(1)
	return nil
}

// close makes every later renewal fail, so that nobody opens a session that nobody will end. It waits for a login that is
// under way, while ctx lasts.
func (s *session) close(ctx context.Context) {
	select {
	case s.gate <- struct{}{}:
		s.refused = sdk.Conflictf("the vCenter session is closed")
		<-s.gate
	case <-ctx.Done():
	}
}

// isRead says whether a request changes nothing, not even on the server's side of a paged read.
func isRead(req soap.HasFault) bool {
	switch req.(type) {
	case *methods.RetrievePropertiesExBody, *methods.CurrentTimeBody, *methods.FindByInventoryPathBody,
		*methods.FindByUuidBody, *methods.RetrieveServiceContentBody, *methods.HttpNfcLeaseProgressBody:
		return true
	}
	return false
}

// reset empties a response so that it can be decoded into again.
func reset(res soap.HasFault) { reflect.ValueOf(res).Elem().SetZero() }

// hiddenNotAuthenticated finds the refusal in a property read, which some servers answer with success and a fault for each
// property.
func hiddenNotAuthenticated(res soap.HasFault) error {
	body, ok := res.(*methods.RetrievePropertiesExBody)
	if !ok || body.Res == nil || body.Res.Returnval == nil {
		return nil
	}
	for _, object := range body.Res.Returnval.Objects {
		for _, missing := range object.MissingSet {
			if fault, ok := missing.Fault.Fault.(*types.NotAuthenticated); ok {
				return soap.WrapVimFault(fault)
			}
		}
	}
	return nil
}
