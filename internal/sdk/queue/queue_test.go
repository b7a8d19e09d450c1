package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

func TestJob_RunsToItsEnd(t *testing.T) {
	q := open(t, nil)
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"copy": func(_ context.Context, task *queue.Task) (any, error) {
		var spec struct{ VM string }
		if err := task.Decode(&spec); err != nil {
			return nil, err
		}
		task.Plan("export", "fix")
		task.Report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 5, Total: 10, Unit: "bytes"})
		task.Report(sdk.Progress{Stage: "export", Item: "disk-1", Done: 10, Total: 10, Unit: "bytes", Status: sdk.Succeeded})
		task.Report(sdk.Progress{Stage: "export", Status: sdk.Succeeded})
		task.Log(slog.LevelInfo, "copied %s with password=%s", spec.VM, "hunter2")
		task.Logger(nil).With("vm", spec.VM).Warn("slow", "took", time.Second)
		task.AddArtifact(job.Artifact{Name: "disk-0", Path: "/x/disk-0.qcow2", Bytes: 10})
		return map[string]string{"vm": spec.VM, "admin_password": "hunter2"}, nil
	}}})
	j := submit(t, q, job.Spec{Kind: "copy", Name: "web", Body: json.RawMessage(`{"vm":"web"}`)})
	j = until(t, q, j.ID, "succeeded", is(sdk.Succeeded))

	if want := `{"admin_password":"[redacted]","vm":"web"}`; string(j.Result) != want {
		t.Errorf("result %s, want %s", j.Result, want)
	}
	if j.Percent != 100 || j.Attempts != 1 || j.Lease != nil || j.Worker != "w1" || j.Ended.IsZero() || j.Error != nil {
		t.Errorf("got %+v", j)
	}
	if len(j.Stages) != 2 || j.Stages[0].Done != 15 || j.Stages[0].Total != 20 || j.Stages[1].Status != sdk.Skipped {
		t.Errorf("stages %+v", j.Stages)
	}
	if len(j.Files) != 1 || j.Files[0].Worker != "w1" {
		t.Errorf("artifacts %+v", j.Files)
	}
	lines, err := q.Logs(t.Context(), j.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, line := range lines {
		if line.Line != int64(i+1) {
			t.Errorf("line %d has the number %d", i+1, line.Line)
		}
		fmt.Fprintln(&text, line.Level, line.Text)
	}
	if want := "info attempt 1 on worker w1\ninfo copied web with password=[redacted]\nwarn slow vm=web took=1s\n"; text.String() != want {
		t.Errorf("log:\n%swant:\n%s", text.String(), want)
	}
}

func TestJob_Outcomes(t *testing.T) {
	q := open(t, nil)
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{
		"missing": func(context.Context, *queue.Task) (any, error) {
			return nil, sdk.WithHint(sdk.NotFoundf("VM %q not found", "web"), "list them")
		},
		"partial": func(context.Context, *queue.Task) (any, error) {
			return 1, &sdk.PartialError{Done: []string{"export"}, Failed: map[string]error{"fix": errors.New("no kernel")}}
		},
		"nothing": func(context.Context, *queue.Task) (any, error) {
			return nil, &sdk.PartialError{Failed: map[string]error{"a": errors.New("no")}}
		},
		"panics": func(context.Context, *queue.Task) (any, error) { panic("oh") },
		"unread": func(_ context.Context, task *queue.Task) (any, error) { return nil, task.Decode(&struct{}{}) },
		"big": func(context.Context, *queue.Task) (any, error) {
			return strings.Repeat("x", job.MaxResultBytes), nil
		},
	}})
	for kind, want := range map[string]struct {
		status sdk.Status
		kind   string
	}{
		"missing": {sdk.Failed, job.KindNotFound},
		"partial": {sdk.Succeeded, job.KindPartial},
		"nothing": {sdk.Failed, job.KindPartial},
		"panics":  {sdk.Failed, job.KindInternal},
		"unread":  {sdk.Failed, job.KindInvalid},
		"big":     {sdk.Succeeded, job.KindPartial},
	} {
		j := submit(t, q, job.Spec{Kind: kind, Body: json.RawMessage(`{"a":1}`)})
		j = until(t, q, j.ID, "an end", func(j *job.Job) bool { return !j.Live() })
		if j.Status != want.status || j.Error == nil || j.Error.Kind != want.kind {
			t.Errorf("%s: got %s, %+v", kind, j.Status, j.Error)
		}
	}
}

