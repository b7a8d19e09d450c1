package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

type loginInput struct {
	Body struct {
		Token string `json:"token" minLength:"1" maxLength:"4096" doc:"The token from the daemon's token file"`
	}
}

// answered is what a route answers that writes headers of its own.
type answered[T any] struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      T
}

// Session is who has a cookie, and until when.
type Session struct {
	Identity
	Expires time.Time `json:"expires,omitzero"`
}

// login exchanges a token for a cookie that scripts of a page cannot read and other sites cannot use.
func (s *Server) login(ctx context.Context, in *loginInput) (*answered[Session], error) {
	req := requestOf(ctx)
	who := s.guard.byToken(in.Body.Token)
	if who == nil && !s.guard.disabled {
		if !s.failures.take(req.from) {
			return nil, problem(http.StatusTooManyRequests, "too-many-requests", "too many tries with a wrong token").hinted("wait a moment")
		}
		return nil, problem(http.StatusUnauthorized, "unauthorized", "the token is not valid").hinted("the daemon's log says at its start which file has the token")
	}
	if who == nil {
		who = &Identity{Name: "anonymous", Role: Admin}
	}
	req.who = who
	secret, ends := s.guard.lend(s.guard.cookies, *who, "cookie", cookieLife)
	who.Via = "cookie"
	return &answered[Session]{
		SetCookie: []http.Cookie{{
			Name: cookieName, Value: secret, Path: "/", MaxAge: int(cookieLife.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: req.tls,
		}},
		Body: Session{Identity: *who, Expires: ends},
	}, nil
}

type cookieInput struct {
	Cookie string `cookie:"hypersdk_session"`
}

// logout makes the cookie worthless, here and in the browser.
func (s *Server) logout(ctx context.Context, in *cookieInput) (*answered[struct{}], error) {
	s.guard.forget(in.Cookie)
	return &answered[struct{}]{SetCookie: []http.Cookie{{
		Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: requestOf(ctx).tls,
	}}}, nil
}

func (s *Server) whoami(ctx context.Context, _ *struct{}) (*body[Identity], error) {
	return &body[Identity]{*requestOf(ctx).who}, nil
}

// Ticket opens one socket.
type Ticket struct {
	Ticket  string    `json:"ticket" doc:"Opens one socket: ws://…/vsphere/events/stream?ticket=…"`
	Expires time.Time `json:"expires"`
}

func (s *Server) ticket(ctx context.Context, _ *struct{}) (*body[Ticket], error) {
	secret, ends := s.guard.lend(s.guard.tickets, *requestOf(ctx).who, "ticket", ticketLife)
	return &body[Ticket]{Ticket{secret, ends}}, nil
}

type auditInput struct {
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"The newest so many"`
}

func (s *Server) readAudit(_ context.Context, in *auditInput) (*body[[]AuditEntry], error) {
	return &body[[]AuditEntry]{s.audit.last(in.Limit)}, nil
}

// authorize holds each operation to its role.
func authorize(ctx huma.Context, next func(huma.Context)) {
	need, closed := ctx.Operation().Metadata[roleKey].(Role)
	if closed {
		if refusal := requestOf(ctx.Context()).may(need); refusal != nil {
			r, w := humago.Unwrap(ctx)
			refusal.write(w, r)
			return
		}
	}
	next(ctx)
}
