package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/gorilla/websocket"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	maxMessage = 16 << 20
	// silence is how long a stream may say nothing, not even a ping, before it counts as lost.
	silence = 90 * time.Second
	// quickFailures is how often in a row a stream that never stood is tried, before that is an error.
	quickFailures = 3
)

// errEnough is what use returns to end a stream that ends well.
var errEnough = errors.New("enough")

// StreamEvents hands on new events in the order of their keys, each once, until ctx ends or use fails. A lost connection is waited out,
// and what happened meanwhile comes first then. Until and Limit are not heeded.
func (c *Client) StreamEvents(ctx context.Context, spec vsphere.EventsSpec, use func(vsphere.Event) error) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	spec.Until, spec.Limit = "", 0
	q := eventsQuery(spec)
	return follow(ctx, c, []string{"vsphere", "events", "stream"}, nil, func(last *vsphere.Event) url.Values {
		if last != nil {
			q.Set("since", strconv.Itoa(int(last.Key)))
		}
		return q
	}, use)
}

// StreamMetrics hands on realtime samples of one entity as vSphere takes them, each once, until ctx ends or use fails. A lost connection
// is waited out.
func (c *Client) StreamMetrics(ctx context.Context, spec vsphere.MetricsSpec, use func(*vsphere.Metrics) error) error {
	if err := spec.Validate(); err != nil {
		return err
	}
	now, err := c.GetMetrics(ctx, vsphere.MetricsSpec{
		Entity: spec.Entity, Type: spec.Type, Counters: spec.Counters, Instance: spec.Instance, MaxSamples: max(1, spec.MaxSamples),
	})
	if err != nil {
		return err
	}
	if err := use(now); err != nil {
		return err
	}
	q := metricsQuery(spec)
	q.Del("max_samples")
	since := ""
	if n := len(now.Samples); n > 0 {
		since = now.Samples[n-1].Time.Format(time.RFC3339Nano)
	}
	return follow(ctx, c, []string{"vsphere", "metrics", "stream"}, nil, func(last *vsphere.MetricSample) url.Values {
		if last != nil {
			since = last.Time.Format(time.RFC3339Nano)
		}
		if since != "" {
			q.Set("since", since)
		}
		return q
	}, func(s vsphere.MetricSample) error {
		next := *now
		next.Samples = []vsphere.MetricSample{s}
		return use(&next)
	})
}

// follow reads a stream until ctx ends, use or opened fails, or the daemon refuses it. query says, given the last message, what to go on
// from. A connection that stood and was lost is made anew, with growing pauses.
func follow[T any](ctx context.Context, c *Client, path []string, opened func() error, query func(last *T) url.Values, use func(T) error) error {
	var last *T
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = 200*time.Millisecond, 15*time.Second
	failures, stood := 0, false
	for {
		got, err := c.read(ctx, path, query(last), opened, func(text []byte) error {
			var message T
			if err := json.Unmarshal(text, &message); err != nil {
				return fmt.Errorf("hypersdkd sent what is no message: %w", err)
			}
			last = &message
			return use(message)
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errEnough):
			return nil
		case !errors.Is(err, sdk.ErrUnavailable):
			return err
		}
		if got {
			failures, stood = 0, true
			pauses.Reset()
		}
		if failures++; !stood && failures >= quickFailures {
			return err
		}
		c.log.Warn("the stream is interrupted", "stream", strings.Join(path, "/"), "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pauses.NextBackOff()):
		}
	}
}

// read follows one connection to its end, and says whether it stood. The error is ErrUnavailable when the connection was lost.
func (c *Client) read(ctx context.Context, path []string, query url.Values, opened func() error, use func([]byte) error) (stood bool, err error) {
	header := http.Header{}
	c.authorize(header)
	ws, res, err := c.dialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.target(path, query), "http"), header) //nolint:bodyclose // the dialer has read it
	if errors.Is(err, websocket.ErrBadHandshake) && res != nil {
		return false, refusal(res)
	}
	if err != nil {
		return false, c.unreachable(ctx, err)
	}
	defer ws.Close() //nolint:errcheck // only read
	stop := context.AfterFunc(ctx, func() { _ = ws.Close() })
	defer stop()
	ws.SetReadLimit(maxMessage)
	alive := func() { _ = ws.SetReadDeadline(time.Now().Add(silence)) }
	alive()
	answer := ws.PingHandler()
	ws.SetPingHandler(func(data string) error {
		alive()
		return answer(data)
	})
	if opened != nil {
		if err := opened(); err != nil {
			return true, err
		}
	}
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return true, c.unreachable(ctx, err)
		}
		alive()
		if err := use(text); err != nil {
			return true, err
		}
	}
}
