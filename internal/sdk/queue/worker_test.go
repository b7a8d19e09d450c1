package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

func TestWorker_PriorityThenAge(t *testing.T) {
	q := open(t, nil)
	var mu sync.Mutex
	var order []string
	for _, p := range []struct {
		name     string
		priority int
	}{{"a", 0}, {"b", 5}, {"c", -5}, {"d", 5}, {"e", 0}} {
		submit(t, q, job.Spec{Kind: "k", Name: p.name, Priority: p.priority})
	}
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"k": func(_ context.Context, task *queue.Task) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, task.Job().Name)
		return nil, nil
	}}})
	eventually(t, func() string {
		mu.Lock()
		defer mu.Unlock()
		if got := strings.Join(order, ""); got != "bdaec" {
			return "order " + got
		}
		return ""
	})
}

func TestWorker_PlacementByLabels(t *testing.T) {
	q := open(t, nil)
	var mu sync.Mutex
	ran := map[string]string{}
	handle := func(_ context.Context, task *queue.Task) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		ran[task.Job().Name] = task.Job().Worker
		return nil, nil
	}
	work(t, q, queue.WorkerSpec{Name: "kvm1", Slots: 4, Labels: map[string]string{"site": "a"}, Handlers: map[string]queue.Handler{"k": handle}})
	work(t, q, queue.WorkerSpec{Name: "kvm2", Slots: 4, Labels: map[string]string{"site": "b"}, Handlers: map[string]queue.Handler{"k": handle}})
	for i := range 10 {
		submit(t, q, job.Spec{Kind: "k", Name: fmt.Sprint("b", i), Placement: map[string]string{"site": "b"}})
		submit(t, q, job.Spec{Kind: "k", Name: fmt.Sprint("1", i), Placement: map[string]string{"worker": "kvm1"}})
	}
	nowhere := submit(t, q, job.Spec{Kind: "k", Placement: map[string]string{"site": "c"}})
	noKind := submit(t, q, job.Spec{Kind: "other"})
	eventually(t, func() string {
		mu.Lock()
		defer mu.Unlock()
		if len(ran) < 20 {
			return fmt.Sprint(ran)
		}
		return ""
	})
	for name, worker := range ran {
		if want := map[byte]string{'b': "kvm2", '1': "kvm1"}[name[0]]; worker != want {
			t.Errorf("%s ran on %s", name, worker)
		}
	}
	until(t, q, nowhere.ID, "the reason", func(j *job.Job) bool { return j.Waiting == `no worker runs jobs of kind "k" with labels site=c` })
	until(t, q, noKind.ID, "the reason", func(j *job.Job) bool { return j.Waiting == `no worker runs jobs of kind "other"` })
	eventually(t, func() string {
		if names := q.Workers(); len(names) != 2 || names[0].Name != "kvm1" || names[0].Labels["site"] != "a" || names[0].Slots != 4 {
			return fmt.Sprintf("workers %+v", names)
		}
		return ""
	})
}

func TestWorker_LimitsPerSourceAndTarget(t *testing.T) {
	q := open(t, func(o *queue.Options) { o.PerSource, o.PerTarget = 1, 2 })
	h := newHold()
	work(t, q, queue.WorkerSpec{Slots: 10, Handlers: map[string]queue.Handler{"k": h.handle}})
	for i := range 3 {
		submit(t, q, job.Spec{Kind: "k", Name: fmt.Sprint("same source ", i), Limits: job.Limits{Source: "esxi-1"}})
	}
	for i := range 3 {
		submit(t, q, job.Spec{Kind: "k", Name: fmt.Sprint("same target ", i), Limits: job.Limits{Source: fmt.Sprint("other-", i), Target: "kvm-1"}})
	}
	submit(t, q, job.Spec{Kind: "k", Name: "free"})
	var started []string
	for range 4 {
		started = append(started, h.wait(t).Job().Name)
	}
	slices.Sort(started)
	if got := strings.Join(started, ","); got != "free,same source 0,same target 0,same target 1" {
		t.Fatalf("started %s", got)
	}
	page, err := q.List(job.Filter{Status: []sdk.Status{sdk.Pending}})
	if err != nil || page.Total != 3 {
		t.Fatalf("pending %+v, %v", page, err)
	}
	for _, j := range page.Jobs {
		if want := map[bool]string{true: "source esxi-1 runs 1 jobs, its limit", false: "target kvm-1 runs 2 jobs, its limit"}[j.Limits.Target == ""]; j.Waiting != want {
			t.Errorf("%s waits because %q", j.Name, j.Waiting)
		}
	}
	close(h.release)
	eventually(t, func() string {
		if page, err := q.List(job.Filter{Status: []sdk.Status{sdk.Succeeded}}); err != nil || page.Total != 7 {
			return fmt.Sprintf("%+v, %v", page, err)
		}
		return ""
	})
}

