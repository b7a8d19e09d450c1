package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/notify"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "0123456789abcdef"

func failedJob() *job.Job {
	at := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	return &job.Job{ID: "01927d3e-0000-7000-8000-000000000000", Status: sdk.Failed, Worker: "kvm-1", Attempts: 2, Started: at, Ended: at.Add(90 * time.Second),
		Spec:   job.Spec{Kind: "migration", Name: "web ü\r\nBcc: evil@example.com\x1b[2J", Body: json.RawMessage(`{"vm":"web"}`), Limits: job.Limits{Source: "esxi-1"}},
		Error:  &job.Error{Kind: job.KindConflict, Text: "clone \"web\":\nbusy", Hints: []string{"wait"}},
		Stages: []job.Stage{{Name: "export", Status: sdk.Failed}}}
}

func mailSpec(t *testing.T, s *smtpServer) notify.MailSpec {
	return notify.MailSpec{Host: "127.0.0.1", Port: s.port, From: "HyperSDK <hypersdk@example.com>", To: []string{"ops@example.com", "ann@example.com"},
		Link: "https://hypersdk.example.com/", TLS: s.trust(t)}
}

func send(t *testing.T, spec notify.MailSpec, j *job.Job) error {
	t.Helper()
	sink, err := notify.Mail(spec)
	if err != nil {
		t.Fatal(err)
	}
	return sink(t.Context(), j)
}

