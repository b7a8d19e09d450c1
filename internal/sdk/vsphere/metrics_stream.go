package vsphere

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	return c.streamMetrics(ctx, spec, use, func(until time.Duration) { pause(ctx, until) })
}

func (c *Client) streamMetrics(ctx context.Context, spec MetricsSpec, use func(*Metrics) error, wait func(time.Duration)) error {
	if err := realtimeOnly(&spec); err != nil {
		return fmt.Errorf("follow metrics of %q: %w", spec.Entity, err)
	}
	if spec.MaxSamples == 0 {
		spec.MaxSamples = 1
	}
	var last time.Time
	var missing map[string]string
	for ctx.Err() == nil {
		m, err := c.GetMetrics(ctx, spec)
		switch {
		case errors.Is(err, sdk.ErrUnavailable) && !last.IsZero() && ctx.Err() == nil:
			c.log.Warn("metrics are interrupted", "error", err)
		case err != nil:
			return err
		default:
			m.Samples = slices.DeleteFunc(m.Samples, func(s MetricSample) bool { return !s.Time.After(last) })
			if len(m.Samples) > 0 || !maps.Equal(m.Missing, missing) {
				if err := use(m); err != nil {
					return err
				}
			}
			missing = m.Missing
			if n := len(m.Samples); n > 0 {
				last = m.Samples[n-1].Time
			}
			spec.MaxSamples = defaultSamples // after an interruption, what was missed
		}
		now, err := c.serverTime(ctx)
		if err != nil {
			now = time.Now()
		}
		wait(now.Truncate(realtime).Add(realtime + sampleLag).Sub(now))
	}
	return ctx.Err()
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
