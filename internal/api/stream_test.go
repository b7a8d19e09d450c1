package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// socket is a real client's.
type socket struct {
	t    testing.TB
	conn *websocket.Conn
}

// dial opens a socket as the feature document's examples do: with a URL and nothing else.
func (d *daemon) dial(path string, header ...string) *socket {
	d.t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, res, err := websocket.DefaultDialer.DialContext(d.t.Context(), "ws"+strings.TrimPrefix(d.url, "http")+path, h)
	if err != nil {
		status := 0
		if res != nil {
			status = res.StatusCode
		}
		d.t.Fatalf("dial %s: %v (status %d)", path, err, status)
	}
	d.t.Cleanup(func() { conn.Close() })
	return &socket{d.t, conn}
}

// refuses wants the upgrade to be refused with this status.
func (d *daemon) refuses(path string, status int, header ...string) {
	d.t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	conn, res, err := websocket.DefaultDialer.DialContext(d.t.Context(), "ws"+strings.TrimPrefix(d.url, "http")+path, h)
	if err == nil {
		conn.Close()
		d.t.Fatalf("dial %s: it opened, want status %d", path, status)
	}
	if res == nil || res.StatusCode != status {
		d.t.Fatalf("dial %s: %v (%v), want status %d", path, err, res, status)
	}
}

// next is the next message; the test fails when none comes.
func (s *socket) next() map[string]any {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(deadline))
	kind, text, err := s.conn.ReadMessage()
	if err != nil {
		s.t.Fatalf("read: %v", err)
	}
	var message map[string]any
	if err := json.Unmarshal(text, &message); err != nil || kind != websocket.TextMessage {
		s.t.Fatalf("message of type %d: %s (%v)", kind, text, err)
	}
	return message
}

// closes reads until the socket closes, and returns the code.
func (s *socket) closes() (code int, reason string) {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(deadline))
	for {
		if _, _, err := s.conn.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if !errors.As(err, &closed) {
				s.t.Fatalf("read: %v; want it closed in good order", err)
			}
			return closed.Code, closed.Text
		}
	}
}

// TestStream_MetricsExample is the feature document's first example.
func TestStream_MetricsExample(t *testing.T) {
	d := start(t, setup{noQueue: true})
	m := d.dial("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0&type=vm").next()
	for _, key := range []string{"cpu_percent", "memory_percent"} {
		if _, ok := m[key].(float64); !ok {
			t.Errorf("%s is %v: %v", key, m[key], m)
		}
	}
	if m["entity"] != "DC0_C0_RP0_VM0" || m["type"] != "vm" || m["time"] == nil {
		t.Errorf("message %v", m)
	}
	for _, of := range []string{"entity=DC0_C0_H0&type=host", "entity=DC0_C0&type=cluster"} {
		if m := d.dial("/vsphere/metrics/stream?" + of).next(); m["cpu_percent"] == nil {
			t.Errorf("%s: %v", of, m)
		}
	}
}

func TestStream_MetricsResume(t *testing.T) {
	d := start(t, setup{noQueue: true})
	s := d.dial("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0&samples=5")
	var times []string
	for range 5 {
		times = append(times, s.next()["time"].(string))
	}
	again := d.dial("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0&since=" + times[1])
	for _, want := range times[2:] {
		if got := again.next()["time"]; got != want {
			t.Fatalf("after %s comes %v, want %s", times[1], got, want)
		}
	}
}

func TestStream_MetricsOfWhatIsOffSaysWhy(t *testing.T) {
	d := start(t, setup{noQueue: true})
	d.post(vm0+"/power", `{"action":"off"}`).want(200)
	s := d.dial("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0")
	for range 20 { // the hour before it was powered off may have samples
		if m := s.next(); m["missing"] != nil || m["cpu_percent"] != nil {
			return
		}
	}
	t.Error("neither samples nor a reason came")
}

