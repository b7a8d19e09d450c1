package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// front is what every request passes on its way in, from the outside to the inside.
func (s *Server) front(inside http.Handler) http.Handler {
	h := s.admit(inside)
	h = bounded(h, s.limits.Body)
	h = s.ours(h)
	h = s.audited(h)
	h = s.headers(h)
	return s.observe(h)
}

// observe gives the request a name, logs it, and survives a panic of its handler.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		out := &response{ResponseWriter: w, control: http.NewResponseController(w), stall: s.limits.Stall}
		req := &request{id: requestID(), from: clientAddress(r), tls: r.TLS != nil, clear: func() { _ = out.control.SetReadDeadline(time.Time{}) }}
		r = r.WithContext(context.WithValue(r.Context(), requestKey{}, req))
		w.Header().Set("X-Request-Id", req.id)
		defer func() { //nolint:contextcheck // r has it
			if p := recover(); p != nil {
				s.log.Error("a handler panicked", "request", req.id, "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if out.status == 0 {
					problemOf(fmt.Errorf("panic: %v", p)).write(out, r)
				}
			}
			// The query is left out: a ticket may be in it.
			s.log.LogAttrs(r.Context(), slog.LevelInfo, "request", slog.String("id", req.id), slog.String("who", req.name()), slog.String("from", req.from),
				slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", out.status), slog.Int64("bytes", out.bytes),
				slog.Duration("took", time.Since(started)))
		}()
		next.ServeHTTP(out, r)
	})
}

func (r *request) name() string {
	if r.who == nil {
		return ""
	}
	return r.who.Name
}

func requestID() string {
	var raw [8]byte
	_, _ = rand.Read(raw[:]) // never fails, see crypto/rand
	return hex.EncodeToString(raw[:])
}

func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// headers are those of every answer. The policy lets a page load from here and nowhere else.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src "+
			s.connectable(r)+"; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// connectable is where a page from here may connect to: here, under the other names of the loopback interface too.
func (s *Server) connectable(r *http.Request) string {
	scheme := "ws"
	if r.TLS != nil {
		scheme = "wss"
	}
	host, port := splitHost(r.Host)
	if !isLoopback(host) {
		return "'self'"
	}
	return fmt.Sprintf("'self' %[1]s://localhost:%[2]s %[1]s://127.0.0.1:%[2]s", scheme, port)
}

// ours refuses a request that was meant for somebody else: by a host name that is not ours, which is how DNS rebinding
// comes in, or from a page of another origin.
func (s *Server) ours(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _ := splitHost(r.Host)
		if !s.hosts.allows(host) {
			problem(http.StatusMisdirectedRequest, "misdirected-request", fmt.Sprintf("this daemon does not answer for the host %q", host)).
				hinted("use its address, or name the host in the setting hosts").write(w, r)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && !s.hosts.sameOrigin(origin, r) {
			problem(http.StatusForbidden, "forbidden", fmt.Sprintf("pages from %q may not talk to this daemon", origin)).
				hinted("serve the page from the daemon, or name its origin in the setting origins").write(w, r)
			return
		}
		if site := r.Header.Get("Sec-Fetch-Site"); changes(r) && (site == "cross-site" || site == "same-site") && r.Header.Get("Origin") == "" {
			problem(http.StatusForbidden, "forbidden", "a page of another site may not change anything here").write(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// bounded takes bodies that are JSON and not too long. A form of another site can send neither JSON nor no type at all.
func bounded(next http.Handler, limit int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > limit {
			problem(http.StatusRequestEntityTooLarge, "request-entity-too-large", fmt.Sprintf("a body may have %d bytes", limit)).write(w, r)
			return
		}
		kind := r.Header.Get("Content-Type")
		if changes(r) && (kind != "" || r.ContentLength != 0) {
			if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
				problem(http.StatusUnsupportedMediaType, "unsupported-media-type", fmt.Sprintf("the body's type is %q, and only JSON is read", kind)).
					hinted("send the header \"Content-Type: application/json\"").write(w, r)
				return
			}
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// admit finds out who it is and holds everybody to a rate.
func (s *Server) admit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := requestOf(r.Context())
		if isOpen(r) {
			next.ServeHTTP(w, r)
			return
		}
		who, refusal := s.guard.identify(r)
		if refusal != nil && !s.failures.take(req.from) {
			tooMany(w, r, "too many tries with a wrong token")
			return
		}
		if refusal != nil {
			if !changes(r) { // those are written down anyway
				s.audit.add(entry(r, refusal.Status, time.Now()))
			}
			refusal.write(w, r)
			return
		}
		req.who = who
		if !s.rates.take(req.from + " " + req.name()) {
			tooMany(w, r, "too many requests")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func tooMany(w http.ResponseWriter, r *http.Request, detail string) {
	w.Header().Set("Retry-After", "1")
	problem(http.StatusTooManyRequests, "too-many-requests", detail).hinted("wait a moment; Retry-After says how many seconds").write(w, r)
}

// isOpen says whether a route is for everybody who reaches the socket: it tells nothing about vCenter.
func isOpen(r *http.Request) bool {
	return r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
}

func changes(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

func isUpgrade(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
