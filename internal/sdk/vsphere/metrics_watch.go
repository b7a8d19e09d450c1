package vsphere

import (
	"context"
	"sync"
)

// MetricsWatch is one watcher of one entity. It holds no queue: whoever is slow finds at the next Next what came meanwhile. One goroutine may
// use it at a time.
type MetricsWatch struct {
	hub    *MetricsHub
	feed   *feed
	newest int // samples that the first update has

	begun  bool
	seen   int // of feed.total
	told   int // of feed.told
	once   sync.Once
	closed chan struct{}
}

// MetricsUpdate is what came since the update before.
type MetricsUpdate struct {
	// Metrics has the new samples, oldest first, each once; without any when only the reason changed why there are none (Missing). It
	// is shared: watchers who keep up get the same pointer, so that it can be encoded once for all, and nobody may write to it.
	Metrics *Metrics
	// Skipped is how many samples were missed by who was away for longer than the hour that is kept.
	Skipped int
}

// Next waits for the next samples. The first call gives the last ones at once, as many as spec.MaxSamples says (0: one; at most the 180 of an hour). A
// lost connection is waited out. It fails with ctx, when the entity is gone (sdk.ErrNotFound), when vCenter refuses us, and when hub or watch are
// closed (sdk.ErrConflict).
func (w *MetricsWatch) Next(ctx context.Context) (MetricsUpdate, error) {
	for {
		update, changed, err := w.take()
		if err != nil || update.Metrics != nil {
			return update, err
		}
		select {
		case <-changed:
		case <-w.closed:
			return update, errHubEnded()
		case <-ctx.Done():
			return update, ctx.Err()
		}
	}
}

// take is what is new, or the channel that says when something is.
func (w *MetricsWatch) take() (MetricsUpdate, <-chan struct{}, error) {
	f := w.feed
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.begun && w.seen == f.total && w.told == f.told {
		return MetricsUpdate{}, f.changed, f.err
	}
	fresh := f.total - w.seen
	if !w.begun {
		fresh = min(w.newest, len(f.samples))
	}
	var update MetricsUpdate
	if w.begun && w.seen == f.since && w.told >= f.told-1 {
		update.Metrics = f.latest
	} else {
		kept := min(fresh, len(f.samples))
		m := f.head
		m.Samples = f.samples[len(f.samples)-kept:]
		update = MetricsUpdate{Metrics: &m, Skipped: fresh - kept}
	}
	w.begun, w.seen, w.told = true, f.total, f.told
	return update, nil, nil
}

// Close leaves. It is safe to call twice, and from another goroutine than Next's.
func (w *MetricsWatch) Close() {
	w.once.Do(func() {
		close(w.closed)
		w.hub.leave(w.feed)
	})
}