func TestSubmit_SameKeyIsOneJob(t *testing.T) {
	q := open(t, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids, made := map[string]bool{}, 0
	for range 20 {
		wg.Go(func() {
			j, created, err := q.Submit(t.Context(), job.Spec{Kind: "copy", Key: "same"})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[j.ID] = true
			if created {
				made++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || made != 1 {
		t.Fatalf("%d jobs, %d times created", len(ids), made)
	}
	submit(t, q, job.Spec{Kind: "other", Key: "same"}) // another kind is other work
	var first string
	for id := range ids {
		first = id
	}
	if _, err := q.Cancel(t.Context(), first, "ann", "no"); err != nil {
		t.Fatal(err)
	}
	second := submit(t, q, job.Spec{Kind: "copy", Key: "same"})
	if second.ID == first {
		t.Error("an ended job was returned for its key")
	}
	if _, err := q.Retry(t.Context(), first); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("retry beside a live job with the same key: %v", err)
	}
}

func TestSubmit_Refuses(t *testing.T) {
	q := open(t, func(o *queue.Options) { o.MaxLive = 1 })
	for name, spec := range map[string]job.Spec{"no kind": {}, "secret": {Kind: "a", Body: json.RawMessage(`{"password":"x"}`)}} {
		if _, _, err := q.Submit(t.Context(), spec); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	submit(t, q, job.Spec{Kind: "a"})
	if _, _, err := q.Submit(t.Context(), job.Spec{Kind: "a"}); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("beyond the limit: got %v", err)
	}
}

func TestGet_NotFound(t *testing.T) {
	q := open(t, nil)
	for _, id := range []string{"", "x", "../a", "*", ">", "01927d3e-0000-7000-8000-000000000000"} {
		if _, err := q.Get(t.Context(), id); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("get %q: %v", id, err)
		}
		if _, err := q.Cancel(t.Context(), id, "", ""); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("cancel %q: %v", id, err)
		}
		if _, err := q.Logs(t.Context(), id, 0, 0); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("logs of %q: %v", id, err)
		}
	}
}

func TestCancel(t *testing.T) {
	q := open(t, nil)
	h := newHold()
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"hold": h.handle}})
	running := submit(t, q, job.Spec{Kind: "hold", Key: "k"})
	h.wait(t)
	pending := submit(t, q, job.Spec{Kind: "hold"})

	got, err := q.Cancel(t.Context(), pending.ID, "ann", "token=abc not needed")
	if err != nil || got.Status != sdk.Canceled || got.Cancel.By != "ann" || got.Cancel.Reason != "token=[redacted] not needed" {
		t.Errorf("pending: %+v, %v", got, err)
	}
	got, err = q.Cancel(t.Context(), running.ID, "ann", "")
	if err != nil || got.Status != sdk.Running || got.Cancel == nil {
		t.Errorf("running: %+v, %v", got, err)
	}
	until(t, q, running.ID, "canceled", is(sdk.Canceled))
	if _, err := q.Cancel(t.Context(), running.ID, "ann", ""); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("an ended one: %v", err)
	}
	again, err := q.Retry(t.Context(), running.ID)
	if err != nil || again.Status != sdk.Pending || again.Cancel != nil {
		t.Fatalf("retry: %+v, %v", again, err)
	}
	if task := h.wait(t); task.Job().ID != running.ID || task.Job().Attempts != 2 {
		t.Errorf("started %+v", task.Job())
	}
	if _, err := q.Retry(t.Context(), running.ID); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("retry of a running one: %v", err)
	}
	close(h.release)
	until(t, q, running.ID, "succeeded", is(sdk.Succeeded))
}

func TestRetry_OnItsOwn(t *testing.T) {
	clk := &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	q := open(t, func(o *queue.Options) { o.Now = clk.now })
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"busy": func(context.Context, *queue.Task) (any, error) {
		return nil, sdk.Unavailablef("vCenter is busy")
	}}})
	j := submit(t, q, job.Spec{Kind: "busy", MaxRetries: 1})
	j = until(t, q, j.ID, "pending again", func(j *job.Job) bool { return j.Retries == 1 })
	if j.Status != sdk.Pending || j.NotBefore.Sub(clk.now()) != 10*time.Second || j.Error == nil || !strings.HasPrefix(j.Waiting, "starts at") {
		t.Fatalf("got %+v", j)
	}
	clk.set(j.NotBefore)
	if j = until(t, q, j.ID, "failed", is(sdk.Failed)); j.Attempts != 2 {
		t.Errorf("%d attempts", j.Attempts)
	}
}

