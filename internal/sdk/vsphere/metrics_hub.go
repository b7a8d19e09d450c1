package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// realtimeSamples is how many samples vSphere keeps in real time: an hour of them.
const realtimeSamples = int(time.Hour / realtime)

// MetricsHub samples each entity once for everyone who watches it: every 20 seconds one QueryPerf for all entities together, as far as
// vCenter's limits let it.
type MetricsHub struct {
	told atomic.Bool // that vCenter does not answer

	c     *Client
	pause func(context.Context, time.Duration) // between samplings; in tests another
	done  chan struct{}
	wake  chan struct{} // buffered; says that somebody watches

	mu    sync.Mutex
	feeds map[string]*feed // by what they sample
	ended bool
}

// StartMetrics makes a hub. It ends with ctx or with the client, and so do its watches. While nobody watches it makes no call.
func (c *Client) StartMetrics(ctx context.Context) *MetricsHub {
	h := newMetricsHub(c)
	h.start(ctx)
	return h
}

func newMetricsHub(c *Client) *MetricsHub {
	return &MetricsHub{c: c, pause: pause, done: make(chan struct{}), wake: make(chan struct{}, 1), feeds: map[string]*feed{}}
}

func (h *MetricsHub) start(ctx context.Context) {
	h.c.background(ctx, func(ctx context.Context) {
		defer close(h.done)
		h.run(ctx)
	})
}

// Done is closed when the hub has ended.
func (h *MetricsHub) Done() <-chan struct{} { return h.done }

// Watch begins to watch an entity in real time. Specs are refused as StreamMetrics refuses them, at once. The samples of the last hour are read
// when the entity's first watcher comes; whoever comes later has them without a call. The caller closes the watch; the last one
// to leave ends the sampling of its entity.
func (h *MetricsHub) Watch(ctx context.Context, spec MetricsSpec) (*MetricsWatch, error) {
	if spec.Type == "" {
		spec.Type = TypeVM
	}
	if err := spec.Validate(); err != nil {
		return nil, spec.failed(err)
	}
	if err := realtimeOnly(&spec); err != nil {
		return nil, spec.failed(err)
	}
	f, err := h.join(spec)
	if err != nil {
		return nil, err
	}
	w := &MetricsWatch{hub: h, feed: f, newest: max(1, spec.MaxSamples), closed: make(chan struct{})}
	if err := f.open(ctx); err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// failed says what an error is about, as GetMetrics does.
func (s MetricsSpec) failed(err error) error {
	return fmt.Errorf("metrics of %s %q: %w", s.Type, s.Entity, err)
}

// feedKey is equal for specs that are sampled together.
func (s MetricsSpec) feedKey() string {
	counters := s.Counters
	if len(counters) == 0 {
		counters = NamedMetrics()
	}
	counters = slices.Sorted(slices.Values(counters))
	return strings.Join(append([]string{s.Type, s.Entity, s.Instance}, slices.Compact(counters)...), "\x00")
}

// join finds the feed of a spec, or makes it.
func (h *MetricsHub) join(spec MetricsSpec) (*feed, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil, errHubEnded()
	}
	key := spec.feedKey()
	f := h.feeds[key]
	if f == nil {
		spec.MaxSamples = 0
		f = newFeed(h, key, spec)
		h.feeds[key] = f
	}
	f.watchers++
	return f, nil
}

func errHubEnded() error { return sdk.Conflictf("the stream has ended") }

// leave ends the feed with its last watcher.
func (h *MetricsHub) leave(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f.watchers--; f.watchers == 0 && h.feeds[f.key] == f {
		delete(h.feeds, f.key)
	}
}

// drop ends a feed for all its watchers.
func (h *MetricsHub) drop(f *feed, err error) {
	h.mu.Lock()
	if h.feeds[f.key] == f {
		delete(h.feeds, f.key)
	}
	h.mu.Unlock()
	f.end(err)
}

// sampled are the feeds that have read their first samples.
func (h *MetricsHub) sampled() []*feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	var feeds []*feed
	for _, f := range h.feeds {
		if f.ready() {
			feeds = append(feeds, f)
		}
	}
	slices.SortFunc(feeds, func(a, b *feed) int { return strings.Compare(a.key, b.key) })
	return feeds
}

// run samples once per interval while somebody watches.
func (h *MetricsHub) run(ctx context.Context) {
	defer h.close()
	for ctx.Err() == nil {
		if len(h.sampled()) == 0 {
			select {
			case <-ctx.Done():
				return
			case <-h.wake:
			}
		}
		now, err := h.c.serverTime(ctx)
		if err != nil {
			now = time.Now()
		}
		h.pause(ctx, now.Truncate(realtime).Add(realtime+sampleLag).Sub(now))
		if ctx.Err() == nil {
			h.sample(ctx, h.sampled())
		}
	}
}

// close ends all feeds.
func (h *MetricsHub) close() {
	h.mu.Lock()
	feeds := h.feeds
	h.feeds, h.ended = map[string]*feed{}, true
	h.mu.Unlock()
	for _, f := range feeds {
		f.end(errHubEnded())
	}
}

// sample reads what is new of all feeds, and ends those whose entity is gone.
func (h *MetricsHub) sample(ctx context.Context, feeds []*feed) {
	for len(feeds) > 0 && ctx.Err() == nil {
		failed, err := h.c.sampleFeeds(ctx, feeds)
		switch {
		case err == nil:
			h.told.Store(false)
			return
		case failed != nil: // the others are asked again without it
			h.drop(failed, failed.spec.failed(err))
			feeds = slices.DeleteFunc(feeds, func(f *feed) bool { return f == failed })
		case errors.Is(err, sdk.ErrUnavailable) || ctx.Err() != nil:
			if !h.told.Swap(true) { // once, however often it is tried
				h.c.log.Warn("metrics are interrupted; they go on as soon as vCenter answers", "error", err)
			}
			return
		default:
			for _, f := range feeds {
				h.drop(f, f.spec.failed(err))
			}
			return
		}
	}
}