func TestMail_OverSTARTTLSWithLogin(t *testing.T) {
	s := startSMTP(t, func(s *smtpServer) { s.login = "hyper\x00hunter2" })
	spec := mailSpec(t, s)
	spec.Username, spec.Password = "hyper", "hunter2"
	if err := send(t, spec, failedJob()); err != nil {
		t.Fatal(err)
	}
	mails, verbs := s.got()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	if slices.Contains(verbs, "auth") || slices.Contains(verbs, "mail") || !slices.Contains(verbs, "AUTH") || !slices.Contains(verbs, "MAIL") {
		t.Errorf("verbs (lower case: without TLS) %v", verbs)
	}
	m, err := mail.ReadMessage(strings.NewReader(mails[0]))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if want := `[hypersdk] migration "web ü Bcc: evil@example.com[2J" failed`; err != nil || subject != want {
		t.Errorf("subject %q, want %q (%v)", subject, want, err)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("To") != "<ops@example.com>, <ann@example.com>" || m.Header.Get("Auto-Submitted") != "auto-generated" ||
		m.Header.Get("Message-Id") != "<01927d3e-0000-7000-8000-000000000000.2@hypersdk>" {
		t.Errorf("header %v", m.Header)
	}
	body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	want := `migration "web ü Bcc: evil@example.com[2J" failed

Job:       01927d3e-0000-7000-8000-000000000000
Source:    esxi-1
Worker:    kvm-1
Ended:     2026-01-10 12:01:30 UTC
Took:      1m30s

Error:     clone "web": busy
Hint:      wait

Stages:
  export       failed

https://hypersdk.example.com/jobs/01927d3e-0000-7000-8000-000000000000
`
	if got := strings.TrimRight(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n") + "\n"; got != want {
		t.Errorf("body:\n%s\nwant:\n%s", got, want)
	}
}

func TestMail_OverTLSAndOnThisMachine(t *testing.T) {
	for security, change := range map[string]func(*smtpServer){
		notify.SecurityTLS:  func(s *smtpServer) { s.implicit = true },
		notify.SecurityNone: func(s *smtpServer) { s.starttls = false },
	} {
		s := startSMTP(t, change)
		spec := mailSpec(t, s)
		spec.Security = security
		if err := send(t, spec, failedJob()); err != nil {
			t.Errorf("%s: %v", security, err)
		}
		if mails, verbs := s.got(); len(mails) != 1 || slices.Contains(verbs, "MAIL") != (security == notify.SecurityTLS) {
			t.Errorf("%s: %d mails, verbs %v", security, len(mails), verbs)
		}
	}
}

func TestMail_Refusals(t *testing.T) {
	for name, tc := range map[string]struct {
		server func(*smtpServer)
		spec   func(*notify.MailSpec)
		want   error
	}{
		"no STARTTLS offered": {server: func(s *smtpServer) { s.starttls = false }, want: sdk.ErrUnavailable},
		"STARTTLS refused":    {server: func(s *smtpServer) { s.answer["STARTTLS"] = "454 not now" }, want: sdk.ErrUnavailable},
		"unknown certificate": {spec: func(m *notify.MailSpec) { m.TLS = nil }, want: sdk.ErrDenied},
		"wrong password": {server: func(s *smtpServer) { s.login = "hyper\x00other" },
			spec: func(m *notify.MailSpec) { m.Username, m.Password = "hyper", "hunter2" }, want: sdk.ErrDenied},
		"unknown recipient": {server: func(s *smtpServer) { s.answer["RCPT"] = "550 5.1.1 nobody" }, want: sdk.ErrInvalid},
		"greylisted":        {server: func(s *smtpServer) { s.answer["RCPT"] = "451 4.7.1 later" }, want: sdk.ErrUnavailable},
		"nobody there":      {spec: func(m *notify.MailSpec) { m.Port = 1 }, want: sdk.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			s := startSMTP(t, tc.server)
			spec := mailSpec(t, s)
			if tc.spec != nil {
				tc.spec(&spec)
			}
			err := send(t, spec, failedJob())
			if !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
			if mails, verbs := s.got(); len(mails) > 0 || slices.Contains(verbs, "mail") || slices.Contains(verbs, "auth") {
				t.Errorf("%d mails, verbs %v", len(mails), verbs)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestMail_SpecRefused(t *testing.T) {
	good := notify.MailSpec{Host: "relay.example.com", From: "a@example.com", To: []string{"b@example.com"}}
	if _, err := notify.Mail(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*notify.MailSpec){
		"no host":       func(s *notify.MailSpec) { s.Host = "" },
		"no recipient":  func(s *notify.MailSpec) { s.To = nil },
		"bad recipient": func(s *notify.MailSpec) { s.To = []string{"b@example.com\r\nRCPT TO:<c@example.com>"} },
		"bad sender":    func(s *notify.MailSpec) { s.From = "nobody" },
		"port":          func(s *notify.MailSpec) { s.Port = 70000 },
		"security":      func(s *notify.MailSpec) { s.Security = "maybe" },
		"in the clear":  func(s *notify.MailSpec) { s.Security = notify.SecurityNone },
		"password, clear": func(s *notify.MailSpec) {
			s.Host, s.Security, s.Username, s.Password = "127.0.0.1", notify.SecurityNone, "u", "p"
		},
		"user, no password": func(s *notify.MailSpec) { s.Username = "u" },
		"when":              func(s *notify.MailSpec) { s.When = "sometimes" },
	} {
		bad := good
		change(&bad)
		if _, err := notify.Mail(bad); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFilter(t *testing.T) {
	s := startSMTP(t, nil)
	spec := mailSpec(t, s)
	spec.Filter = notify.Filter{When: notify.WhenFailed, Kinds: []string{"migration"}}
	fine, other, partial := failedJob(), failedJob(), failedJob()
	fine.Status, fine.Error = sdk.Succeeded, nil
	other.Kind = "clone"
	partial.Status = sdk.Succeeded
	for _, j := range []*job.Job{fine, other, partial} {
		if err := send(t, spec, j); err != nil {
			t.Fatal(err)
		}
	}
	if mails, _ := s.got(); len(mails) != 1 || !strings.Contains(mails[0], "succeeded in part") {
		t.Errorf("got %q", mails)
	}
}

// receiver is a webhook's other end, which answers with the codes in turn and then 204.
func receiver(t *testing.T, codes ...int) (*httptest.Server, *atomic.Int64, chan notify.Hook) {
	var calls atomic.Int64
	hooks := make(chan notify.Hook, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = notify.Verify(secret, r.Header, body, time.Now())
		}
		var hook notify.Hook
		if err == nil {
			err = json.Unmarshal(body, &hook)
		}
		if err != nil || r.Method != http.MethodPost || r.Header.Get(notify.HeaderDelivery) != hook.Delivery {
			t.Errorf("%s with %v: %v", r.Method, r.Header, err)
		}
		n := int(calls.Add(1))
		if n <= len(codes) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(codes[n-1])
			return
		}
		hooks <- hook
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	return server, &calls, hooks
}

func post(t *testing.T, spec notify.WebhookSpec) error {
	t.Helper()
	spec.Secret, spec.FirstPause = secret, time.Microsecond
	sink, err := notify.Webhook(spec)
	if err != nil {
		t.Fatal(err)
	}
	return sink(t.Context(), failedJob())
}

func TestWebhook_SignedAndTriedAgain(t *testing.T) {
	server, calls, hooks := receiver(t, 503, 429)
	if err := post(t, notify.WebhookSpec{URL: server.URL + "/hook"}); err != nil {
		t.Fatal(err)
	}
	hook := <-hooks
	if calls.Load() != 3 || hook.Event != "job.ended" || hook.Outcome != "failed" || hook.Job.ID != failedJob().ID || hook.Job.Body != nil || hook.SentAt.IsZero() {
		t.Errorf("after %d calls %+v", calls.Load(), hook)
	}
}

func TestWebhook_Refusals(t *testing.T) {
	for code, want := range map[int]struct {
		kind  error
		calls int64
	}{500: {sdk.ErrUnavailable, 3}, 404: {sdk.ErrInvalid, 1}, 307: {sdk.ErrInvalid, 1}, 403: {sdk.ErrDenied, 1}} {
		server, calls, _ := receiver(t, code, code, code, code, code)
		err := post(t, notify.WebhookSpec{URL: server.URL + "/secret-path", Tries: 3})
		if !errors.Is(err, want.kind) || calls.Load() != want.calls || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%d: got %v after %d calls", code, err, calls.Load())
		}
	}
	err := post(t, notify.WebhookSpec{URL: "http://127.0.0.1:1/secret-path", Tries: 2})
	if !errors.Is(err, sdk.ErrUnavailable) || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("nobody there: %v", err)
	}
	tlsServer := httptest.NewTLSServer(http.NotFoundHandler())
	defer tlsServer.Close()
	if err := post(t, notify.WebhookSpec{URL: tlsServer.URL}); !errors.Is(err, sdk.ErrDenied) {
		t.Errorf("unknown certificate: %v", err)
	}
	sink, err := notify.Webhook(notify.WebhookSpec{URL: "http://127.0.0.1:1", Secret: secret, FirstPause: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sink(ctx, failedJob()); err == nil {
		t.Error("a canceled delivery succeeded")
	}
}

func TestWebhook_SpecRefused(t *testing.T) {
	for name, s := range map[string]notify.WebhookSpec{
		"no URL":       {Secret: secret},
		"scheme":       {URL: "ftp://example.com", Secret: secret},
		"in the clear": {URL: "http://example.com/hook", Secret: secret},
		"user":         {URL: "https://u:hunter2@example.com/hook", Secret: secret},
		"short secret": {URL: "https://example.com/hook", Secret: "short"},
		"tries":        {URL: "https://example.com/hook", Secret: secret, Tries: -1},
		"when":         {URL: "https://example.com/hook", Secret: secret, Filter: notify.Filter{When: "x"}},
	} {
		if _, err := notify.Webhook(s); !errors.Is(err, sdk.ErrInvalid) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestVerify_Refuses(t *testing.T) {
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	if err := post(t, notify.WebhookSpec{URL: server.URL}); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := notify.Verify(secret, header, body, now); err != nil {
		t.Fatal(err)
	}
	forged := header.Clone()
	forged.Set(notify.HeaderTimestamp, "1")
	for name, err := range map[string]error{
		"another body":   notify.Verify(secret, header, append(slices.Clone(body), ' '), now),
		"another secret": notify.Verify(secret+"x", header, body, now),
		"a replay":       notify.Verify(secret, header, body, now.Add(2*notify.Tolerance)),
		"another time":   notify.Verify(secret, forged, body, time.Unix(1, 0)),
		"no header":      notify.Verify(secret, http.Header{}, body, now),
	} {
		if !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
