package queue_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

func next(t *testing.T, w *queue.Watch) job.Update {
	t.Helper()
	select {
	case u, ok := <-w.Updates:
		if !ok {
			t.Fatal("the watch ended")
		}
		return u
	case <-time.After(deadline):
		t.Fatal("no update")
	}
	return job.Update{}
}

func TestWatch_ResumesAfterWhatWasSeen(t *testing.T) {
	q := open(t, nil)
	a := submit(t, q, job.Spec{Kind: "k", Name: "a"})
	ctx, cancel := context.WithCancel(t.Context())
	w, err := q.Watch(ctx, 0, job.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	u := next(t, w)
	for u.Seq < a.Revision { // a change that this node made is told again when it is followed
		u = next(t, w)
	}
	if u.ID != a.ID || u.Job.Status != sdk.Pending {
		t.Fatalf("got %+v", u)
	}
	cancel()
	eventually(t, func() string {
		if _, ok := <-w.Updates; ok {
			return "the watch goes on"
		}
		return ""
	})
	b := submit(t, q, job.Spec{Kind: "k", Name: "b"})
	if _, err := q.Cancel(t.Context(), b.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	again, err := q.Watch(t.Context(), u.Seq, job.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for u = next(t, again); u.ID == b.ID && u.Job.Status != sdk.Canceled; u = next(t, again) {
	}
	if u.ID != b.ID {
		t.Errorf("got %+v: a was seen before", u)
	}
	if fresh, err := q.Watch(t.Context(), 1<<40, job.Filter{}); err != nil || next(t, fresh).Job == nil {
		t.Errorf("a number from the future does not begin anew: %v", err)
	}
}

// A follower that does not read holds nobody up, and in the end has every job's last state.
func TestWatch_SlowFollowerGetsTheLastState(t *testing.T) {
	q := open(t, nil)
	w, err := q.Watch(t.Context(), 0, job.Filter{Kind: []string{"k"}})
	if err != nil {
		t.Fatal(err)
	}
	work(t, q, queue.WorkerSpec{Slots: 4, Handlers: map[string]queue.Handler{"k": done, "other": done}})
	const n = 30
	for range n {
		submit(t, q, job.Spec{Kind: "k"})
		submit(t, q, job.Spec{Kind: "other"})
	}
	eventually(t, func() string {
		if c := q.Counts(); c["k"][sdk.Succeeded] != n {
			return fmt.Sprint(c)
		}
		return ""
	})
	ended, updates, last := map[string]bool{}, 0, uint64(0)
	for len(ended) < n {
		u := next(t, w)
		updates++
		if u.Job.Kind != "k" || u.Seq < last {
			t.Fatalf("update %+v after %d", u, last)
		}
		last = u.Seq
		if u.Job.Status == sdk.Succeeded {
			ended[u.ID] = true
		}
	}
	if updates > 3*n {
		t.Errorf("%d updates of %d jobs: nothing was merged", updates, n)
	}
}

func TestClose_EndsWatches(t *testing.T) {
	q, err := queue.Open(t.Context(), queue.Options{Embedded: queue.Embedded{Dir: filepath.Join(t.TempDir(), "queue")}})
	if err != nil {
		t.Fatal(err)
	}
	w, err := q.Watch(t.Context(), 0, job.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	q.Close()
	if u, ok := <-w.Updates; ok {
		t.Errorf("got %+v", u)
	}
}

func TestWait(t *testing.T) {
	q := open(t, nil)
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"k": done}})
	j := submit(t, q, job.Spec{Kind: "k"})
	seen := 0
	if j, err := q.Wait(t.Context(), j.ID, func(*job.Job) { seen++ }); err != nil || j.Status != sdk.Succeeded || seen == 0 {
		t.Errorf("got %+v, %v after %d", j, err, seen)
	}
	idle := submit(t, q, job.Spec{Kind: "nobody"})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := q.Wait(ctx, idle.ID, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if _, err := q.Wait(t.Context(), "no", nil); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestLogs_FollowToTheEnd(t *testing.T) {
	url := cluster(t)
	worker, reader := open(t, func(o *queue.Options) { o.URL = url }), open(t, func(o *queue.Options) { o.URL = url })
	step := make(chan struct{})
	work(t, worker, queue.WorkerSpec{Handlers: map[string]queue.Handler{"k": func(ctx context.Context, task *queue.Task) (any, error) {
		for i := range 5 {
			select {
			case <-step:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			task.Log(slog.LevelInfo, "line %d", i)
		}
		return nil, nil
	}}})
	j := submit(t, reader, job.Spec{Kind: "k"})
	step <- struct{}{}
	var got []string
	for line, err := range reader.FollowLogs(t.Context(), j.ID, 1) { // the first line is passed over
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, line.Text); len(got) < 5 {
			step <- struct{}{} // the next line comes after this one was read
		}
	}
	if want := "line 0,line 1,line 2,line 3,line 4"; strings.Join(got, ",") != want {
		t.Errorf("got %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	idle := submit(t, reader, job.Spec{Kind: "nobody"})
	cancel()
	for _, err := range reader.FollowLogs(ctx, idle.ID, 0) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	}
}

func TestLogs_Pages(t *testing.T) {
	q := open(t, nil)
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"k": func(_ context.Context, task *queue.Task) (any, error) {
		for i := range 1500 { // more than may wait: some are counted and dropped
			task.Log(slog.LevelDebug, "line %d", i)
		}
		task.Log(slog.LevelError, "%s", strings.Repeat("x", 20<<10))
		return nil, nil
	}}})
	j := submit(t, q, job.Spec{Kind: "k"})
	until(t, q, j.ID, "succeeded", is(sdk.Succeeded))
	var lines []job.LogLine
	for since := int64(0); ; {
		page, err := q.Logs(t.Context(), j.ID, since, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		if lines, since = append(lines, page...), page[len(page)-1].Line; len(page) > 100 {
			t.Fatalf("a page of %d", len(page))
		}
	}
	for i, line := range lines {
		if line.Line != int64(i+1) || len(line.Text) > 9<<10 {
			t.Fatalf("line %d is %d, %d bytes", i+1, line.Line, len(line.Text))
		}
	}
	written, dropped := 0, 0
	for _, line := range lines {
		if n := 0; strings.Contains(line.Text, "lines dropped") {
			if _, err := fmt.Sscanf(line.Text, "%d lines", &n); err != nil {
				t.Fatal(err)
			}
			dropped += n
		} else {
			written++
		}
	}
	if written < 1000 || written+dropped != 1502 { // with the first line of the attempt
		t.Errorf("%d lines written, %d dropped, of 1502", written, dropped)
	}
}

func TestRetention(t *testing.T) {
	clk := &clock{t: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}
	q := open(t, func(o *queue.Options) { o.Now, o.KeepNumber, o.KeepFor = clk.now, 3, 24*time.Hour })
	live := submit(t, q, job.Spec{Kind: "nobody"})
	w, err := q.Watch(t.Context(), live.Revision, job.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"k": done}})
	var ids []string
	for range 6 {
		clk.set(clk.now().Add(time.Second))
		ids = append(ids, submit(t, q, job.Spec{Kind: "k"}).ID)
		if _, err := q.Wait(t.Context(), ids[len(ids)-1], nil); err != nil && !errors.Is(err, sdk.ErrNotFound) {
			t.Fatal(err)
		}
	}
	left := func() []string {
		page, err := q.List(job.Filter{Kind: []string{"k"}})
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, j := range page.Jobs {
			left = append(left, j.ID)
		}
		return left
	}
	eventually(t, func() string {
		if got := left(); len(got) != 3 || got[0] != ids[5] || got[2] != ids[3] {
			return fmt.Sprint("left ", got)
		}
		return ""
	})
	if _, err := q.Logs(t.Context(), ids[0], 0, 0); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("the log of a removed job: %v", err)
	}
	for u := next(t, w); !u.Deleted; u = next(t, w) {
	}
	clk.set(clk.now().Add(48 * time.Hour))
	eventually(t, func() string {
		if got := left(); len(got) != 0 {
			return fmt.Sprint("left ", got)
		}
		return ""
	})
	if j, err := q.Get(t.Context(), live.ID); err != nil || j.Status != sdk.Pending {
		t.Errorf("the live job: %+v, %v", j, err)
	}
	if err := q.Delete(t.Context(), live.ID); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("delete of a live job: %v", err)
	}
	if _, err := q.Cancel(t.Context(), live.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	if err := q.Delete(t.Context(), live.ID); err != nil {
		t.Error(err)
	}
}

