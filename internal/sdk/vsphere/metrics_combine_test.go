package vsphere

import (
	"maps"
	"testing"
	"time"

	"github.com/vmware/govmomi/vim25/types"
)

func TestBucket_RollsUpAsTheCounterDoes(t *testing.T) {
	w := window{step: time.Minute, stored: storedInterval{period: realtime}}
	s := series{20: 1, 40: 2, 60: 6, 80: 10, 120: 30, 140: 7}
	for rollup, want := range map[types.PerfSummaryType]series{
		types.PerfSummaryTypeAverage:   {60: 3, 120: 20, 180: 7},
		types.PerfSummaryTypeSummation: {60: 9, 120: 40, 180: 7},
		types.PerfSummaryTypeMaximum:   {60: 6, 120: 30, 180: 7},
		types.PerfSummaryTypeMinimum:   {60: 1, 120: 10, 180: 7},
		types.PerfSummaryTypeLatest:    {60: 6, 120: 30, 180: 7},
	} {
		if got := w.bucket(s, rollup); !maps.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", rollup, got, want)
		}
	}
	w.step = realtime
	if got := w.bucket(s, types.PerfSummaryTypeAverage); !maps.Equal(got, s) {
		t.Errorf("got %v, want the series itself", got)
	}
}

func TestOfHosts_WeighsAndWaitsForLateHosts(t *testing.T) {
	host := func(n string) types.ManagedObjectReference {
		return types.ManagedObjectReference{Type: "HostSystem", Value: n}
	}
	targets := metricTargets{{}, {host("a"), 1000, 1}, {host("b"), 3000, 3}, {host("gone"), 9000, 9}}
	read := map[seriesKey]series{
		{host("a"), 1, ""}:    {20: 10, 40: 20, 60: 30, 1000: 40, 1020: 50},
		{host("b"), 1, ""}:    {20: 50, 39: 60, 60: 70, 1000: 80}, // one off the grid, and not yet asked at 1020
		{host("gone"), 1, ""}: {20: 100},                          // stopped long ago
	}
	w := window{step: realtime, stored: storedInterval{period: realtime}}
	sum := targets.ofHosts(column{counter: counter{id: 1}, cluster: blendSum}, read, w)
	if want := (series{20: 160, 40: 80, 60: 100, 1000: 120}); !maps.Equal(sum, want) {
		t.Errorf("sum: got %v, want %v", sum, want)
	}
	mean := targets.ofHosts(column{counter: counter{id: 1}, cluster: blendMeanCPU}, read, w)
	if want := (series{20: (10*1000 + 50*3000 + 100*9000) / 13000.0, 40: 50, 60: 60, 1000: 70}); !maps.Equal(mean, want) {
		t.Errorf("mean: got %v, want %v", mean, want)
	}
}

func TestNewSeries_NoSampleIsNoValue(t *testing.T) {
	got := newSeries([]int64{20, 40, 60, 80}, "5,-1,,7,99")
	if want := (series{20: 5, 80: 7}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := sampleTimes("20,soon"); err == nil {
		t.Error("a time that is none was taken")
	}
}
