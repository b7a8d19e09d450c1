package vsphere

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

// bucket brings a series into the window's interval: each value counts for the interval that ends at or after it.
func (w window) bucket(s series, rollup types.PerfSummaryType) series {
	if !w.aggregated() {
		return s
	}
	step := int64(w.step / time.Second)
	parts := map[int64][]int64{}
	for at := range s {
		end := (at + step - 1) / step * step
		parts[end] = append(parts[end], at)
	}
	out := series{}
	for end, times := range parts {
		slices.Sort(times)
		var values []float64
		for _, at := range times {
			values = append(values, s[at])
		}
		out[end] = rollUp(values, rollup)
	}
	return out
}

// rollUp makes one value of several, oldest first, as vSphere's own intervals do.
func rollUp(values []float64, rollup types.PerfSummaryType) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch rollup {
	case types.PerfSummaryTypeSummation:
		return sum
	case types.PerfSummaryTypeMaximum:
		return slices.Max(values)
	case types.PerfSummaryTypeMinimum:
		return slices.Min(values)
	case types.PerfSummaryTypeLatest, types.PerfSummaryTypeNone:
		return values[len(values)-1]
	default:
		return sum / float64(len(values))
	}
}

// combine makes the answer's series, by name, of what was read.
func (t metricTargets) combine(columns []column, read map[seriesKey]series, w window) map[string]series {
	out := map[string]series{}
	for _, col := range columns {
		if col.ofHosts {
			out[col.name] = t.ofHosts(col, read, w)
			continue
		}
		for key, s := range read {
			if key.ref != t[0].ref || key.counter != col.counter.id {
				continue
			}
			s = w.bucket(s, col.counter.rollup)
			if key.instance == "" && !col.addUp {
				out[col.name] = s
			}
			if key.instance != "" && col.addUp && col.instance == everyInstance {
				out[col.name] = add(out[col.name], s)
			}
			if key.instance != "" && col.byInstance {
				out[col.name+":"+key.instance] = s
			}
		}
	}
	return out
}

// add adds the values of two series; where one has none, the other's counts.
func add(a, b series) series {
	out := maps.Clone(a)
	if out == nil {
		out = series{}
	}
	for at, value := range b {
		out[at] += value
	}
	return out
}

// ofHosts is a cluster's series, made of those of its hosts. The newest times, at which only some hosts have answered yet, are
// left out; a host that is silent for longer is not waited for.
func (t metricTargets) ofHosts(col column, read map[seriesKey]series, w window) series {
	sum, weight := series{}, series{}
	var newest []int64
	for _, host := range t[1:] {
		weighs := map[blend]float64{blendSum: 1, blendMeanCPU: host.cpu, blendMeanMemory: host.memory}[col.cluster]
		s := w.bucket(w.onGrid(read[seriesKey{host.ref, col.counter.id, ""}]), col.counter.rollup)
		last := int64(0)
		for at, value := range s {
			sum[at] += value * weighs
			weight[at] += weighs
			last = max(last, at)
		}
		if last > 0 {
			newest = append(newest, last)
		}
	}
	if len(newest) == 0 {
		return sum
	}
	until, patience := slices.Max(newest), int64(late*w.step/time.Second)
	for _, last := range slices.Clone(newest) {
		if last >= slices.Max(newest)-patience {
			until = min(until, last)
		}
	}
	for at := range sum {
		switch {
		case at > until || weight[at] == 0:
			delete(sum, at)
		case col.cluster != blendSum:
			sum[at] /= weight[at]
		}
	}
	return sum
}

// onGrid moves each time up to the stored interval's grid, so that hosts can be added up.
func (w window) onGrid(s series) series {
	period := int64(w.stored.period / time.Second)
	out := make(series, len(s))
	for at, value := range s {
		out[(at+period-1)/period*period] = value
	}
	return out
}