// An embedded server takes workers of other machines, with its token only.
func TestListen_RemoteWorker(t *testing.T) {
	const token = "0123456789abcdef"
	q := open(t, func(o *queue.Options) { o.Listen, o.ListenToken = "127.0.0.1:0", token })
	url := "nats://" + q.ListenAddr()
	if _, err := queue.Open(t.Context(), queue.Options{External: queue.External{URL: url, Token: "another token, that long"}}); !errors.Is(err, sdk.ErrDenied) {
		t.Errorf("with a wrong token: %v", err)
	}
	if _, err := queue.Open(t.Context(), queue.Options{External: queue.External{URL: url}}); !errors.Is(err, sdk.ErrDenied) {
		t.Errorf("without a token: %v", err)
	}
	remote := open(t, func(o *queue.Options) { o.URL, o.Token = url, token })
	work(t, remote, queue.WorkerSpec{Name: "remote", Handlers: map[string]queue.Handler{"k": done}})
	j := submit(t, q, job.Spec{Kind: "k"})
	if j = until(t, q, j.ID, "succeeded", is(sdk.Succeeded)); j.Worker != "remote" {
		t.Errorf("ran on %s", j.Worker)
	}
	if open(t, nil).ListenAddr() != "" {
		t.Error("a queue that was not asked to listen listens")
	}
}

func TestListen_OverTLS(t *testing.T) {
	const token = "0123456789abcdef"
	server, client := certificate(t)
	q := open(t, func(o *queue.Options) { o.Listen, o.ListenToken, o.ListenTLS = "127.0.0.1:0", token, server })
	submit(t, q, job.Spec{Kind: "k"}) // the node itself needs no TLS to reach its own server
	if _, err := queue.Open(t.Context(), queue.Options{External: queue.External{URL: "tls://" + q.ListenAddr(), Token: token}}); err == nil {
		t.Error("an unknown certificate is trusted")
	}
	remote := open(t, func(o *queue.Options) { o.URL, o.Token, o.TLS = "tls://"+q.ListenAddr(), token, client })
	if page, err := remote.List(job.Filter{}); err != nil || page.Total != 1 {
		t.Errorf("over TLS: %+v, %v", page, err)
	}
}
