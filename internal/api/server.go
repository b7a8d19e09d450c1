package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Config is what a Server stands on. VSphere is required.
type Config struct {
	VSphere *vsphere.Client
	Version string
	Logger  *slog.Logger // nil: silent
	Audit   io.Writer    // gets a line of JSON for every change; nil: only GET /audit shows them

	Jobs Jobs // nil: the daemon runs none
	// Preview finds out what a migration would do, on this machine; nil: the daemon plans none.
	Preview func(context.Context, migrate.Spec) (*migrate.Plan, error)
	// LibvirtURI is where domains go when a request does not say.
	LibvirtURI string

	Dashboard http.Handler // serves the pages below /ui/; nil: there are none

	Auth     Auth
	Loopback bool     // it listens on the loopback interface alone
	Hosts    []string // names besides addresses and localhost that it answers for
	Origins  []string // of pages from elsewhere that may talk to it: https://dash.example.com

	Limits Limits
}

// Limits bound what one client can take. A zero field is its default.
type Limits struct {
	Body       int64         // bytes of a request's body; 1 MiB
	BodyRead   time.Duration // for the body to arrive; 10 s
	Stall      time.Duration // for a client to take the next piece of an answer or the next message of a socket; 30 s
	PerSecond  float64       // requests of one client; 100, negative: no limit
	Burst      int           // of them at once; 200
	Sockets    int           // open at once; 4096
	Ping       time.Duration // between signs of life on a socket; 20 s
	ShortReads time.Duration // for vCenter to answer a read; 60 s
}

func (l Limits) withDefaults() Limits {
	l.Body = positive(l.Body, 1<<20)
	l.BodyRead = positive(l.BodyRead, 10*time.Second)
	l.Stall = positive(l.Stall, 30*time.Second)
	l.Burst = positive(l.Burst, 200)
	l.Sockets = positive(l.Sockets, 4096)
	l.Ping = positive(l.Ping, 20*time.Second)
	l.ShortReads = positive(l.ShortReads, time.Minute)
	if l.PerSecond == 0 {
		l.PerSecond = 100
	}
	return l
}

func positive[T int | int64 | time.Duration](n, def T) T {
	if n > 0 {
		return n
	}
	return def
}

// Server answers the API's requests. Its Handler serves until Close.
type Server struct {
	vc         *vsphere.Client
	version    string
	log        *slog.Logger
	limits     Limits
	jobs       Jobs
	preview    func(context.Context, migrate.Spec) (*migrate.Plan, error)
	libvirtURI string

	guard    *guard
	hosts    *hosts
	rates    *rates
	failures *rates
	audit    *audit
	answers  *answers
	mirror   *vsphere.Mirror
	metrics  *vsphere.MetricsHub
	events   *vsphere.EventHub

	sockets     *sockets
	madeMetrics *prepared[*vsphere.Metrics]
	madeEvents  *prepared[*vsphere.Event]
	madeJobs    *prepared[updateKey]

	closed <-chan struct{} // everything that has no end of its own watches it
	close  context.CancelFunc
	work   sync.WaitGroup

	mux     *http.ServeMux
	api     huma.API
	handler http.Handler
}

// failed tries of one address: one in six seconds, ten at once.
const (
	failuresPerSecond = 1.0 / 6
	failuresBurst     = 10
)