// TestStream_EventsExample is the feature document's second example, and the resume after it.
func TestStream_EventsExample(t *testing.T) {
	d := start(t, setup{noQueue: true})
	s := d.dial("/vsphere/events/stream?types=VmPoweredOffEvent,VmPoweredOnEvent")
	d.post(vm0+"/power", `{"action":"off"}`).want(200)
	off := s.next()
	if off["severity"] != "info" || off["event_type"] != "VmPoweredOffEvent" || off["message"] == "" {
		t.Errorf("event %v", off)
	}
	s.conn.Close()
	d.post(vm0+"/power", `{"action":"on"}`).want(200)
	again := d.dial(fmt.Sprintf("/vsphere/events/stream?types=VmPoweredOffEvent,VmPoweredOnEvent&since=%.0f", off["key"]))
	if on := again.next(); on["event_type"] != "VmPoweredOnEvent" {
		t.Errorf("after the one of key %v comes %v", off["key"], on)
	}
	past := d.dial("/vsphere/events/stream?since=1h&types=VmPoweredOffEvent")
	if e := past.next(); e["key"] != off["key"] {
		t.Errorf("since an hour: %v", e)
	}
}

func TestStream_Jobs(t *testing.T) {
	handler, began, letGo := held()
	d := start(t, setup{handler: handlers(handler)})
	s := d.dial("/jobs/stream")
	id := into[api.Accepted](d.post("/jobs", exportBody).want(202)).ID
	<-began
	var last job.Update
	follow := func(status sdk.Status) {
		t.Helper()
		for last.Job == nil || last.Job.Status != status {
			text, err := json.Marshal(s.next())
			if err != nil {
				t.Fatal(err)
			}
			var u job.Update
			if err := json.Unmarshal(text, &u); err != nil {
				t.Fatal(err)
			}
			if u.ID != id || u.Seq < last.Seq {
				t.Fatalf("update %s after %d", text, last.Seq)
			}
			last = u
		}
	}
	follow(sdk.Running)
	running := last.Seq
	close(letGo)
	follow(sdk.Succeeded)
	s = d.dial(fmt.Sprintf("/jobs/stream?since=%d", running))
	last = job.Update{}
	follow(sdk.Succeeded)
	d.refuses("/jobs/stream?since=yesterday", 422)
}

func TestStream_Refusals(t *testing.T) {
	d := start(t, setup{noQueue: true, change: secured})
	key := []string{"Authorization", "Bearer " + viewerToken}
	d.refuses("/vsphere/events/stream", 401)
	d.refuses("/vsphere/events/stream", 401, "Authorization", "Bearer guess")
	d.refuses("/vsphere/events/stream", 403, append(key, "Origin", "http://evil.example.com")...)
	d.refuses("/vsphere/events/stream", 403, append(key, "Origin", "null")...)
	d.refuses("/vsphere/metrics/stream", 422, key...)
	d.refuses("/vsphere/metrics/stream?entity=nobody", 404, key...)
	d.refuses("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0&type=toaster", 422, key...)
	d.refuses("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0&since=now-ish", 422, key...)
	d.refuses("/vsphere/events/stream?severity=awful", 422, key...)
	d.refuses("/jobs/stream", 503, key...)
	d.do(request{path: "/vsphere/events/stream", header: bearer(viewerToken)}).refused(426, "upgrade-required", "ws://")
	d.dial("/vsphere/events/stream?since=1h", append(key, "Origin", d.url)...).next()
}

func TestStream_TicketOpensOneSocket(t *testing.T) {
	d := start(t, setup{noQueue: true, change: secured})
	ticket := into[api.Ticket](d.do(request{method: "POST", path: "/auth/ticket", header: bearer(viewerToken)}).want(200)).Ticket
	d.do(request{path: "/vsphere/hosts?ticket=" + ticket}).refused(401, "unauthorized") // sockets only
	d.dial("/vsphere/events/stream?since=1h&ticket=" + ticket).next()
	d.refuses("/vsphere/events/stream?ticket="+ticket, 401)
	d.refuses("/vsphere/events/stream?ticket=made-up", 401)
	if strings.Contains(d.log.String()+d.audit.String(), ticket) {
		t.Error("the ticket is in a log")
	}
}

func TestStream_EndsWithTheDaemon(t *testing.T) {
	d := start(t, setup{noQueue: true})
	s := d.dial("/vsphere/events/stream?since=1h")
	s.next()
	d.api.Close()
	if code, reason := s.closes(); code != websocket.CloseGoingAway || !strings.Contains(reason, "since") {
		t.Errorf("closed with %d %q", code, reason)
	}
	d.refuses("/vsphere/events/stream", 503)
}

