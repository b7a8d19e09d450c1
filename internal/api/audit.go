package api

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// AuditEntry is one line of the audit log: who did what, when, and what came of it. It holds no body and no query, so no secret.
type AuditEntry struct {
	Time      time.Time `json:"time"`
	Who       string    `json:"who"` // empty: nobody that the daemon knows
	Role      string    `json:"role,omitempty"`
	Via       string    `json:"via,omitempty"`
	From      string    `json:"from"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Status    int       `json:"status"`
	Result    string    `json:"result" enum:"ok,refused,failed"`
	Job       string    `json:"job,omitempty"`
	RequestID string    `json:"request_id"`
	TookMS    int64     `json:"took_ms"`
}

// auditKept is how many of the newest entries GET /audit can show.
const auditKept = 1000

// audit writes the entries and remembers the newest.
type audit struct {
	mu     sync.Mutex
	out    io.Writer
	newest []AuditEntry
	failed error // of the writer, the first
}

func (a *audit) add(e AuditEntry) {
	line, err := json.Marshal(e)
	if err != nil {
		return // an AuditEntry has nothing that cannot be written
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.out != nil {
		if _, err := a.out.Write(append(line, '\n')); err != nil && a.failed == nil {
			a.failed = err
		}
	}
	if len(a.newest) == auditKept {
		a.newest = a.newest[1:]
	}
	a.newest = append(a.newest, e)
}

// last returns up to n entries, the newest first.
func (a *audit) last(n int) []AuditEntry {
	a.mu.Lock()
	defer a.mu.Unlock()
	out := make([]AuditEntry, 0, min(n, len(a.newest)))
	for i := len(a.newest) - 1; i >= 0 && len(out) < n; i-- {
		out = append(out, a.newest[i])
	}
	return out
}

// audited writes down every request that changes something, or tries to.
func (s *Server) audited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !changes(r) {
			next.ServeHTTP(w, r)
			return
		}
		started := time.Now()
		out, ok := w.(*response)
		if !ok {
			out = &response{ResponseWriter: w, control: http.NewResponseController(w), stall: s.limits.Stall}
		}
		defer func() {
			status := out.status
			if status == 0 {
				status = http.StatusInternalServerError // it panicked before it answered
			}
			s.audit.add(entry(r, status, started))
		}()
		next.ServeHTTP(out, r)
	})
}

func entry(r *http.Request, status int, started time.Time) AuditEntry {
	req := requestOf(r.Context())
	e := AuditEntry{
		Time: started.UTC(), From: req.from, Method: r.Method, Path: r.URL.EscapedPath(), Status: status,
		Job: req.job, RequestID: req.id, TookMS: time.Since(started).Milliseconds(),
	}
	if req.who != nil {
		e.Who, e.Role, e.Via = req.who.Name, req.who.Role.String(), req.who.Via
	}
	switch {
	case status < 400:
		e.Result = "ok"
	case status < 500:
		e.Result = "refused"
	default:
		e.Result = "failed"
	}
	return e
}
