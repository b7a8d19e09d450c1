package vsphere

import (
	"context"
	"errors"
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
	err = c.streamMetrics(ctx, MetricsSpec{Entity: "DC0_C0_RP0_VM0", MaxSamples: 4}, func(m *Metrics) error {
		for _, s := range m.Samples {
			seen[s.Time]++
		}
		return nil
	}, func(until time.Duration) {
		if until <= 0 || until > realtime+sampleLag {
			t.Errorf("waits %v, want a moment after the next sample", until)
		}
		if rounds++; rounds == 2 {
			v.EndSessions() // a lost session is no end
		}
		if rounds == 5 {
			cancel()
		}
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
