package vsphere

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// feed is the samples of one entity for all who watch it.
type feed struct {
	hub      *MetricsHub
	key      string
	spec     MetricsSpec
	watchers int // guarded by the hub's lock

	first   sync.Mutex // held by whoever reads the first samples
	columns []column   // as the targets, set by the first reading and then used by the hub's loop alone
	targets metricTargets

	mu      sync.Mutex
	opened  bool
	head    Metrics        // without samples
	samples []MetricSample // of the last hour, oldest first
	total   int            // samples that came in all
	told    int            // changes of Missing in all
	latest  *Metrics       // the newest change, for all who keep up
	since   int            // total before it
	err     error          // why nothing comes any more
	changed chan struct{}
}

func newFeed(h *MetricsHub, key string, spec MetricsSpec) *feed {
	return &feed{hub: h, key: key, spec: spec, samples: []MetricSample{}, changed: make(chan struct{})}
}

func (f *feed) ready() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.opened && f.err == nil
}

// open reads the samples of the last hour, once for all watchers. It is the caller's call, who is told why it fails.
func (f *feed) open(ctx context.Context) error {
	f.first.Lock()
	defer f.first.Unlock()
	if f.ready() {
		return nil
	}
	c, spec := f.hub.c, f.spec
	table, err := c.counterTable(ctx)
	if err == nil {
		f.columns, err = table.columns(spec)
		err = inField("counters", err)
	}
	if err == nil {
		f.targets, err = c.metricTargets(ctx, spec)
	}
	var m *Metrics
	if err == nil {
		spec.MaxSamples = realtimeSamples
		m, err = c.getMetrics(ctx, spec)
	}
	if err != nil {
		return spec.failed(err)
	}
	f.add(m)
	select {
	case f.hub.wake <- struct{}{}:
	default:
	}
	return nil
}

// add takes in what was read: samples that are newer than the last one, or another reason why there are none.
func (f *feed) add(m *Metrics) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.samples); n > 0 {
		last := f.samples[n-1].Time
		m.Samples = slices.DeleteFunc(m.Samples, func(s MetricSample) bool { return !s.Time.After(last) })
	}
	reasons := !maps.Equal(m.Missing, f.head.Missing)
	if f.opened && len(m.Samples) == 0 && !reasons {
		return
	}
	if reasons {
		f.told++
	}
	f.opened = true
	f.head, f.latest, f.since = *m, m, f.total
	f.head.Samples = nil
	f.samples = append(f.samples, m.Samples...)
	f.samples = slices.Clone(f.samples[max(0, len(f.samples)-realtimeSamples):])
	f.total += len(m.Samples)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *feed) end(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
		close(f.changed)
	}
}

// last is the time of the newest sample, or of the hour's beginning.
func (f *feed) last(now time.Time) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.samples); n > 0 && now.Sub(f.samples[n-1].Time) < time.Hour {
		return f.samples[n-1].Time
	}
	return now.Add(-time.Hour)
}

// sampleFeeds reads what is new of all feeds in as few calls as there may be. It names the feed that is to blame for an error.
func (c *Client) sampleFeeds(ctx context.Context, feeds []*feed) (*feed, error) {
	now, err := c.serverTime(ctx)
	if err != nil {
		return nil, err
	}
	table, err := c.counterTable(ctx)
	if err != nil {
		return nil, err
	}
	w := window{start: now, end: now, stored: table.intervals[0], step: realtime}
	for _, f := range feeds {
		if f.spec.Type == TypeCluster { // hosts come and go
			if f.targets, err = c.metricTargets(ctx, f.spec); err != nil {
				return blame(f, err), err
			}
		}
		if last := f.last(now).Add(-late * realtime); last.Before(w.start) { // once more what a late host may still tell
			w.start = last
		}
	}
	read, err := c.queryFeeds(ctx, feeds, w)
	if err != nil {
		gone, _ := faultOf(err).(*types.ManagedObjectNotFound)
		for _, f := range feeds {
			if gone != nil && len(f.targets) > 0 && f.targets[0].ref == gone.Obj {
				return f, classify(err)
			}
		}
		return nil, err
	}
	for _, f := range feeds {
		values := f.targets.combine(f.columns, read.of(f.targets, f.spec.Instance), w)
		m := w.metrics(f.spec, f.targets[0], f.columns, values)
		if err := c.explain(ctx, m, f.targets, f.columns, w); err != nil {
			return blame(f, err), err
		}
		f.add(m)
	}
	return nil, nil
}

// blame is the feed whose entity is the reason of an error; nil when vCenter is.
func blame(f *feed, err error) *feed {
	if errors.Is(err, sdk.ErrNotFound) {
		return f
	}
	return nil
}

// feedSeries are series by the object that they are of.
type feedSeries map[types.ManagedObjectReference]map[seriesKey]series

// of are the series of an entity and its hosts, of the instance that was asked for and those that are added up.
func (r feedSeries) of(targets metricTargets, instance string) map[seriesKey]series {
	read := map[seriesKey]series{}
	for _, target := range targets {
		for key, s := range r[target.ref] {
			if instance == "" || instance == everyInstance || key.instance == "" || key.instance == instance {
				read[key] = s
			}
		}
	}
	return read
}

// queryFeeds asks for every column of every feed, each object's once.
func (c *Client) queryFeeds(ctx context.Context, feeds []*feed, w window) (feedSeries, error) {
	var order []types.ManagedObjectReference
	wanted := map[types.ManagedObjectReference][]types.PerfMetricId{}
	for _, f := range feeds {
		for i, target := range f.targets {
			for _, id := range f.targets.metricIDs(i, f.columns, w) {
				if wanted[target.ref] == nil {
					order = append(order, target.ref)
				}
				if !slices.Contains(wanted[target.ref], id) {
					wanted[target.ref] = append(wanted[target.ref], id)
				}
			}
		}
	}
	read := feedSeries{}
	var batch []types.PerfQuerySpec
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		answer := map[seriesKey]series{}
		err := c.queryPerfCall(ctx, batch, answer)
		for key, s := range answer {
			if read[key.ref] == nil {
				read[key.ref] = map[seriesKey]series{}
			}
			read[key.ref][key] = s
		}
		batch, size = nil, 0
		return err
	}
	for _, ref := range order {
		for ids := range slices.Chunk(wanted[ref], maxRealtime) {
			if size+len(ids) > maxRealtime {
				if err := flush(); err != nil {
					return nil, err
				}
			}
			batch, size = append(batch, perfQuery(ref, ids, w)), size+len(ids)
		}
	}
	return read, flush()
}