func TestWorker_TimeWindow(t *testing.T) {
	clk := &clock{t: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}
	q := open(t, func(o *queue.Options) { o.Now = clk.now })
	work(t, q, queue.WorkerSpec{Handlers: map[string]queue.Handler{"k": done}})
	later := submit(t, q, job.Spec{Kind: "k", NotBefore: clk.now().Add(time.Hour)})
	night := submit(t, q, job.Spec{Kind: "k", Window: &job.Window{Start: "22:00", End: "06:00"}})
	now := submit(t, q, job.Spec{Kind: "k"})
	until(t, q, now.ID, "succeeded", is(sdk.Succeeded))
	for id, want := range map[string]string{later.ID: "starts at 2026-01-10T13:00:00Z at the earliest", night.ID: "starts at 2026-01-10T22:00:00Z at the earliest"} {
		if j, err := q.Get(t.Context(), id); err != nil || j.Status != sdk.Pending || j.Waiting != want {
			t.Errorf("got %+v, %v", j, err)
		}
	}
	clk.set(clk.now().Add(time.Hour))
	until(t, q, later.ID, "succeeded", is(sdk.Succeeded))
	clk.set(time.Date(2026, 1, 10, 22, 0, 0, 0, time.UTC))
	until(t, q, night.ID, "succeeded", is(sdk.Succeeded))
}

func TestWorker_StopHandsBackAtOnce(t *testing.T) {
	url := cluster(t)
	nodes := [2]*queue.Queue{}
	for i := range nodes {
		nodes[i] = open(t, func(o *queue.Options) { o.URL, o.AckWait = url, time.Hour }) // no lease ends by itself here
	}
	h := newHold()
	first := work(t, nodes[0], queue.WorkerSpec{Name: "w1", Handlers: map[string]queue.Handler{"k": h.handle}})
	j := submit(t, nodes[1], job.Spec{Kind: "k", Limits: job.Limits{Source: "esxi-1"}})
	one := h.wait(t)
	if err := first.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	until(t, nodes[1], j.ID, "pending", func(j *job.Job) bool { return j.Status == sdk.Pending && j.Lease == nil && j.Lost == 0 })
	work(t, nodes[1], queue.WorkerSpec{Name: "w2", Handlers: map[string]queue.Handler{"k": h.handle}})
	two := h.wait(t)
	if two.Job().ID != j.ID || two.Fence() <= one.Fence() {
		t.Errorf("the second execution has fence %d after %d", two.Fence(), one.Fence())
	}
	if err := one.Check(t.Context()); err == nil {
		t.Error("the first execution still has the lease")
	}
	close(h.release)
	if j := until(t, nodes[0], j.ID, "succeeded", is(sdk.Succeeded)); j.Worker != "w2" || j.Attempts != 2 {
		t.Errorf("got %+v", j)
	}
}

func TestWorker_StopTellsWhatGoesOn(t *testing.T) {
	q := open(t, nil)
	started, release := make(chan struct{}), make(chan struct{})
	w, err := q.Work(queue.WorkerSpec{Name: "w", Handlers: map[string]queue.Handler{"deaf": func(context.Context, *queue.Task) (any, error) {
		close(started)
		<-release
		return nil, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	j := submit(t, q, job.Spec{Kind: "deaf"})
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Stop(ctx); err == nil || !strings.Contains(err.Error(), j.ID) {
		t.Errorf("got %v", err)
	}
	close(release)
	if err := w.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	until(t, q, j.ID, "succeeded", is(sdk.Succeeded)) // it was through in spite of the stop
}

// A worker that is cut off ends its handler before anybody else may start the job, and a deaf handler is aborted.
func TestWorker_CutOffStopsItself(t *testing.T) {
	url, cut := proxy(t, cluster(t))
	q := open(t, func(o *queue.Options) { o.URL, o.AckWait = url, time.Second })
	cause, aborted, release := make(chan error, 1), make(chan string, 1), make(chan struct{})
	started := make(chan *queue.Task, 1)
	work(t, q, queue.WorkerSpec{Name: "cut", Abort: func(id string) { aborted <- id },
		Handlers: map[string]queue.Handler{"k": func(ctx context.Context, task *queue.Task) (any, error) {
			if task.Job().Attempts > 1 {
				return nil, nil
			}
			started <- task
			<-ctx.Done()
			cause <- context.Cause(ctx)
			<-release // deaf from here on
			return nil, nil
		}}})
	j := submit(t, q, job.Spec{Kind: "k"})
	<-started
	cut(true)
	select {
	case err := <-cause:
		if !errors.Is(err, queue.ErrLeaseLost) {
			t.Errorf("the handler was ended by %v", err)
		}
	case <-time.After(deadline):
		t.Fatal("the handler goes on")
	}
	select {
	case id := <-aborted:
		if id != j.ID {
			t.Errorf("aborted %s", id)
		}
	case <-time.After(deadline):
		t.Fatal("the deaf handler is not aborted")
	}
	close(release)
	cut(false)
	until(t, q, j.ID, "succeeded", is(sdk.Succeeded)) // its work was whole and nobody had taken it
}

func TestWork_Refuses(t *testing.T) {
	q := open(t, nil)
	handlers := map[string]queue.Handler{"k": done}
	for name, spec := range map[string]queue.WorkerSpec{"no name": {Handlers: handlers}, "bad name": {Name: "a b", Handlers: handlers},
		"no handlers": {Name: "w"}, "slots": {Name: "w", Slots: -1, Handlers: handlers}} {
		if _, err := q.Work(spec); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
