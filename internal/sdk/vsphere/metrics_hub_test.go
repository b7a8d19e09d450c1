package vsphere

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// ticking is a hub whose clock is the test's: each tick is 20 seconds later at vCenter, and has been sampled when tick returns.
type ticking struct {
	*MetricsHub
	v     *demo.VCenter
	ticks chan struct{}
	idle  chan struct{}
	stop  context.CancelFunc
}

func newTicking(t testing.TB, opts demo.Options) *ticking {
	t.Helper()
	v := rig.VCenter(t, opts)
	c, err := Dial(t.Context(), Config{URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	c.clock.server, c.clock.read = time.Now().Add(-30*time.Minute), time.Now() // vCenter has no samples of the future
	ctx, stop := context.WithCancel(t.Context())
	k := &ticking{MetricsHub: newMetricsHub(c), v: v, ticks: make(chan struct{}), idle: make(chan struct{}, 1), stop: stop}
	k.pause = func(ctx context.Context, _ time.Duration) {
		select {
		case k.idle <- struct{}{}:
		case <-ctx.Done():
		}
		select {
		case <-k.ticks:
		case <-ctx.Done():
		}
	}
	k.start(ctx)
	t.Cleanup(func() {
		stop()
		<-k.Done()
		_ = c.Close(context.WithoutCancel(t.Context()))
	})
	return k
}

// tick samples once. The hub waits in its pause before and after.
func (k *ticking) tick() {
	<-k.idle
	k.c.clock.mu.Lock()
	k.c.clock.server = k.c.clock.server.Add(realtime)
	k.c.clock.mu.Unlock()
	k.ticks <- struct{}{}
	<-k.idle
	k.idle <- struct{}{} // given back
}

func next(t testing.TB, w *MetricsWatch) MetricsUpdate {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	u, err := w.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMetricsHub_OneQueryForAThousandWatchers(t *testing.T) {
	k := newTicking(t, demo.Options{Hosts: 1, VMs: 2})
	var watches []*MetricsWatch
	for range 1000 {
		w, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0"})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		watches = append(watches, w)
	}
	if n := k.v.Calls()["QueryPerf"]; n != 1 {
		t.Errorf("%d queries for the first samples, want 1", n)
	}
	for _, w := range watches {
		if u := next(t, w); len(u.Metrics.Samples) != 1 {
			t.Fatalf("joins with %d samples, want the last one", len(u.Metrics.Samples))
		}
	}
	before := k.v.Calls()
	k.tick()
	var shared *Metrics
	for _, w := range watches {
		u := next(t, w)
		if shared == nil {
			shared = u.Metrics
		}
		if u.Metrics != shared || len(u.Metrics.Samples) != 1 || u.Skipped != 0 {
			t.Fatalf("got %d samples, %d skipped, shared %v", len(u.Metrics.Samples), u.Skipped, u.Metrics == shared)
		}
	}
	if n := calls1(before, k.v.Calls()); n["QueryPerf"] != 1 || len(n) != 1 {
		t.Errorf("a tick made the calls %v, want one QueryPerf", n)
	}
}

func calls1(before, after map[string]int) map[string]int {
	made := map[string]int{}
	for method, n := range after {
		if n > before[method] {
			made[method] = n - before[method]
		}
	}
	return made
}

func TestMetricsHub_EntitiesShareACall(t *testing.T) {
	k := newTicking(t, demo.Options{Hosts: 2, VMs: 3})
	var watches []*MetricsWatch
	for _, spec := range []MetricsSpec{
		{Entity: "DC0_C0_RP0_VM0"}, {Entity: "DC0_C0_RP0_VM1", Counters: []string{"cpu_percent"}}, {Entity: "DC0_C0_RP0_VM1"},
		{Entity: "DC0_C0_H0", Type: TypeHost}, {Entity: "DC0_C0", Type: TypeCluster},
	} {
		w, err := k.Watch(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		next(t, w)
		watches = append(watches, w)
	}
	before := k.v.Calls()["QueryPerf"]
	k.tick()
	for i, w := range watches {
		m := next(t, w).Metrics
		if len(m.Samples) != 1 || len(m.Samples[0].Values) != len(m.Units) {
			t.Errorf("watch %d: got %+v", i, m)
		}
	}
	if n := k.v.Calls()["QueryPerf"] - before; n != 1 {
		t.Errorf("%d queries for five watches of four entities, want 1", n)
	}
}

func TestMetricsHub_SlowWatcherFindsWhatItMissed(t *testing.T) {
	k := newTicking(t, demo.Options{Hosts: 1, VMs: 1})
	slow, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0", MaxSamples: 180})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	first := next(t, slow).Metrics.Samples
	if len(first) < 80 { // half an hour, as the clock here is behind by the other half
		t.Fatalf("got %d samples, want those of the last hour", len(first))
	}
	for range 3 {
		k.tick()
	}
	u := next(t, slow)
	if len(u.Metrics.Samples) != 3 || u.Skipped != 0 || !u.Metrics.Samples[0].Time.After(first[len(first)-1].Time) {
		t.Errorf("got %d samples and %d skipped, want the 3 that were missed", len(u.Metrics.Samples), u.Skipped)
	}
	f := slow.feed
	f.mu.Lock()
	f.total += 500 // as if it had slept for hours
	f.mu.Unlock()
	if u = next(t, slow); u.Skipped != 500-len(u.Metrics.Samples) || len(u.Metrics.Samples) != len(f.samples) {
		t.Errorf("got %d samples and %d skipped of 500", len(u.Metrics.Samples), u.Skipped)
	}
}

func TestMetricsHub_LastOneOutStopsTheSampling(t *testing.T) {
	k := newTicking(t, demo.Options{Hosts: 1, VMs: 1})
	a, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0"})
	if err != nil {
		t.Fatal(err)
	}
	a.Close()
	a.Close()
	if _, err := a.Next(t.Context()); err != nil { // what was there already
		t.Fatal(err)
	}
	if _, err := a.Next(t.Context()); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("a closed watch gives %v, want ErrConflict", err)
	}
	k.tick()
	before := k.v.Calls()["QueryPerf"]
	b.Close()
	<-k.idle
	k.ticks <- struct{}{} // samples nothing, and waits for somebody to come
	if n := len(k.sampled()); n != 0 {
		t.Errorf("%d feeds without a watcher", n)
	}
	c, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n := k.v.Calls()["QueryPerf"] - before; n != 1 {
		t.Errorf("%d queries, want that of the new watcher", n)
	}
}

func TestMetricsHub_OutlastsAnOutageAndTellsOfADeletedVM(t *testing.T) {
	k := newTicking(t, demo.Options{Hosts: 1, VMs: 2})
	var watches []*MetricsWatch
	for i := range 2 {
		w, err := k.Watch(t.Context(), MetricsSpec{Entity: fmt.Sprintf("DC0_C0_RP0_VM%d", i)})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		next(t, w)
		watches = append(watches, w)
	}
	end := k.v.Outage(true)
	k.tick()
	k.tick()
	end()
	k.tick()
	for _, w := range watches {
		if n := len(next(t, w).Metrics.Samples); n != 3 {
			t.Errorf("%d samples after the outage, want 3", n)
		}
	}
	vm, err := k.c.GetVM(t.Context(), "DC0_C0_RP0_VM1")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.c.DeleteVM(t.Context(), vm, PowerOffPolicy{Force: true}, nil); err != nil {
		t.Fatal(err)
	}
	k.tick()
	next(t, watches[0])
	if _, err := watches[1].Next(t.Context()); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v for a VM that is gone, want ErrNotFound", err)
	}
}

func TestMetricsHub_Refusals(t *testing.T) {
	k := newTicking(t, demo.Options{Hosts: 1, VMs: 1})
	for field, spec := range map[string]MetricsSpec{
		"interval": {Entity: "x", Interval: "5m"}, "start": {Entity: "x", Start: "1h"}, "entity": {Entity: "DC0_C0_RP0_VM7"},
		"counters": {Entity: "DC0_C0_RP0_VM0", Counters: []string{"cpu.nonsense"}},
	} {
		if _, err := k.Watch(t.Context(), spec); Field(err) != field {
			t.Errorf("got %v on %q, want %s", err, Field(err), field)
		}
	}
	if len(k.feeds) != 0 {
		t.Errorf("%d feeds of what was refused", len(k.feeds))
	}
	w, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	next(t, w)
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := w.Next(t.Context()); !errors.Is(err, sdk.ErrConflict) {
			t.Errorf("got %v from a hub that ended, want ErrConflict", err)
		}
	})
	k.stop()
	wait.Wait()
	if _, err := k.Watch(t.Context(), MetricsSpec{Entity: "DC0_C0_RP0_VM0"}); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("got %v from an ended hub, want ErrConflict", err)
	}
}