func TestStream_Heartbeats(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) { c.Limits.Ping = 20 * time.Millisecond }})
	s := d.dial("/vsphere/events/stream")
	pings := make(chan struct{}, 100)
	answer := s.conn.PingHandler()
	s.conn.SetPingHandler(func(text string) error {
		pings <- struct{}{}
		return answer(text)
	})
	read := make(chan error, 1)
	go func() {
		_, _, err := s.conn.ReadMessage()
		read <- err
	}()
	for range 5 { // it outlives many times the time in which a silent client is given up
		select {
		case <-pings:
		case err := <-read:
			t.Fatal(err)
		}
	}
	s.conn.Close()
	<-read
	d.dial("/vsphere/events/stream") // reads nothing, so answers no ping
	eventually(t, "a client without a sign of life is given up", func() bool {
		return strings.Count(d.log.String(), "path=/vsphere/events/stream status=101") == 2 // logged when a socket has ended
	})
}

// TestStream_SlowClientIsCut fills what the kernel holds for a client that reads nothing, and shows that another one is not held up.
func TestStream_SlowClientIsCut(t *testing.T) {
	d := start(t, setup{change: func(c *api.Config) { c.Limits.Stall = 300 * time.Millisecond; c.Limits.Ping = deadline }, handler: handlers(nothing)})
	slow, quick := d.dial("/jobs/stream"), d.dial("/jobs/stream")
	if err := slow.conn.NetConn().(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
		t.Fatal(err)
	}
	seen := make(chan int)
	go func() {
		defer close(seen)
		for n := 1; ; n++ {
			if _, _, err := quick.conn.ReadMessage(); err != nil {
				return
			}
			seen <- n
		}
	}()
	stop := make(chan struct{})
	defer func() { quick.conn.Close(); <-stop }()
	go func() {
		defer close(stop)
		for range seen { //nolint:revive // until the quick one is closed
		}
	}()
	padding := strings.Repeat("x", 200<<10)
	cut := func() bool {
		return strings.Contains(d.log.String(), "path=/jobs/stream status=101") // logged when a socket has ended
	}
	for sent := 0; !cut(); sent++ {
		if sent > 400 {
			t.Fatal("80 MB were sent and the client that reads nothing was not cut")
		}
		spec := job.Spec{Kind: "migration", Name: fmt.Sprint(sent), Body: json.RawMessage(fmt.Sprintf(`{"vm":"%d","padding":%q}`, sent, padding))}
		if _, _, err := d.queue.Submit(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	if err := quick.conn.WriteMessage(websocket.TextMessage, nil); err != nil {
		t.Errorf("the other client was cut too: %v", err)
	}
}

// TestStream_ManyShareOneSampler shows what a hundred watchers cost vCenter.
func TestStream_ManyShareOneSampler(t *testing.T) {
	d := start(t, setup{noQueue: true})
	d.dial("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0").next()
	before := d.vcenter.Calls()
	for range 100 {
		d.dial("/vsphere/metrics/stream?entity=DC0_C0_RP0_VM0").next()
	}
	after := d.vcenter.Calls()
	// The sampler goes on every 20 seconds of a loaded machine; watchers of their own would ask a hundred times at once.
	if n, samples := calls(before, after), after["QueryPerf"]-before["QueryPerf"]; n > 0 || samples > 50 {
		t.Errorf("a hundred more watchers cost %d calls and %d QueryPerf", n, samples)
	}
}

func TestStream_TooManySockets(t *testing.T) {
	d := start(t, setup{noQueue: true, change: func(c *api.Config) { c.Limits.Sockets = 1 }})
	first := d.dial("/vsphere/events/stream?since=1h")
	first.next()
	d.refuses("/vsphere/events/stream", 503)
	first.conn.Close()
	eventually(t, "there is room again", func() bool {
		conn, _, err := websocket.DefaultDialer.DialContext(context.WithoutCancel(t.Context()), "ws"+strings.TrimPrefix(d.url, "http")+"/vsphere/events/stream", nil)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
