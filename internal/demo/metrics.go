package demo

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/vpx"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// realtimeInterval is the period at which hosts sample, in seconds (PerfInterval.samplingPeriod, "vSphere Web Services API").
const realtimeInterval = 20

// keepMore raises the statistics level of the first two historical intervals to 2, where disk and network are kept; the others
// stay at 1, which is a new vCenter's setting ("Data Collection Levels", "vSphere Monitoring and Performance").
func (v *VCenter) keepMore() {
	manager := v.performance()
	if manager == nil {
		return
	}
	manager.HistoricalInterval = slices.Clone(manager.HistoricalInterval)
	for i := range manager.HistoricalInterval {
		interval := &manager.HistoricalInterval[i]
		interval.Key = int32(i + 1)
		if interval.SamplingPeriod <= 1800 {
			interval.Level = 2
		}
	}
}

func (v *VCenter) performance() *simulator.PerformanceManager {
	manager, _ := v.registry.Get(*v.model.ServiceContent.PerfManager).(*simulator.PerformanceManager)
	return manager
}

// performanceQuery answers PerformanceManager.QueryPerf as the "vSphere Web Services API" has it, where the simulator differs:
// samples come oldest first, stand on the interval's grid, leave out the sample at startTime, and are the same each time; "*"
// means every instance; a VM that is off has no realtime samples and a cluster never has; a historical interval has the
// counters of its statistics level; an unknown counter is InvalidArgument.
type performanceQuery struct {
	v       *VCenter
	manager *simulator.PerformanceManager
}

// Reference is the performance manager's.
func (q *performanceQuery) Reference() types.ManagedObjectReference { return q.manager.Self }

// QueryPerf reads samples.
func (q *performanceQuery) QueryPerf(ctx *simulator.Context, req *types.QueryPerf) soap.HasFault {
	body := &methods.QueryPerfBody{Res: new(types.QueryPerfResponse)}
	counters := make(map[int32]types.PerfCounterInfo, len(q.manager.PerfCounter))
	for _, info := range q.manager.PerfCounter {
		counters[info.Key] = info
	}
	for _, spec := range req.QuerySpec {
		for _, id := range spec.MetricId {
			if _, known := counters[id.CounterId]; !known {
				return &methods.QueryPerfBody{Fault_: simulator.Fault("", &types.InvalidArgument{InvalidProperty: "querySpec.metricId"})}
			}
		}
		if metric := q.entity(ctx, spec, counters); metric != nil {
			body.Res.Returnval = append(body.Res.Returnval, metric)
		}
	}
	return body
}

// entity is the answer for one object, or nil when there is none.
func (q *performanceQuery) entity(ctx *simulator.Context, spec types.PerfQuerySpec, counters map[int32]types.PerfCounterInfo) types.BasePerfEntityMetricBase {
	interval := spec.IntervalId
	if interval <= 0 {
		interval = realtimeInterval
	}
	m := measure(ctx, spec.Entity)
	if interval == realtimeInterval && !m.realtime {
		return nil
	}
	times := grid(spec, interval)
	if len(times) == 0 {
		return nil
	}
	if len(spec.MetricId) == 0 {
		for _, info := range q.manager.PerfCounter {
			spec.MetricId = append(spec.MetricId, types.PerfMetricId{CounterId: info.Key})
		}
	}
	answer := &types.PerfEntityMetric{PerfEntityMetricBase: types.PerfEntityMetricBase{Entity: spec.Entity}}
	for _, at := range times {
		answer.SampleInfo = append(answer.SampleInfo, types.PerfSampleInfo{Timestamp: at, Interval: interval})
	}
	level := q.level(interval)
	for _, id := range spec.MetricId {
		info := counters[id.CounterId]
		if level > 0 && info.Level > level {
			continue
		}
		answer.Value = append(answer.Value, m.series(newCounterName(info), id, times, interval)...)
	}
	if spec.Format == string(types.PerfFormatCsv) {
		return inCSV(answer)
	}
	return answer
}

