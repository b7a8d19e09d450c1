package vsphere_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func metrics(t *testing.T, c *vsphere.Client, spec vsphere.MetricsSpec) *vsphere.Metrics {
	t.Helper()
	m, err := c.GetMetrics(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.IsSortedFunc(m.Samples, func(a, b vsphere.MetricSample) int { return a.Time.Compare(b.Time) }) {
		t.Errorf("%+v: not the oldest first", spec)
	}
	return m
}

func TestGetMetrics_RealtimeOfEachType(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{VMs: 1}))
	for typ, entity := range map[string]string{"vm": "DC0_C0_RP0_VM0", "host": "DC0_C0_H0", "cluster": "DC0_C0"} {
		m := metrics(t, c, vsphere.MetricsSpec{Entity: entity, Type: typ})
		if len(m.Samples) != 15 || m.IntervalSeconds != 20 || len(m.Missing) != 0 {
			t.Errorf("%s: got %d samples every %d s, missing %v; want 15 every 20 s", typ, len(m.Samples), m.IntervalSeconds, m.Missing)
		}
		for _, s := range m.Samples {
			if got, want := slices.Sorted(maps.Keys(s.Values)), slices.Sorted(slices.Values(vsphere.NamedMetrics())); !slices.Equal(got, want) {
				t.Fatalf("%s: got %v, want %v", typ, got, want)
			}
			if p := s.Values["cpu_percent"]; p <= 0 || p > 100 {
				t.Errorf("%s: cpu_percent %v", typ, p)
			}
		}
	}
}

func TestGetMetrics_CallsAfterTheFirst(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1, Hosts: 40})
	c := dial(t, v)
	for typ, tc := range map[string]struct {
		entity string
		most   int
	}{"vm": {stockVM, 1}, "host": {"DC0_C0_H0", 1}, "cluster": {"DC0_C0", 2}} {
		metrics(t, c, vsphere.MetricsSpec{Entity: tc.entity, Type: typ})
		before := v.Calls()
		metrics(t, c, vsphere.MetricsSpec{Entity: tc.entity, Type: typ})
		if n := calls(before, v.Calls()); n > tc.most {
			t.Errorf("%s: %d calls, want at most %d", typ, n, tc.most)
		}
	}
	// The past of 40 hosts by 8 counters is more than vCenter takes at once: 64.
	before := v.Calls()
	m := metrics(t, c, vsphere.MetricsSpec{Entity: "DC0_C0", Type: "cluster", Interval: "5m"})
	if n := v.Calls()["QueryPerf"] - before["QueryPerf"]; n != 5 || len(m.Samples) != 15 {
		t.Errorf("got %d samples in %d queries, want 15 in 5", len(m.Samples), n)
	}
}

func TestGetMetrics_AnHourIsMadeOfItsParts(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{VMs: 1}))
	hours := metrics(t, c, vsphere.MetricsSpec{Entity: stockVM, Interval: "1h", MaxSamples: 3, Counters: []string{"cpu_mhz", "cpu.ready.summation"}})
	parts := metrics(t, c, vsphere.MetricsSpec{
		Entity: stockVM, Interval: "5m", Start: hours.Start.Format(time.RFC3339), End: hours.End.Format(time.RFC3339), Counters: []string{"cpu_mhz", "cpu.ready.summation"},
	})
	if len(hours.Samples) != 3 || len(parts.Samples) != 36 {
		t.Fatalf("got %d hours and %d parts, want 3 and 36", len(hours.Samples), len(parts.Samples))
	}
	for _, h := range hours.Samples {
		if !h.Time.Equal(h.Time.Truncate(time.Hour)) {
			t.Errorf("%s is no full hour", h.Time)
		}
		mhz, ready := 0.0, 0.0
		for _, p := range parts.Samples {
			if p.Time.After(h.Time.Add(-time.Hour)) && !p.Time.After(h.Time) {
				mhz += p.Values["cpu_mhz"] / 12
				ready += p.Values["cpu.ready.summation"]
			}
		}
		if math.Abs(h.Values["cpu_mhz"]-mhz) > 0.001 || h.Values["cpu.ready.summation"] != ready {
			t.Errorf("%s: got %v, want the mean %v and the sum %v", h.Time, h.Values, mhz, ready)
		}
	}
}

func TestGetMetrics_AClusterIsItsHosts(t *testing.T) {
	c := dial(t, rig.VCenter(t, demo.Options{VMs: 1, Hosts: 3}))
	spec := vsphere.MetricsSpec{Entity: "DC0_C0", Type: "cluster", Interval: "30m", MaxSamples: 4, Counters: []string{"cpu_mhz", "cpu_percent", "net_rx_mbps"}}
	cluster := metrics(t, c, spec)
	spec.Start, spec.End, spec.MaxSamples = cluster.Start.Format(time.RFC3339), cluster.End.Format(time.RFC3339), 0
	sums := map[time.Time]map[string]float64{}
	for i := range 3 {
		spec.Entity, spec.Type = fmt.Sprintf("DC0_C0_H%d", i), "host"
		for _, s := range metrics(t, c, spec).Samples {
			if sums[s.Time] == nil {
				sums[s.Time] = map[string]float64{}
			}
			for name, value := range s.Values {
				sums[s.Time][name] += value
			}
		}
	}
	if len(cluster.Samples) != 4 {
		t.Fatalf("got %d samples, want 4", len(cluster.Samples))
	}
	for _, s := range cluster.Samples {
		want := sums[s.Time]
		if math.Abs(s.Values["cpu_mhz"]-want["cpu_mhz"]) > 0.01 || math.Abs(s.Values["net_rx_mbps"]-want["net_rx_mbps"]) > 0.01 ||
			math.Abs(s.Values["cpu_percent"]-want["cpu_percent"]/3) > 0.01 { // the hosts are alike
			t.Errorf("%s: got %v, hosts together %v", s.Time, s.Values, want)
		}
	}
}

