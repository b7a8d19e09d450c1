package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

func TestOnEnd_EverySinkOnceOverManyNodes(t *testing.T) {
	clk, url := &clock{t: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)}, cluster(t)
	var mu sync.Mutex
	told := map[string]int{}
	var broken bool
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(cancel)
	sinks := map[string]queue.Sink{
		"mail": func(_ context.Context, j *job.Job) error {
			mu.Lock()
			defer mu.Unlock()
			told["mail "+j.Name+" "+string(j.Status)]++
			return nil
		},
		"hook": func(_ context.Context, j *job.Job) error {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				told["refused"]++
				return sdk.Unavailablef("nobody there")
			}
			told["hook "+j.Name+" "+string(j.Status)]++
			return errors.New("a final answer, whatever it says")
		},
	}
	nodes := make([]*queue.Queue, 3)
	for i := range nodes {
		nodes[i] = open(t, func(o *queue.Options) { o.URL, o.Now, o.Outbox, o.Logger = url, clk.now, true, nil })
		wg.Go(func() { _ = nodes[i].OnEnd(ctx, sinks) })
	}
	count := func(what string) int {
		mu.Lock()
		defer mu.Unlock()
		return told[what]
	}
	work(t, nodes[0], queue.WorkerSpec{Slots: 4, Handlers: map[string]queue.Handler{"k": done}})
	for i := range 10 {
		submit(t, nodes[i%3], job.Spec{Kind: "k", Name: fmt.Sprint(i)})
	}
	eventually(t, func() string {
		for i := range 10 {
			for _, sink := range []string{"hook ", "mail "} {
				if n := count(fmt.Sprint(sink, i, " succeeded")); n != 1 {
					return fmt.Sprintf("%s was told of job %d %d times", sink, i, n)
				}
			}
		}
		return ""
	})
	mu.Lock()
	broken = true
	mu.Unlock()
	j := submit(t, nodes[1], job.Spec{Kind: "nobody", Name: "late"})
	if _, err := nodes[2].Cancel(t.Context(), j.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() string { return map[bool]string{false: "not tried"}[count("refused") == 1] })
	mu.Lock()
	broken = false
	mu.Unlock()
	eventually(t, func() string {
		clk.set(clk.now().Add(time.Minute)) // the pause is counted from when the try ended
		return map[bool]string{false: "not tried again"}[count("hook late canceled") == 1]
	})
	eventually(t, func() string { return map[bool]string{false: "mail is not told"}[count("mail late canceled") == 1] })
	mu.Lock()
	defer mu.Unlock()
	for what, n := range told {
		if n != 1 && what != "refused" {
			t.Errorf("%s: told %d times", what, n)
		}
	}
}

func TestOnEnd_NeedsTheOutbox(t *testing.T) {
	if err := open(t, nil).OnEnd(t.Context(), nil); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
