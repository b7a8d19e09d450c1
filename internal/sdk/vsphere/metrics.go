package vsphere

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// What metrics are of.
const (
	TypeVM      = "vm"
	TypeHost    = "host"
	TypeCluster = "cluster"
)

// everyInstance asks for every instance of a counter beside its aggregate.
const everyInstance = "*"

const (
	defaultSamples = 15
	maxSamples     = 10000
)

// MetricsSpec asks for samples of one entity. Only Entity is required.
type MetricsSpec struct {
	Entity     string   `json:"entity"`                // inventory path, moref or unique name
	Type       string   `json:"type,omitempty"`        // vm (the default), host or cluster
	Counters   []string `json:"counters,omitempty"`    // cpu_percent, … or vSphere's own: cpu.ready.summation; empty: NamedMetrics
	Interval   string   `json:"interval,omitempty"`    // see ParseInterval; empty: realtime, with a start the finest that is kept so long
	Start      string   `json:"start,omitempty"`       // see ParseTime; empty: MaxSamples intervals before the end
	End        string   `json:"end,omitempty"`         // see ParseTime; empty: now
	MaxSamples int      `json:"max_samples,omitempty"` // the newest so many; 0: 15 without a start, all with one
	Instance   string   `json:"instance,omitempty"`    // empty: the aggregate; * or a name (vmnic0, scsi0:0): also by instance
}

// Validate refuses what cannot be right. Field tells which field an error is about.
func (s MetricsSpec) Validate() error {
	switch {
	case strings.TrimSpace(s.Entity) == "":
		return inField("entity", sdk.WithHint(sdk.Invalidf("metrics of what? no entity is named"), "give a name, an inventory path or a managed object id"))
	case s.Type != "" && !slices.Contains([]string{TypeVM, TypeHost, TypeCluster}, s.Type):
		return inField("type", sdk.WithHint(sdk.Invalidf("there are no metrics of type %q", s.Type), "there is vm, host and cluster"))
	case s.MaxSamples < 0 || s.MaxSamples > maxSamples:
		return inField("max_samples", sdk.Invalidf("%d samples cannot be had; ask for 1 to %d", s.MaxSamples, maxSamples))
	case s.Type == TypeCluster && s.Instance != "":
		return inField("instance", sdk.WithHint(sdk.Invalidf("a cluster has no instance %q: its values are those of its hosts together", s.Instance),
			"ask one of its hosts"))
	}
	for _, name := range s.Counters {
		if strings.TrimSpace(name) == "" {
			return inField("counters", sdk.WithHint(sdk.Invalidf("a counter has no name"), "name no counters to get the usual ones"))
		}
	}
	if s.Interval != "" {
		if _, err := ParseInterval(s.Interval); err != nil {
			return inField("interval", err)
		}
	}
	return validTimes(map[string]string{"start": s.Start, "end": s.End})
}

// validTimes checks the shape of times by field.
func validTimes(times map[string]string) error {
	for _, field := range slices.Sorted(maps.Keys(times)) {
		if times[field] == "" {
			continue
		}
		if _, err := ParseTime(times[field], time.Now()); err != nil {
			return inField(field, err)
		}
	}
	return nil
}

// Metrics is what vCenter has of an entity. Values are rounded to three decimals.
type Metrics struct {
	Entity          string            `json:"entity"` // as it was asked for
	Type            string            `json:"type"`
	Ref             string            `json:"ref"`
	IntervalSeconds int               `json:"interval_seconds"`
	Start           time.Time         `json:"start"` // what was asked of vCenter, by its clock; samples at start are not included
	End             time.Time         `json:"end"`
	Samples         []MetricSample    `json:"samples"`           // oldest first
	Units           map[string]string `json:"units"`             // by metric
	Missing         map[string]string `json:"missing,omitempty"` // why a metric has no value at all
}

// MetricSample is the values at one time, by metric; those of one instance are named metric:instance. Its JSON is flat:
// {"time": …, "cpu_percent": 12.5}.
type MetricSample struct {
	Time   time.Time
	Values map[string]float64
}

// MarshalJSON writes time and values side by side.
func (s MetricSample) MarshalJSON() ([]byte, error) {
	flat := make(map[string]any, len(s.Values)+1)
	for name, value := range s.Values {
		flat[name] = value
	}
	flat["time"] = s.Time
	return json.Marshal(flat)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *MetricSample) UnmarshalJSON(data []byte) error {
	var at struct {
		Time time.Time `json:"time"`
	}
	if err := json.Unmarshal(data, &at); err != nil {
		return err
	}
	var flat map[string]any
	if err := json.Unmarshal(data, &flat); err != nil {
		return err
	}
	s.Time, s.Values = at.Time, map[string]float64{}
	for name, value := range flat {
		if number, ok := value.(float64); ok {
			s.Values[name] = number
		}
	}
	return nil
}

// GetMetrics reads samples, oldest first by the server's time. An interval that vSphere does not keep is made from the finest
// that it does, aligned to the clock, and only from intervals that have ended. A metric without any value is told with the
// reason in Missing: that is no error. After the first read of a session it makes one call, two for a cluster.
func (c *Client) GetMetrics(ctx context.Context, spec MetricsSpec) (*Metrics, error) {
	if spec.Type == "" {
		spec.Type = TypeVM
	}
	m, err := c.getMetrics(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("metrics of %s %q: %w", spec.Type, spec.Entity, err)
	}
	return m, nil
}

func (c *Client) getMetrics(ctx context.Context, spec MetricsSpec) (*Metrics, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	table, err := c.counterTable(ctx)
	if err != nil {
		return nil, err
	}
	columns, err := table.columns(spec)
	if err != nil {
		return nil, inField("counters", err)
	}
	now, err := c.serverTime(ctx)
	if err != nil {
		return nil, err
	}
	window, err := table.window(spec, now)
	if err != nil {
		return nil, err
	}
	targets, err := c.metricTargets(ctx, spec)
	if err != nil {
		return nil, err
	}
	read, err := c.queryPerf(ctx, targets, columns, window)
	if err != nil {
		return nil, err
	}
	m := window.metrics(spec, targets[0], columns, targets.combine(columns, read, window))
	return m, c.explain(ctx, m, targets, columns, window)
}
