package vsphere

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// blend says how the values of several series become one.
type blend int

const (
	blendNone       blend = iota // they do not: a counter that cannot be told for a cluster from its hosts
	blendSum                     // added
	blendMeanCPU                 // the mean, each host weighing as much as its CPU
	blendMeanMemory              // the mean, each host weighing as much as its memory
)

// namedMetric is one of our own words for a counter of vSphere's, in the unit that its name says.
type namedMetric struct {
	name    string
	unit    string
	counter string  // of hosts, and of VMs unless vm says otherwise
	vm      string  // of VMs; its instances are added up
	scale   float64 // to the unit
	cluster blend   // of the hosts' values
}

// namedMetrics is the default set, in the order in which it is shown. memory_mb is what is consumed, since vCenter keeps that
// at every statistics level. A VM's disks are told by virtualDisk: disk.read knows no VM on NFS or vSAN.
var namedMetrics = []namedMetric{
	{"cpu_percent", "percent", "cpu.usage.average", "", 0.01, blendMeanCPU},
	{"cpu_mhz", "MHz", "cpu.usagemhz.average", "", 1, blendSum},
	{"memory_percent", "percent", "mem.usage.average", "", 0.01, blendMeanMemory},
	{"memory_mb", "MB", "mem.consumed.average", "", 1.0 / 1024, blendSum},
	{"disk_read_mbps", "MB/s", "disk.read.average", "virtualDisk.read.average", 1.0 / 1024, blendSum},
	{"disk_write_mbps", "MB/s", "disk.write.average", "virtualDisk.write.average", 1.0 / 1024, blendSum},
	{"net_rx_mbps", "MB/s", "net.received.average", "", 1.0 / 1024, blendSum},
	{"net_tx_mbps", "MB/s", "net.transmitted.average", "", 1.0 / 1024, blendSum},
}

// NamedMetrics are the metrics that are read when none is asked for, in the order in which they are shown.
func NamedMetrics() []string {
	var names []string
	for _, m := range namedMetrics {
		names = append(names, m.name)
	}
	return names
}

// counter is one performance counter of the vCenter.
type counter struct {
	id     int32
	name   string // group.name.rollup
	unit   string // vSphere's key: percent, kiloBytes, …
	rollup types.PerfSummaryType
	level  int32 // from which statistics level on vCenter keeps it
}

// storedInterval is an interval at which samples are kept, and for how long.
type storedInterval struct {
	period time.Duration
	kept   time.Duration
	level  int32 // statistics level; 0: everything
}

// counterTable is what a vCenter counts and keeps.
type counterTable struct {
	byName    map[string]counter
	intervals []storedInterval // the finest first; realtime is the first
}

// counterTable asks the vCenter once in a session's life.
func (c *Client) counterTable(ctx context.Context) (*counterTable, error) {
	return c.counters.get(ctx, "", func() (*counterTable, error) {
		manager := *c.vim.ServiceContent.PerfManager
		content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: manager}},
			[]types.PropertySpec{{Type: manager.Type, PathSet: []string{"perfCounter", "historicalInterval"}}})
		if err != nil {
			return nil, fmt.Errorf("read the performance counters: %w", err)
		}
		object, err := find(content, manager)
		if err != nil {
			return nil, err
		}
		return newCounterTable(properties(object)), nil
	})
}

func newCounterTable(props map[string]any) *counterTable {
	t := &counterTable{byName: map[string]counter{}, intervals: []storedInterval{{period: realtime, kept: time.Hour}}}
	counters, _ := props["perfCounter"].(types.ArrayOfPerfCounterInfo)
	for _, info := range counters.PerfCounterInfo {
		group, name, unit := info.GroupInfo, info.NameInfo, info.UnitInfo
		if group == nil || name == nil || unit == nil {
			continue
		}
		full := group.GetElementDescription().Key + "." + name.GetElementDescription().Key + "." + string(info.RollupType)
		t.byName[full] = counter{
			id: info.Key, name: full, unit: unit.GetElementDescription().Key, rollup: info.RollupType, level: info.Level,
		}
	}
	intervals, _ := props["historicalInterval"].(types.ArrayOfPerfInterval)
	for _, i := range intervals.PerfInterval {
		if i.Enabled && i.SamplingPeriod > 0 {
			t.intervals = append(t.intervals, storedInterval{
				time.Duration(i.SamplingPeriod) * time.Second, time.Duration(i.Length) * time.Second, i.Level,
			})
		}
	}
	sort.Slice(t.intervals, func(i, j int) bool { return t.intervals[i].period < t.intervals[j].period })
	return t
}

// column is one metric of an answer: what to ask for, and what to make of it.
type column struct {
	name       string
	counter    counter
	unit       string
	scale      float64
	addUp      bool // the aggregate is the sum of the instances
	cluster    blend
	ofHosts    bool   // of a cluster: told from its hosts
	instance   string // asked of vCenter
	byInstance bool   // the answer has a series for each instance
}

// columns are the metrics that the spec asks for, by our own name or by counter. One that there is not is sdk.ErrInvalid.
func (t *counterTable) columns(spec MetricsSpec) ([]column, error) {
	wanted := spec.Counters
	if len(wanted) == 0 {
		wanted = NamedMetrics()
	}
	var columns []column
	for _, name := range wanted {
		if slices.ContainsFunc(columns, func(c column) bool { return c.name == name }) {
			continue
		}
		col, ok := t.column(name, spec.Type)
		if !ok {
			known := NamedMetrics()
			for name := range t.byName {
				known = append(known, name)
			}
			sort.Strings(known)
			return nil, sdk.WithHint(didYouMean(sdk.Invalidf("this vCenter has no counter %q", name), name, known),
				"name one as group.name.rollup (cpu.usage.average), or take one of %s", strings.Join(NamedMetrics(), ", "))
		}
		col.instance, col.byInstance = spec.Instance, spec.Instance != ""
		if col.addUp && spec.Instance == "" {
			col.instance = everyInstance
		}
		columns = append(columns, col)
	}
	return columns, nil
}

func (t *counterTable) column(name, typ string) (column, bool) {
	for _, m := range namedMetrics {
		if m.name != name {
			continue
		}
		col := column{name: name, unit: m.unit, scale: m.scale, cluster: m.cluster, ofHosts: typ == TypeCluster}
		counter := m.counter
		if typ == TypeVM && m.vm != "" {
			counter, col.addUp = m.vm, true
		}
		var ok bool
		col.counter, ok = t.byName[counter]
		return col, ok
	}
	c, ok := t.byName[name]
	col := column{name: name, counter: c, scale: 1, unit: unitName(c.unit)}
	if c.unit == "percent" {
		col.scale = 0.01 // vSphere counts hundredths of a percent
	}
	for _, m := range namedMetrics {
		if m.counter == name && typ == TypeCluster {
			col.cluster, col.ofHosts = m.cluster, true
		}
	}
	return col, ok
}

// unitName is the short form of vSphere's name of a unit.
func unitName(key string) string {
	short := map[string]string{
		"megaHertz": "MHz", "kiloBytes": "KB", "megaBytes": "MB", "teraBytes": "TB", "kiloBytesPerSecond": "KB/s",
		"megaBytesPerSecond": "MB/s", "microsecond": "us", "millisecond": "ms", "second": "s", "number": "count",
		"watt": "W", "joule": "J", "celsius": "C",
	}
	if s, ok := short[key]; ok {
		return s
	}
	return key
}