// level is the statistics level of a historical interval; 0 for realtime, which has everything.
func (q *performanceQuery) level(interval int32) int32 {
	for _, i := range q.manager.HistoricalInterval {
		if i.SamplingPeriod == interval {
			return i.Level
		}
	}
	return 0
}

// grid is the times of the samples: after the start, until the end, multiples of the interval. MaxSample counts for realtime
// only, from the newest back.
func grid(spec types.PerfQuerySpec, interval int32) []time.Time {
	step := int64(interval)
	var times []time.Time
	for at := spec.StartTime.Unix()/step*step + step; at <= spec.EndTime.Unix(); at += step {
		times = append(times, time.Unix(at, 0).UTC())
	}
	if n := int(spec.MaxSample); n > 0 && interval == realtimeInterval && len(times) > n {
		times = times[len(times)-n:]
	}
	return times
}

func inCSV(m *types.PerfEntityMetric) *types.PerfEntityMetricCSV {
	csv := &types.PerfEntityMetricCSV{PerfEntityMetricBase: m.PerfEntityMetricBase}
	var info []string
	for _, s := range m.SampleInfo {
		info = append(info, strconv.Itoa(int(s.Interval)), s.Timestamp.Format(time.RFC3339))
	}
	csv.SampleInfoCSV = strings.Join(info, ",")
	for _, base := range m.Value {
		s, ok := base.(*types.PerfMetricIntSeries)
		if !ok {
			continue
		}
		values := make([]string, len(s.Value))
		for i, value := range s.Value {
			values[i] = strconv.FormatInt(value, 10)
		}
		csv.Value = append(csv.Value, types.PerfMetricSeriesCSV{PerfMetricSeries: s.PerfMetricSeries, Value: strings.Join(values, ",")})
	}
	return csv
}

// counterName is a counter by its parts.
type counterName struct {
	id          int32
	group, name string
}

func newCounterName(info types.PerfCounterInfo) counterName {
	return counterName{info.Key, info.GroupInfo.GetElementDescription().Key, info.NameInfo.GetElementDescription().Key}
}

// measured is an object under observation.
type measured struct {
	ref         types.ManagedObjectReference
	realtime    bool
	mhz         int64 // what 100 percent of CPU are
	memoryKB    int64
	cpus        int
	nics, disks []string
}

// measure looks at an object's size and state.
func measure(ctx *simulator.Context, ref types.ManagedObjectReference) measured {
	m := measured{ref: ref}
	switch obj := ctx.Map.Get(ref).(type) {
	case *simulator.VirtualMachine:
		ctx.WithLock(obj, func() { m.vm(ctx, obj) })
	case *simulator.HostSystem:
		ctx.WithLock(obj, func() { m.host(obj) })
	case *simulator.ResourcePool:
		m.realtime = true
	}
	return m
}

func (m *measured) vm(ctx *simulator.Context, vm *simulator.VirtualMachine) {
	m.realtime = vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
	m.cpus = int(vm.Config.Hardware.NumCPU)
	m.memoryKB = int64(vm.Config.Hardware.MemoryMB) << 10
	if vm.Runtime.Host != nil {
		if host, ok := ctx.Map.Get(*vm.Runtime.Host).(*simulator.HostSystem); ok {
			m.mhz = int64(host.Summary.Hardware.CpuMhz) * int64(m.cpus)
		}
	}
	devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
	for _, d := range devices {
		device := d.GetVirtualDevice()
		switch d := d.(type) {
		case *types.VirtualDisk:
			if c, ok := devices.FindByKey(device.ControllerKey).(types.BaseVirtualController); ok && device.UnitNumber != nil {
				m.disks = append(m.disks, fmt.Sprintf("%s%d:%d", controllerKind(c), c.GetVirtualController().BusNumber, *device.UnitNumber))
			}
		case types.BaseVirtualEthernetCard:
			m.nics = append(m.nics, strconv.Itoa(int(d.GetVirtualEthernetCard().Key)))
		}
	}
}

func controllerKind(c types.BaseVirtualController) string {
	switch c.(type) {
	case *types.VirtualIDEController:
		return "ide"
	case *types.VirtualNVMEController:
		return "nvme"
	case types.BaseVirtualSATAController:
		return "sata"
	}
	return "scsi"
}

