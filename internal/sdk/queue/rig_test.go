package queue_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/goleak"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

// TestMain makes the test binary a worker or a daemon when it is started as one (see crash_test.go).
func TestMain(m *testing.M) {
	if role := os.Getenv("QUEUE_TEST_ROLE"); role != "" {
		if err := playRole(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m,
		// The server's own, for the life of the process.
		goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server.init.0.func1"),
		goleak.IgnoreAnyFunction("github.com/nats-io/nats-server/v2/server.(*ipQueue[...]).push"))
}

// deadline is how long a condition may take on a loaded machine; nothing is measured by it.
const deadline = 60 * time.Second

func open(t *testing.T, change func(*queue.Options)) *queue.Queue {
	t.Helper()
	o := queue.Options{AckWait: 20 * time.Second, Tick: 20 * time.Millisecond, Logger: testLogger(t)}
	if change != nil {
		change(&o)
	}
	if o.Dir == "" && o.URL == "" {
		o.Dir = filepath.Join(t.TempDir(), "queue")
	}
	q, err := queue.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func testLogger(t *testing.T) *slog.Logger {
	return slog.New(slog.NewTextHandler(&testWriter{t: t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// testWriter stops writing with its test: a server's last words come late.
type testWriter struct {
	mu   sync.Mutex
	t    *testing.T
	once sync.Once
	over bool
}

func (w *testWriter) Write(p []byte) (int, error) {
	w.once.Do(func() {
		w.t.Cleanup(func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.over = true
		})
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Logf("%s", p)
	}
	return len(p), nil
}

func work(t *testing.T, q *queue.Queue, spec queue.WorkerSpec) *queue.Worker {
	t.Helper()
	set := spec
	if set.Name == "" {
		set.Name = "w1"
	}
	w, err := q.Work(set)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), deadline)
		defer cancel()
		if err := w.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return w
}

func submit(t *testing.T, q *queue.Queue, spec job.Spec) *job.Job {
	t.Helper()
	j, created, err := q.Submit(t.Context(), spec)
	if err != nil || !created {
		t.Fatalf("submit %+v: created %v, %v", spec, created, err)
	}
	return j
}

// until polls the store until the job is as ok wants it.
func until(t *testing.T, q *queue.Queue, id, what string, ok func(*job.Job) bool) *job.Job {
	t.Helper()
	var last *job.Job
	eventually(t, func() string {
		j, err := q.Get(t.Context(), id)
		if err != nil {
			return err.Error()
		}
		if last = j; ok(j) {
			return ""
		}
		text, _ := json.Marshal(j)
		return "want " + what + ", got " + string(text)
	})
	return last
}

func is(s sdk.Status) func(*job.Job) bool { return func(j *job.Job) bool { return j.Status == s } }

// eventually polls until check has nothing to complain about.
func eventually(t *testing.T, check func() string) {
	t.Helper()
	end := time.Now().Add(deadline)
	for {
		complaint := check()
		if complaint == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatal(complaint)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// done is a handler that is through at once.
func done(context.Context, *queue.Task) (any, error) { return map[string]string{"it": "is done"}, nil }

// hold is a handler that runs until it is let go or told to stop.
type hold struct {
	started chan *queue.Task
	release chan struct{}
}

func newHold() *hold {
	return &hold{started: make(chan *queue.Task, 100), release: make(chan struct{})}
}

func (h *hold) handle(ctx context.Context, t *queue.Task) (any, error) {
	h.started <- t
	select {
	case <-h.release:
		return nil, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (h *hold) wait(t *testing.T) *queue.Task {
	t.Helper()
	select {
	case task := <-h.started:
		return task
	case <-time.After(deadline):
		t.Fatal("no job started")
		return nil
	}
}

// clock is a wall clock that a test moves.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = t
}

// cluster is a NATS server of its own on a loopback port.
func cluster(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(),
		SyncAlways: true, NoSigs: true, NoLog: true, JetStreamMaxStore: 4 << 30, NoSystemAccount: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(deadline) {
		t.Fatal("the NATS server does not start")
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.ClientURL()
}

// certificate is a server's for 127.0.0.1 and the client's trust in it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12},
		&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
}