func TestList_FiltersAndPages(t *testing.T) {
	q := open(t, nil)
	var ids []string
	for i := range 25 {
		ids = append(ids, submit(t, q, job.Spec{Kind: []string{"a", "b"}[i%2], Name: fmt.Sprintf("vm-%02d", i)}).ID)
	}
	var got []string
	f := job.Filter{Kind: []string{"a"}, Limit: 5}
	for pages := 0; ; pages++ {
		page, err := q.List(f)
		if err != nil {
			t.Fatal(err)
		}
		if page.Total != 13 || pages > 3 {
			t.Fatalf("page %d: total %d", pages, page.Total)
		}
		for _, j := range page.Jobs {
			got = append(got, j.ID)
		}
		if f.After = page.Next; f.After == "" {
			break
		}
	}
	if len(got) != 13 || got[0] != ids[24] || got[12] != ids[0] {
		t.Errorf("got %d jobs, %v", len(got), got)
	}
	if page, err := q.List(job.Filter{Name: "vm-1?"}); err != nil || page.Total != 10 {
		t.Errorf("by name: %+v, %v", page, err)
	}
	if _, err := q.List(job.Filter{Name: "["}); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("a bad pattern: %v", err)
	}
	if c := q.Counts(); c["a"][sdk.Pending] != 13 || c["b"][sdk.Pending] != 12 {
		t.Errorf("counts %v", c)
	}
}

func TestOpen_DiskSurvivesAndIsExclusive(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "queue")
	q, err := queue.Open(t.Context(), queue.Options{Embedded: queue.Embedded{Dir: dir}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := queue.Open(t.Context(), queue.Options{Embedded: queue.Embedded{Dir: dir}}); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("a second process: %v", err)
	}
	j := submit(t, q, job.Spec{Kind: "a", Key: "k", Name: "web"})
	q.Close()
	again := open(t, func(o *queue.Options) { o.Dir = dir })
	page, err := again.List(job.Filter{})
	if err != nil || page.Total != 1 || page.Jobs[0].ID != j.ID || page.Jobs[0].Name != "web" {
		t.Errorf("after a restart: %+v, %v", page, err)
	}
	if same, created, err := again.Submit(t.Context(), job.Spec{Kind: "a", Key: "k"}); err != nil || created || same.ID != j.ID {
		t.Errorf("the key after a restart: %+v, %v, %v", same, created, err)
	}
}

func TestOpen_Refuses(t *testing.T) {
	dir := t.TempDir()
	for name, o := range map[string]queue.Options{
		"neither":          {},
		"both":             {Embedded: queue.Embedded{Dir: dir}, External: queue.External{URL: "nats://127.0.0.1:1"}},
		"secret in URL":    {External: queue.External{URL: "nats://user:hunter2@127.0.0.1:1"}},
		"scheme":           {External: queue.External{URL: "http://127.0.0.1:1"}},
		"replicas":         {Embedded: queue.Embedded{Dir: dir}, Replicas: 3},
		"namespace":        {Embedded: queue.Embedded{Dir: dir}, Namespace: "a.b"},
		"ack-wait":         {Embedded: queue.Embedded{Dir: dir}, AckWait: time.Millisecond},
		"open to all":      {Embedded: queue.Embedded{Dir: dir, Listen: "0.0.0.0:0", ListenToken: "0123456789abcdef"}},
		"listen, no token": {Embedded: queue.Embedded{Dir: dir, Listen: "127.0.0.1:0"}},
		"nkey":             {External: queue.External{URL: "nats://127.0.0.1:1", NKey: filepath.Join(dir, "no")}},
	} {
		q, err := queue.Open(t.Context(), o)
		if err == nil {
			q.Close()
		}
		if !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the refusal shows the secret: %v", name, err)
		}
	}
	if _, err := queue.Open(t.Context(), queue.Options{External: queue.External{URL: "nats://127.0.0.1:1"}}); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("nobody there: %v", err)
	}
}
