package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// The queue's server has them for the life of the process.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*ipQueue[...]).push"))
}

// deadline is how long a condition may take on a loaded machine; nothing is measured by it.
const deadline = 60 * time.Second

const (
	adminToken    = "admin-token-of-the-tests"
	operatorToken = "operator-token-of-the-tests"
	viewerToken   = "viewer-token-of-the-tests"
)

var tokens = api.Auth{Credentials: []api.Credential{
	{Name: "ada", Role: api.Admin, Token: adminToken},
	{Name: "otto", Role: api.Operator, Token: operatorToken},
	{Name: "vera", Role: api.Viewer, Token: viewerToken},
}}

// daemon is an API over a simulated vCenter.
type daemon struct {
	t       testing.TB
	vcenter *demo.VCenter
	client  *vsphere.Client
	queue   *queue.Queue
	api     *api.Server
	url     string
	audit   *text
	log     *text
}

// text is what is written by several at once.
type text struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (w *text) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.Write(p)
}

func (w *text) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

type setup struct {
	demo    demo.Options
	change  func(*api.Config)
	noQueue bool
	handler map[string]queue.Handler
}

// start serves the API without authentication and without limits of rate, unless change says otherwise.
func start(t testing.TB, with setup) *daemon {
	t.Helper()
	d := &daemon{t: t, vcenter: rig.VCenter(t, with.demo), audit: &text{}, log: &text{}}
	var err error
	d.client, err = vsphere.Dial(t.Context(), vsphere.Config{
		URL: d.vcenter.URL(), Username: d.vcenter.Username(), Password: vsphere.Secret(d.vcenter.Password()), CAFile: d.vcenter.CAFile(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.client.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Errorf("log out: %v", err)
		}
		if n := d.vcenter.Sessions(); n != 0 {
			t.Errorf("%d sessions are left at vCenter", n)
		}
	})
	cfg := api.Config{
		VSphere: d.client, Version: "1.2.3", Audit: d.audit, Logger: slog.New(slog.NewTextHandler(d.log, nil)),
		Auth: api.Auth{Disabled: true}, Loopback: true, Limits: api.Limits{PerSecond: -1},
	}
	if !with.noQueue {
		cfg.Jobs = d.startQueue(with.handler)
	}
	if with.change != nil {
		with.change(&cfg)
	}
	if d.api, err = api.New(context.WithoutCancel(t.Context()), cfg); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(d.api.Handler())
	d.url = server.URL
	t.Cleanup(func() {
		d.api.Close()
		server.Close()
	})
	return d
}

// startQueue runs the verbs of vCenter as the daemon does, and other handlers besides.
func (d *daemon) startQueue(more map[string]queue.Handler) api.Jobs {
	d.t.Helper()
	var err error
	d.queue, err = queue.Open(d.t.Context(), queue.Options{
		Embedded: queue.Embedded{Dir: filepath.Join(d.t.TempDir(), "jobs")}, AckWait: 10 * time.Second, Tick: 20 * time.Millisecond,
	})
	if err != nil {
		d.t.Fatal(err)
	}
	handlers := map[string]queue.Handler{
		api.KindClone: func(ctx context.Context, t *queue.Task) (any, error) {
			var item vsphere.CloneItem
			if err := t.Decode(&item); err != nil {
				return nil, err
			}
			t.Log(slog.LevelInfo, "clone %s", item.TargetName)
			result, err := d.client.CloneOne(ctx, item, t.Report)
			return api.CloneAnswerOf(result), err
		},
		api.KindCloneBulk: func(ctx context.Context, t *queue.Task) (any, error) {
			var spec vsphere.CloneBulkSpec
			if err := t.Decode(&spec); err != nil {
				return nil, err
			}
			return d.client.CloneBulk(ctx, spec, t.Report)
		},
		api.KindTemplateCreate: func(ctx context.Context, t *queue.Task) (any, error) {
			var spec vsphere.TemplateSpec
			if err := t.Decode(&spec); err != nil {
				return nil, err
			}
			result, err := d.client.CreateTemplate(ctx, spec, t.Report)
			return api.TemplateAnswerOf(result), err
		},
	}
	handlers[api.KindTemplateDeploy] = handlers[api.KindClone]
	for kind, handler := range more {
		handlers[kind] = handler
	}
	worker, err := d.queue.Work(queue.WorkerSpec{Name: "test", Slots: 8, Handlers: handlers})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() {
		if err := worker.Stop(context.WithoutCancel(d.t.Context())); err != nil {
			d.t.Errorf("stop the worker: %v", err)
		}
		d.queue.Close()
	})
	return d.queue
}

// reply is an answer, read whole.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// request is what a test sends; the zero value of what it does not name is what curl would send.
type request struct {
	method, path, body string
	header             map[string]string
	host               string
}

func (d *daemon) do(q request) reply {
	d.t.Helper()
	var body io.Reader
	if q.body != "" {
		body = strings.NewReader(q.body)
	}
	r, err := http.NewRequestWithContext(context.WithoutCancel(d.t.Context()), orGet(q.method), d.url+q.path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	if q.host != "" {
		r.Host = q.host
	}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		d.t.Fatalf("%s %s: %v", orGet(q.method), q.path, err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatalf("%s %s: %v", orGet(q.method), q.path, err)
	}
	return reply{d.t, res.StatusCode, res.Header, text}
}

func orGet(method string) string {
	if method == "" {
		return http.MethodGet
	}
	return method
}

func (d *daemon) get(path string) reply { d.t.Helper(); return d.do(request{path: path}) }
func (d *daemon) post(path, body string) reply {
	d.t.Helper()
	return d.do(request{method: "POST", path: path, body: body})
}

// want fails the test unless the status is this one.
func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d: %s", r.status, status, r.body)
	}
	return r
}

// into decodes the body.
func into[T any](r reply) T {
	r.t.Helper()
	var v T
	if err := json.Unmarshal(r.body, &v); err != nil {
		r.t.Fatalf("%v: %s", err, r.body)
	}
	return v
}

// refused wants a problem of this status and kind that says all of the words.
func (r reply) refused(status int, kind string, words ...string) api.Problem {
	r.t.Helper()
	r.want(status)
	p := into[api.Problem](r)
	if got := r.header.Get("Content-Type"); got != "application/problem+json" {
		r.t.Errorf("Content-Type %q", got)
	}
	if p.Status != status || p.Type != "urn:hypersdk:problem:"+kind || p.Title == "" || p.Detail == "" || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") {
		r.t.Errorf("problem %+v; want status %d and kind %s", p, status, kind)
	}
	for _, word := range words {
		if !strings.Contains(p.Detail+" "+p.Hint, word) {
			r.t.Errorf("problem %q (%q) does not say %q", p.Detail, p.Hint, word)
		}
	}
	return p
}

// eventually polls until the condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %s", what, deadline)
		}
	}
}

// calls counts the SOAP calls between two counts, without those that mirror, sampler and event stream make by themselves: a list would be a
// view and a retrieve.
func calls(before, after map[string]int) int {
	n := 0
	for method, count := range after {
		switch method {
		case "WaitForUpdatesEx", "CurrentTime", "QueryPerf", "ReadNextEvents", "CreateFilter", "CreatePropertyCollector", "DestroyPropertyCollector",
			"CreateCollectorForEvents", "RewindCollector", "DestroyCollector":
		default:
			n += count - before[method]
		}
	}
	return n
}
