package vsphere

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	// maxHistorical is how many metrics one historical query may ask for: vCenter's default of config.vpxd.stats.maxQueryMetrics.
	maxHistorical = 64
	// maxRealtime bounds the answer of one realtime query, which vCenter passes on to the hosts.
	maxRealtime = 512
)

// metricTarget is one object to ask. The first is the entity; those of a cluster are followed by its hosts.
type metricTarget struct {
	ref         types.ManagedObjectReference
	cpu, memory float64 // what a host weighs in a mean
}

type metricTargets []metricTarget

// metricTargets resolves the entity, and of a cluster its hosts.
func (c *Client) metricTargets(ctx context.Context, spec MetricsSpec) (metricTargets, error) {
	kind := map[string]Kind{TypeVM: KindVM, TypeHost: KindHost, TypeCluster: KindCluster}[spec.Type]
	ref, err := c.Resolve(ctx, kind, spec.Entity)
	if err != nil {
		return nil, inField("entity", err)
	}
	targets := metricTargets{{ref: ref}}
	if spec.Type != TypeCluster {
		return targets, nil
	}
	content, err := c.retrieve(ctx,
		[]types.ObjectSpec{{Obj: ref, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{traversal("host", "ComputeResource", "host")}}},
		[]types.PropertySpec{{Type: "HostSystem", PathSet: []string{"summary.hardware"}}})
	if err != nil {
		return nil, err
	}
	for _, object := range content {
		target := metricTarget{ref: object.Obj}
		if hw, ok := properties(object)["summary.hardware"].(types.HostHardwareSummary); ok {
			target.cpu, target.memory = float64(hw.CpuMhz)*float64(hw.NumCpuCores), float64(hw.MemorySize)
		}
		targets = append(targets, target)
	}
	slices.SortFunc(targets[1:], func(a, b metricTarget) int { return strings.Compare(a.ref.Value, b.ref.Value) })
	return targets, nil
}

// series is values by time, in seconds since 1970.
type series map[int64]float64

// seriesKey says what a series is of.
type seriesKey struct {
	ref      types.ManagedObjectReference
	counter  int32
	instance string
}

// queryPerf asks for every column of every target, in one call when vCenter's limits let it.
func (c *Client) queryPerf(ctx context.Context, targets metricTargets, columns []column, w window) (map[seriesKey]series, error) {
	read := map[seriesKey]series{}
	if !w.start.Before(w.end) {
		return read, nil
	}
	limit := maxHistorical
	if w.stored.period == realtime {
		limit = maxRealtime
	}
	var batch []types.PerfQuerySpec
	size := 0
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := c.queryPerfCall(ctx, batch, read)
		batch, size = nil, 0
		return err
	}
	for i, target := range targets {
		for ids := range slices.Chunk(targets.metricIDs(i, columns, w), limit) {
			if size+len(ids) > limit {
				if err := flush(); err != nil {
					return nil, err
				}
			}
			batch = append(batch, perfQuery(target.ref, ids, w))
			size += len(ids)
		}
	}
	return read, flush()
}

func perfQuery(ref types.ManagedObjectReference, ids []types.PerfMetricId, w window) types.PerfQuerySpec {
	return types.PerfQuerySpec{
		Entity: ref, StartTime: &w.start, EndTime: &w.end, MetricId: ids,
		IntervalId: int32(w.stored.period / time.Second), Format: string(types.PerfFormatCsv),
	}
}

// metricIDs are the columns to ask of a target: of a cluster's host those that are told from hosts, else the entity's own.
func (t metricTargets) metricIDs(i int, columns []column, w window) []types.PerfMetricId {
	var ids []types.PerfMetricId
	for _, col := range columns {
		id := types.PerfMetricId{CounterId: col.counter.id, Instance: col.instance}
		if col.ofHosts == (i > 0) && !t.never(col, w) && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// never says that vCenter has no such samples: a cluster has no realtime ones of its own.
func (t metricTargets) never(col column, w window) bool {
	return !col.ofHosts && t[0].ref.Type != "VirtualMachine" && t[0].ref.Type != "HostSystem" && w.stored.period == realtime
}

func (c *Client) queryPerfCall(ctx context.Context, specs []types.PerfQuerySpec, into map[seriesKey]series) error {
	res, err := methods.QueryPerf(ctx, c.vim, &types.QueryPerf{This: *c.vim.ServiceContent.PerfManager, QuerySpec: specs})
	if err != nil {
		return fmt.Errorf("query performance: %w", err)
	}
	for _, entity := range res.Returnval {
		csv, ok := entity.(*types.PerfEntityMetricCSV)
		if !ok {
			return fmt.Errorf("query performance: the server sent a %T, not CSV", entity)
		}
		times, err := sampleTimes(csv.SampleInfoCSV)
		if err != nil {
			return err
		}
		for _, s := range csv.Value {
			into[seriesKey{csv.Entity, s.Id.CounterId, s.Id.Instance}] = newSeries(times, s.Value)
		}
	}
	return nil
}

// sampleTimes reads interval and time by turns.
func sampleTimes(csv string) ([]int64, error) {
	if csv == "" {
		return nil, nil
	}
	parts := strings.Split(csv, ",")
	var times []int64
	for i := 1; i < len(parts); i += 2 {
		t, err := time.Parse(time.RFC3339, strings.TrimSpace(parts[i]))
		if err != nil {
			return nil, sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("query performance: the server sent the time %q", parts[i]))
		}
		times = append(times, t.Unix())
	}
	return times, nil
}

// newSeries pairs values with times. A negative value, or none, means that vCenter has no sample.
func newSeries(times []int64, csv string) series {
	s := series{}
	for i, text := range strings.Split(csv, ",") {
		if value, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil && value >= 0 && i < len(times) {
			s[times[i]] = float64(value)
		}
	}
	return s
}