func TestGetMetrics_Instances(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1, Guests: []demo.Guest{web(t, "/DC0/vm/web-01")}})
	c := dial(t, v)
	vm, err := c.GetVM(t.Context(), "/DC0/vm/web-01")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.PowerOnVM(t.Context(), vm); err != nil {
		t.Fatal(err)
	}
	m := metrics(t, c, vsphere.MetricsSpec{Entity: "/DC0/vm/web-01", MaxSamples: 1, Instance: "*", Counters: []string{"disk_read_mbps"}})
	values := m.Samples[0].Values
	parts := values["disk_read_mbps:scsi0:0"] + values["disk_read_mbps:scsi0:1"] + values["disk_read_mbps:sata0:1"]
	if len(values) != 4 || math.Abs(values["disk_read_mbps"]-parts) > 0.01 || m.Units["disk_read_mbps:scsi0:1"] != "MB/s" {
		t.Errorf("got %v, units %v; want three disks and their sum", values, m.Units)
	}
	m = metrics(t, c, vsphere.MetricsSpec{Entity: "/DC0/vm/web-01", MaxSamples: 1, Instance: "scsi0:1", Counters: []string{"disk_read_mbps"}})
	if got := slices.Collect(maps.Keys(m.Samples[0].Values)); !slices.Equal(got, []string{"disk_read_mbps:scsi0:1"}) {
		t.Errorf("got %v, want that disk alone", got)
	}
}

func TestGetMetrics_SaysWhyThereIsNothing(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1, Guests: []demo.Guest{web(t, "/DC0/vm/off")}})
	c := dial(t, v)
	for name, tc := range map[string]struct {
		spec vsphere.MetricsSpec
		want string
	}{
		"powered off":      {vsphere.MetricsSpec{Entity: "/DC0/vm/off"}, "the VM is powered off"},
		"statistics level": {vsphere.MetricsSpec{Entity: "DC0_C0_H0", Type: "host", Interval: "1d", Counters: []string{"net_rx_mbps"}}, "statistics level 2"},
		"cluster of today": {vsphere.MetricsSpec{Entity: "DC0_C0", Type: "cluster", Counters: []string{"clusterServices.effectivecpu.average"}}, "no realtime samples"},
		"not ended":        {vsphere.MetricsSpec{Entity: stockVM, Start: "21s", Interval: "6d", Counters: []string{"cpu_mhz"}}, "has ended"},
	} {
		m := metrics(t, c, tc.spec)
		if len(m.Samples) != 0 || len(m.Missing) == 0 {
			t.Errorf("%s: got %+v, want no samples and why", name, m)
		}
		for metric, reason := range m.Missing {
			if !strings.Contains(reason, tc.want) {
				t.Errorf("%s: %s is missing because %q, want %q", name, metric, reason, tc.want)
			}
		}
	}
}

func TestGetMetrics_Refusals(t *testing.T) {
	v := rig.VCenter(t, demo.Options{VMs: 1})
	c := dial(t, v)
	for name, tc := range map[string]struct {
		spec  vsphere.MetricsSpec
		kind  error
		field string
	}{
		"nothing":     {vsphere.MetricsSpec{}, sdk.ErrInvalid, "entity"},
		"type":        {vsphere.MetricsSpec{Entity: "x", Type: "pool"}, sdk.ErrInvalid, "type"},
		"counter":     {vsphere.MetricsSpec{Entity: stockVM, Counters: []string{"cpu.usge.average"}}, sdk.ErrInvalid, "counters"},
		"no such VM":  {vsphere.MetricsSpec{Entity: "/DC0/vm/none"}, sdk.ErrNotFound, "entity"},
		"not a VM":    {vsphere.MetricsSpec{Entity: "/DC0/host/DC0_C0"}, sdk.ErrInvalid, "entity"},
		"samples":     {vsphere.MetricsSpec{Entity: stockVM, MaxSamples: -1}, sdk.ErrInvalid, "max_samples"},
		"time":        {vsphere.MetricsSpec{Entity: stockVM, Start: "soon"}, sdk.ErrInvalid, "start"},
		"of clusters": {vsphere.MetricsSpec{Entity: "DC0_C0", Type: "cluster", Instance: "*"}, sdk.ErrInvalid, "instance"},
	} {
		_, err := c.GetMetrics(t.Context(), tc.spec)
		if !errors.Is(err, tc.kind) || vsphere.Field(err) != tc.field {
			t.Errorf("%s: got %v on %q, want %v on %q", name, err, vsphere.Field(err), tc.kind, tc.field)
		}
	}
	if n := v.Calls()["QueryPerf"]; n != 0 {
		t.Errorf("%d queries for what is refused", n)
	}
}

func TestMetricSample_JSONIsFlat(t *testing.T) {
	s := vsphere.MetricSample{Time: time.Date(2026, 3, 1, 0, 0, 20, 0, time.UTC), Values: map[string]float64{"cpu_percent": 12.5, "net_rx_mbps": 0.25}}
	data, err := json.Marshal(s)
	if want := `{"cpu_percent":12.5,"net_rx_mbps":0.25,"time":"2026-03-01T00:00:20Z"}`; err != nil || string(data) != want {
		t.Errorf("got %s %v, want %s", data, err, want)
	}
	var back vsphere.MetricSample
	if err := json.Unmarshal(data, &back); err != nil || !back.Time.Equal(s.Time) || !maps.Equal(back.Values, s.Values) {
		t.Errorf("got %+v %v, want %+v", back, err, s)
	}
}
