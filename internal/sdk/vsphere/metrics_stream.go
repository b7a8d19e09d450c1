package vsphere

import (
	"context"
	"fmt"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// sampleLag is how long after its time a realtime sample can be read.
const sampleLag = 5 * time.Second

// StreamMetrics hands on realtime samples as vSphere takes them, every 20 seconds, until ctx ends or use fails: first the
// last ones, as many as spec.MaxSamples says (0: one), then each new one, once and in order. use is also called, without
// samples, when the reason changes why there are none. A lost connection is waited out. Start, End and other intervals are
// refused.
func (c *Client) StreamMetrics(ctx context.Context, spec MetricsSpec, use func(*Metrics) error) error {
	return newMetricsHub(c).stream(ctx, spec, use)
}

// stream is a hub for one watcher.
func (h *MetricsHub) stream(ctx context.Context, spec MetricsSpec, use func(*Metrics) error) error {
	if err := realtimeOnly(&spec); err != nil {
		return fmt.Errorf("follow metrics of %q: %w", spec.Entity, err)
	}
	ctx, stop := context.WithCancel(ctx)
	h.start(ctx)
	defer func() {
		stop()
		<-h.done
	}()
	w, err := h.Watch(ctx, spec)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		update, err := w.Next(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if err := use(update.Metrics); err != nil {
			return err
		}
	}
}

// realtimeOnly refuses what a stream cannot give.
func realtimeOnly(spec *MetricsSpec) error {
	if spec.Start != "" {
		return inField("start", sdk.Invalidf("what is followed begins now"))
	}
	if spec.End != "" {
		return inField("end", sdk.Invalidf("what is followed has no end"))
	}
	if spec.Interval != "" {
		d, err := ParseInterval(spec.Interval)
		if err != nil {
			return inField("interval", err)
		}
		if d != realtime {
			return inField("interval", sdk.Invalidf("samples are followed in real time, every 20 seconds, not every %s", formatSpan(d)))
		}
	}
	spec.Interval = "realtime"
	return nil
}