// New makes a server, and begins to mirror vCenter's inventory. The caller serves its Handler and closes it; what it does in the
// background also ends with ctx.
func New(ctx context.Context, cfg Config) (*Server, error) {
	limits := cfg.Limits.withDefaults()
	s := &Server{
		vc: cfg.VSphere, version: cfg.Version, log: cfg.Logger, limits: limits, jobs: cfg.Jobs, preview: cfg.Preview, libvirtURI: cfg.LibvirtURI,
		guard: newGuard(cfg.Auth), hosts: newHosts(cfg.Hosts, cfg.Origins, cfg.Loopback),
		rates: newRates(limits.PerSecond, limits.Burst), failures: newRates(failuresPerSecond, failuresBurst),
		audit: &audit{out: cfg.Audit}, answers: newAnswers(), mux: http.NewServeMux(),
	}
	ctx, closeAll := context.WithCancel(ctx)
	s.closed, s.close, s.mirror = ctx.Done(), closeAll, cfg.VSphere.StartMirror(ctx)
	s.metrics, s.events = cfg.VSphere.StartMetrics(ctx), cfg.VSphere.StartEvents(ctx, 0)
	s.sockets = newSockets(limits.Sockets)
	s.madeMetrics, s.madeEvents, s.madeJobs = newPrepared[*vsphere.Metrics](), newPrepared[*vsphere.Event](), newPrepared[updateKey]()
	s.work.Go(func() { s.sockets.ping(limits.Ping, s.closed) })
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.api = humago.New(s.mux, s.openAPI())
	aliases(s.api.OpenAPI().Components.Schemas)
	s.api.UseMiddleware(authorize)
	s.routes()
	if err := s.serveDocs(); err != nil {
		s.Close()
		return nil, fmt.Errorf("describe the API: %w", err)
	}
	s.servePages(cfg.Dashboard)
	s.handler = s.front(s.found(compressed(s.mux)))
	return s, nil
}

// Handler is the whole API behind its front door.
func (s *Server) Handler() http.Handler { return s.handler }

// Close ends the sockets and the work behind them, and waits for it.
func (s *Server) Close() {
	s.sockets.end()
	s.close()
	s.work.Wait()
	<-s.mirror.Done()
	<-s.metrics.Done()
	<-s.events.Done()
}

// untilClosed is ctx that also ends with the server.
func (s *Server) untilClosed(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-s.closed:
			cancel(errClosing)
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		cancel(nil)
		watching.Wait()
	}
}

var errClosing = sdk.Unavailablef("the daemon is ending")

// openAPI is how the document begins. huma's own documents are off: ours is served by docs.go.
func (s *Server) openAPI() huma.Config {
	format := huma.Format{Marshal: writeJSON, Unmarshal: json.Unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "hypersdkd", Version: s.version,
				Description: "vSphere inventory, metrics, events, clones, pools and migrations to KVM, by REST and WebSocket. Errors are RFC 9457 problems with a hint.",
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", schemaName),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "The token from the daemon's token file"},
					"cookie": {Type: "apiKey", In: "cookie", Name: cookieName, Description: "What POST /auth/login gives a browser for a token"},
				},
			},
			Security: []map[string][]string{{"bearer": {}}, {"cookie": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{ourProblems},
	}
}

// writeJSON writes as encoding/json does, without escapes for HTML.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// ourProblems gives every error one form, also those that huma makes.
func ourProblems(ctx huma.Context, _ string, v any) (any, error) {
	var p *Problem
	switch e := v.(type) {
	case *huma.ErrorModel:
		p = fromHuma(e)
	case *Problem:
		p = e
	default:
		return v, nil
	}
	p.RequestID = requestOf(ctx.Context()).id
	if p.Status == http.StatusServiceUnavailable {
		ctx.SetHeader("Retry-After", "5")
	}
	return p, nil
}

// found answers for paths and methods that no route has, in the form of every other refusal.
func (s *Server) found(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := s.mux.Handler(r)
		if pattern != "" {
			next.ServeHTTP(w, r)
			return
		}
		probe := &probe{header: http.Header{}}
		h.ServeHTTP(probe, r)
		switch probe.status {
		case http.StatusMethodNotAllowed:
			w.Header().Set("Allow", probe.header.Get("Allow"))
			problem(probe.status, "method-not-allowed", r.Method+" is not what this path knows").hinted("it knows "+probe.header.Get("Allow")).write(w, r)
		case http.StatusNotFound:
			problem(probe.status, "not-found", "there is nothing at "+r.URL.Path).hinted("GET /openapi.json lists what there is; /docs shows it").write(w, r)
		default: // a redirect to the clean form of the path
			h.ServeHTTP(w, r)
		}
	})
}

// probe keeps an answer's head.
type probe struct {
	header http.Header
	status int
}

func (p *probe) Header() http.Header { return p.header }
func (p *probe) WriteHeader(s int)   { p.status = s }
func (p *probe) Write(b []byte) (int, error) {
	if p.status == 0 {
		p.status = http.StatusOK
	}
	return len(b), nil
}
