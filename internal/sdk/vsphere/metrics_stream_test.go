package vsphere

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestStreamMetrics_EachSampleOnce(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c, err := Dial(t.Context(), Config{URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := map[time.Time]int{}
	rounds := 0
	h := newMetricsHub(c)
	h.pause = func(_ context.Context, until time.Duration) {
		if until <= 0 || until > realtime+sampleLag {
			t.Errorf("waits %v, want a moment after the next sample", until)
		}
		if rounds++; rounds == 2 {
			v.EndSessions() // a lost session is no end
		}
		if rounds == 5 {
			cancel()
		}
	}
	err = h.stream(ctx, MetricsSpec{Entity: "DC0_C0_RP0_VM0", MaxSamples: 4}, func(m *Metrics) error {
		for _, s := range m.Samples {
			seen[s.Time]++
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || rounds != 5 {
		t.Errorf("got %v after %d rounds, want canceled after 5", err, rounds)
	}
	if len(seen) < 4 {
		t.Errorf("got %d samples, want 4 or more", len(seen))
	}
	for at, n := range seen {
		if n != 1 {
			t.Errorf("%s came %d times", at, n)
		}
	}
}

// An outage of several samples is told once, and what was missed comes afterwards.
func TestStreamMetrics_AnOutageIsToldOnce(t *testing.T) {
	var ahead atomic.Int64 // seconds
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) }
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Clock: clock})
	var talk bytes.Buffer
	c, err := Dial(t.Context(), Config{
		URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile(),
		Logger: slog.New(slog.NewTextHandler(&talk, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var times []time.Time
	end, rounds := func() {}, 0
	h := newMetricsHub(c)
	h.pause = func(context.Context, time.Duration) {
		ahead.Add(int64(realtime / time.Second))
		c.clock.mu.Lock()
		c.clock.server, c.clock.read = clock(), time.Now()
		c.clock.mu.Unlock()
		switch rounds++; rounds {
		case 2:
			end = v.Outage(true)
		case 5:
			end()
		case 10:
			cancel()
		}
	}
	err = h.stream(ctx, MetricsSpec{Entity: "DC0_C0_RP0_VM0"}, func(m *Metrics) error {
		for _, s := range m.Samples {
			times = append(times, s.Time)
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || len(times) < 8 {
		t.Fatalf("%d samples, %v", len(times), err)
	}
	for i := range times[1:] {
		if gap := times[i+1].Sub(times[i]); gap != realtime {
			t.Errorf("%s between two samples", gap)
		}
	}
	if n := strings.Count(talk.String(), "\n"); n != 1 || !strings.Contains(talk.String(), "metrics are interrupted") {
		t.Errorf("%d lines, want one that says so:\n%s", n, talk.String())
	}
}

// A day of samples, 4320 of them, with a clock that is twenty seconds further each time: what lives on the heap at its end, the
// simulator's part included, is what lived there after the first two hours.
func TestStreamMetrics_ADayInFlatMemory(t *testing.T) {
	const warm, day = 360, 4320
	var ahead atomic.Int64 // seconds
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load()) * time.Second) }
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Clock: clock})
	c, err := Dial(t.Context(), Config{URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(t.Context()) })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	samples, base := 0, uint64(0)
	var last time.Time
	h := newMetricsHub(c)
	h.pause = func(context.Context, time.Duration) {
		ahead.Add(int64(realtime / time.Second))
		c.clock.mu.Lock()
		c.clock.server, c.clock.read = clock(), time.Now()
		c.clock.mu.Unlock()
	}
	err = h.stream(ctx, MetricsSpec{Entity: "DC0_C0_RP0_VM0"}, func(m *Metrics) error {
		for _, s := range m.Samples {
			if !last.IsZero() && s.Time.Sub(last) != realtime {
				t.Errorf("%s comes after %s", s.Time, last)
			}
			last = s.Time
		}
		before := samples
		if samples += len(m.Samples); before < warm && samples >= warm {
			base = liveHeap()
		}
		if samples >= day {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || samples < day {
		t.Fatalf("%d samples, %v", samples, err)
	}
	if grown := int64(liveHeap()) - int64(base); grown > 256<<10 {
		t.Errorf("%d bytes more live on the heap after %d samples than after %d", grown, day, warm)
	}
}

// liveHeap is how many bytes live on the heap.
func liveHeap() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one only prepared: finalizers, pools
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

func TestStreamMetrics_Refusals(t *testing.T) {
	for field, spec := range map[string]MetricsSpec{
		"interval": {Entity: "x", Interval: "5m"}, "start": {Entity: "x", Start: "1h"}, "end": {Entity: "x", End: "now"},
	} {
		err := new(Client).StreamMetrics(t.Context(), spec, nil)
		if !errors.Is(err, sdk.ErrInvalid) || Field(err) != field {
			t.Errorf("got %v on %q, want ErrInvalid on %s", err, Field(err), field)
		}
	}
}