func (m *measured) host(host *simulator.HostSystem) {
	m.realtime = host.Runtime.ConnectionState == types.HostSystemConnectionStateConnected
	if hw := host.Summary.Hardware; hw != nil {
		m.cpus = int(hw.NumCpuThreads)
		m.mhz, m.memoryKB = int64(hw.CpuMhz)*int64(hw.NumCpuCores), hw.MemorySize>>10
	}
	m.nics, m.disks = []string{"vmnic0", "vmnic1"}, []string{"mpx.vmhba0:C0:T0:L0"}
}

// instances of a counter, besides its aggregate.
func (m *measured) instances(c counterName) (names []string, aggregate bool) {
	switch c.group {
	case "virtualDisk":
		return m.disks, false
	case "net":
		return m.nics, true
	case "disk":
		return m.disks, true
	case "cpu":
		for i := range m.cpus {
			names = append(names, strconv.Itoa(i))
		}
	}
	return names, true
}

// series are the samples of a counter: its aggregate, one instance, or all of them.
func (m *measured) series(c counterName, id types.PerfMetricId, times []time.Time, interval int32) []types.BasePerfMetricSeries {
	names, aggregate := m.instances(c)
	if len(canned(m.ref.Type, c)) == 0 {
		return nil
	}
	var wanted []string
	switch {
	case id.Instance == "*":
		wanted = slices.Clone(names)
		if aggregate {
			wanted = append(wanted, "")
		}
	case id.Instance == "" && aggregate, slices.Contains(names, id.Instance):
		wanted = []string{id.Instance}
	}
	var all []types.BasePerfMetricSeries
	for _, instance := range wanted {
		s := &types.PerfMetricIntSeries{PerfMetricSeries: types.PerfMetricSeries{Id: types.PerfMetricId{CounterId: c.id, Instance: instance}}}
		for _, at := range times {
			value := m.value(c, at, interval)
			if i := slices.Index(names, instance); i >= 0 && c.group != "cpu" {
				value = share(value, i, len(names))
			}
			s.Value = append(s.Value, value)
		}
		all = append(all, s)
	}
	return all
}

// share is what the i-th of n instances has of the whole.
func share(value int64, i, n int) int64 {
	part := value / int64(n)
	if i == 0 {
		part += value % int64(n)
	}
	return part
}

// value is the aggregate at a time: the simulator's recorded values, in an order and with a tenth of variation that follow from
// the object, the counter and the time alone. MHz and KB of an object go with its percent and its size.
func (m *measured) value(c counterName, at time.Time, interval int32) int64 {
	const hundredPercent = 10000
	switch {
	case c.group == "cpu" && c.name == "usagemhz" && m.mhz > 0:
		return m.mhz * m.value(counterName{2, "cpu", "usage"}, at, interval) / hundredPercent
	case c.group == "mem" && c.name == "consumed" && m.memoryKB > 0:
		return m.memoryKB * m.value(counterName{24, "mem", "usage"}, at, interval) / hundredPercent
	}
	points := canned(m.ref.Type, c)
	if len(points) == 0 {
		return 0
	}
	tick := at.Unix() / int64(interval)
	seed := hash(m.ref.Value, strconv.Itoa(int(c.id)))
	value := points[(uint64(tick)+seed)%uint64(len(points))]
	value += value * (int64(hash(m.ref.Value, strconv.Itoa(int(c.id)), strconv.FormatInt(tick, 10))%21) - 10) / 100
	if (c.group == "cpu" || c.group == "mem") && c.name == "usage" {
		value = min(value, hundredPercent)
	}
	return value
}

// canned are the simulator's recorded values. It has none for virtual disks, which see what the VM's disk counters see.
func canned(kind string, c counterName) []int64 {
	data := vpx.MetricData[kind]
	if c.group == "virtualDisk" {
		switch c.name {
		case "read":
			return data[130]
		case "write":
			return data[131]
		}
	}
	return data[c.id]
}

func hash(parts ...string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.Join(parts, "\x00"))) // never fails
	return h.Sum64()
}
