package demo_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/performance"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func queryPerf(t *testing.T, c *govmomi.Client, specs ...types.PerfQuerySpec) ([]types.BasePerfEntityMetricBase, error) {
	t.Helper()
	res, err := methods.QueryPerf(t.Context(), c.Client, &types.QueryPerf{This: *c.ServiceContent.PerfManager, QuerySpec: specs})
	if err != nil {
		return nil, err
	}
	return res.Returnval, nil
}

func ids(t *testing.T, c *govmomi.Client, instance string, names ...string) []types.PerfMetricId {
	t.Helper()
	known, err := performance.NewManager(c.Client).CounterInfoByName(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []types.PerfMetricId
	for _, name := range names {
		out = append(out, types.PerfMetricId{CounterId: known[name].Key, Instance: instance})
	}
	return out
}

// "vSphere Web Services API", PerfQuerySpec: the sample at startTime is not returned, the one at endTime is; series are in the
// order of their times.
func TestQueryPerf_OldestFirstAndTheSameEachTime(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	end := time.Now().UTC().Truncate(time.Minute)
	start := end.Add(-2 * time.Minute)
	spec := types.PerfQuerySpec{
		Entity: findVM(t, c, stockVM).Reference(), IntervalId: 20, StartTime: &start, EndTime: &end,
		MetricId: ids(t, c, "", "cpu.usage.average", "mem.usage.average"),
	}
	first, err := queryPerf(t, c, spec)
	if err != nil {
		t.Fatal(err)
	}
	info := first[0].(*types.PerfEntityMetric).SampleInfo
	if len(info) != 6 || !info[0].Timestamp.Equal(start.Add(20*time.Second)) || !info[5].Timestamp.Equal(end) {
		t.Errorf("got %+v, want six samples after %s until %s", info, start, end)
	}
	again, err := queryPerf(t, c, spec)
	if err != nil || !reflect.DeepEqual(first, again) {
		t.Errorf("got %v %v, want the same as before: %v", again, err, first)
	}
	spec.Format = string(types.PerfFormatCsv)
	csv, err := queryPerf(t, c, spec)
	if err != nil {
		t.Fatal(err)
	}
	values := first[0].(*types.PerfEntityMetric).Value[0].(*types.PerfMetricIntSeries).Value
	var want []string
	for _, v := range values {
		want = append(want, strconv.FormatInt(v, 10))
	}
	if got := csv[0].(*types.PerfEntityMetricCSV).Value[0].Value; got != strings.Join(want, ",") {
		t.Errorf("got %s in CSV, want %v", got, values)
	}
	spec.MaxSample = 2
	newest, err := queryPerf(t, c, spec)
	if err != nil || !strings.HasSuffix(newest[0].(*types.PerfEntityMetricCSV).SampleInfoCSV, end.Format(time.RFC3339)) {
		t.Errorf("got %+v %v, want the two newest", newest, err)
	}
}

// "vSphere Web Services API", PerfMetricId.instance: an asterisk specifies all instances of the metric.
func TestQueryPerf_Instances(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	res, err := queryPerf(t, c, types.PerfQuerySpec{
		Entity: findVM(t, c, stockVM).Reference(), IntervalId: 20,
		MetricId: ids(t, c, "*", "virtualDisk.read.average", "net.received.average"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range res[0].(*types.PerfEntityMetric).Value {
		got = append(got, s.(*types.PerfMetricIntSeries).Id.Instance)
	}
	if want := []string{"scsi0:0", "4000", ""}; !reflect.DeepEqual(got, want) {
		t.Errorf("got instances %q, want %q: a virtual disk has no aggregate", got, want)
	}
}

// "vSphere Web Services API", PerfProviderSummary.currentSupported, and PerfInterval.level.
func TestQueryPerf_WhatHasNoSamples(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	vm := findVM(t, c, stockVM)
	cluster, err := find.NewFinder(c.Client).ClusterComputeResource(t.Context(), "/DC0/host/DC0_C0")
	if err != nil {
		t.Fatal(err)
	}
	cpu := ids(t, c, "", "cpu.usage.average")
	query := func(ref types.ManagedObjectReference, interval int32, metrics []types.PerfMetricId) int {
		res, err := queryPerf(t, c, types.PerfQuerySpec{Entity: ref, IntervalId: interval, MetricId: metrics})
		if err != nil {
			t.Fatal(err)
		}
		if len(res) == 0 {
			return 0
		}
		return len(res[0].(*types.PerfEntityMetric).Value)
	}
	if n := query(cluster.Reference(), 20, cpu); n != 0 {
		t.Errorf("a cluster has %d realtime series", n)
	}
	if n := query(cluster.Reference(), 300, append(cpu, ids(t, c, "", "disk.read.average", "net.received.average")...)); n != 1 {
		t.Errorf("a cluster has %d series of the past, want CPU alone", n)
	}
	net := ids(t, c, "", "net.received.average")
	if day, year := query(vm.Reference(), 300, net), query(vm.Reference(), 86400, net); day != 1 || year != 0 {
		t.Errorf("got %d series at level 2 and %d at level 1, want 1 and 0", day, year)
	}
	if err := powerOff(t, vm); err != nil {
		t.Fatal(err)
	}
	if n := query(vm.Reference(), 20, cpu); n != 0 {
		t.Errorf("a VM that is off has %d realtime series", n)
	}
	_, err = queryPerf(t, c, types.PerfQuerySpec{Entity: vm.Reference(), IntervalId: 20, MetricId: []types.PerfMetricId{{CounterId: 99999}}})
	wantFault[*types.InvalidArgument](t, err)
	_, err = queryPerf(t, c, types.PerfQuerySpec{Entity: *missing("VirtualMachine"), IntervalId: 20, MetricId: cpu})
	wantFault[*types.ManagedObjectNotFound](t, err)
}