// metrics is the answer: the newest samples asked for, rounded, oldest first.
func (w window) metrics(spec MetricsSpec, entity metricTarget, columns []column, values map[string]series) *Metrics {
	m := &Metrics{
		Entity: spec.Entity, Type: spec.Type, Ref: entity.ref.Value, IntervalSeconds: int(w.step / time.Second),
		Start: w.start.UTC(), End: w.end.UTC(), Samples: []MetricSample{}, Units: map[string]string{}, Missing: map[string]string{},
	}
	scale := map[string]float64{}
	for _, col := range columns {
		m.Units[col.name], scale[col.name] = col.unit, col.scale
	}
	times := map[int64]bool{}
	for name, s := range values {
		base := metricName(name)
		m.Units[name], scale[name] = m.Units[base], scale[base]
		for at := range s {
			times[at] = true
		}
	}
	ordered := slices.Sorted(maps.Keys(times))
	if w.samples > 0 && len(ordered) > w.samples {
		ordered = ordered[len(ordered)-w.samples:]
	}
	for _, at := range ordered {
		sample := MetricSample{Time: time.Unix(at, 0).UTC(), Values: map[string]float64{}}
		for name, s := range values {
			if value, ok := s[at]; ok {
				sample.Values[name] = round3(value * scale[name])
			}
		}
		m.Samples = append(m.Samples, sample)
	}
	return m
}

// Summary is what the samples of one metric come to.
type Summary struct {
	Count   int     `json:"count"` // samples with a value, at least 1
	Latest  float64 `json:"latest"`
	Minimum float64 `json:"minimum"`
	Average float64 `json:"average"` // rounded to three decimals
	Maximum float64 `json:"maximum"`
}

// Summary sums the samples up, by metric.
func (m *Metrics) Summary() map[string]Summary {
	all, sums := map[string]Summary{}, map[string]float64{}
	for _, sample := range m.Samples {
		for name, value := range sample.Values {
			s, seen := all[name]
			if !seen {
				s.Minimum, s.Maximum = value, value
			}
			s.Count++
			s.Latest, s.Minimum, s.Maximum = value, min(s.Minimum, value), max(s.Maximum, value)
			sums[name] += value
			s.Average = round3(sums[name] / float64(s.Count))
			all[name] = s
		}
	}
	return all
}

func round3(value float64) float64 { return math.Round(value*1000) / 1000 }

// explain says of each metric without a value why, as far as it can be known. It makes a call only when there is one.
func (c *Client) explain(ctx context.Context, m *Metrics, targets metricTargets, columns []column, w window) error {
	state := ""
	for _, col := range columns {
		if m.has(col.name) {
			continue
		}
		if state == "" {
			var err error
			if state, err = c.stateOf(ctx, targets[0].ref); err != nil {
				return err
			}
		}
		m.Missing[col.name] = targets.reason(col, state, w)
	}
	return nil
}

// has says whether any sample has a value of the metric, or of an instance of it.
func (m *Metrics) has(name string) bool {
	for _, s := range m.Samples {
		for have := range s.Values {
			if metricName(have) == name {
				return true
			}
		}
	}
	return false
}

// metricName is the metric of a series' name.
func metricName(name string) string {
	base, _, _ := strings.Cut(name, ":")
	return base
}

// fine is the state of an entity that explains nothing.
const fine = "fine"

// stateOf tells in words why an entity may have no samples.
func (c *Client) stateOf(ctx context.Context, ref types.ManagedObjectReference) (string, error) {
	if ref.Type != "VirtualMachine" && ref.Type != "HostSystem" {
		return fine, nil
	}
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref}},
		[]types.PropertySpec{{Type: ref.Type, PathSet: []string{"runtime.powerState", "runtime.connectionState"}}})
	if err != nil {
		return "", err
	}
	object, err := find(content, ref)
	if err != nil {
		return "", err
	}
	props := properties(object)
	switch props["runtime.powerState"] {
	case types.VirtualMachinePowerStatePoweredOff:
		return "the VM is powered off", nil
	case types.VirtualMachinePowerStateSuspended:
		return "the VM is suspended", nil
	case types.HostSystemPowerStatePoweredOff, types.HostSystemPowerStateStandBy:
		return "the host is powered off", nil
	}
	if s, ok := props["runtime.connectionState"].(types.HostSystemConnectionState); ok && s != types.HostSystemConnectionStateConnected {
		return "the host is " + string(s), nil
	}
	return fine, nil
}

// reason is why vCenter has no value of a column.
func (t metricTargets) reason(col column, state string, w window) string {
	switch {
	case t.never(col, w):
		return "a cluster has no realtime samples of " + col.counter.name + "; ask for an interval of 5m or more"
	case !w.start.Before(w.end):
		return "no interval of " + formatSpan(w.step) + " has ended since the start"
	case state != fine:
		return state
	case w.stored.level > 0 && col.counter.level > w.stored.level:
		return fmt.Sprintf("vCenter keeps %s from statistics level %d on, and its %s interval is set to level %d",
			col.counter.name, col.counter.level, formatSpan(w.stored.period), w.stored.level)
	}
	return "vCenter has no samples of " + col.counter.name + " in this time"
}
