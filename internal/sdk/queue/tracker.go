package queue

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// Bounds of what a handler can make a record hold.
const (
	maxStages       = 64
	maxItems        = 512
	maxMessageBytes = 512
)

// rateMemory is the time constant of the smoothed rates.
const rateMemory = 20 * time.Second

// bytesWeight is how much more a stage that moves bytes counts in the percentage of the whole than one that does not.
const bytesWeight = 10

// tracker turns the reports of a handler into stages with rates and estimates.
type tracker struct {
	mu      sync.Mutex
	now     func() time.Time // monotonic: rates
	wall    func() time.Time // what is recorded
	stages  []job.Stage
	meters  map[string]*meter
	percent float64
	dirty   bool
}

// meter smooths the rate of one measure.
type meter struct {
	at   time.Time
	done int64
	rate float64
}

func newTracker(wall func() time.Time, stages []job.Stage) *tracker {
	t := &tracker{now: time.Now, wall: wall, meters: map[string]*meter{}}
	for _, s := range stages { // of an earlier attempt: their order stays, their numbers begin again
		t.stages = append(t.stages, job.Stage{Name: s.Name, Status: sdk.Pending})
	}
	return t
}

// plan names the stages to come, in order.
func (t *tracker) plan(names []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var planned []job.Stage
	for _, name := range names {
		if len(planned) < maxStages && !slices.ContainsFunc(planned, func(s job.Stage) bool { return s.Name == name }) {
			planned = append(planned, job.Stage{Name: cut(name), Status: sdk.Pending})
		}
	}
	t.stages, t.dirty = planned, true
}

func (t *tracker) report(p sdk.Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dirty = true
	s := t.stage(cut(p.Stage))
	if s == nil {
		return
	}
	if p.Status == "" {
		p.Status = sdk.Running
	}
	now := t.wall().UTC()
	if s.Started.IsZero() {
		s.Started = now
	}
	if p.Item != "" {
		t.reportItem(s, p)
		if s.Status == sdk.Pending {
			s.Status = sdk.Running
		}
		return
	}
	s.Status = p.Status
	if p.Message != "" {
		s.Message = cut(job.Redact(p.Message))
	}
	if p.Total > 0 || p.Done > 0 {
		s.Measure = t.measure(s.Name, p)
	}
	if ended(p.Status) {
		s.Ended, s.Rate, s.ETA = now, 0, 0
	}
}

func (t *tracker) reportItem(s *job.Stage, p sdk.Progress) {
	name := cut(p.Item)
	i := slices.IndexFunc(s.Items, func(item job.Item) bool { return item.Name == name })
	if i < 0 {
		if len(s.Items) >= maxItems {
			return
		}
		s.Items, i = append(s.Items, job.Item{Name: name}), len(s.Items)
	}
	item := &s.Items[i]
	item.Status = p.Status
	if p.Message != "" {
		item.Message = cut(job.Redact(p.Message))
	}
	if p.Total > 0 || p.Done > 0 {
		item.Measure = t.measure(s.Name+"\x00"+name, p)
	}
	if ended(p.Status) {
		item.Rate, item.ETA = 0, 0
	}
	t.sum(s)
}

// sum makes the stage's measure that of its items, when they have one unit.
func (t *tracker) sum(s *job.Stage) {
	var total sdk.Progress
	for _, item := range s.Items {
		if total.Unit == "" {
			total.Unit = item.Unit
		}
		if item.Unit != total.Unit || item.Unit == "percent" {
			return
		}
		total.Done, total.Total, total.Wire = total.Done+item.Done, total.Total+item.Total, total.Wire+item.Wire
	}
	s.Measure = t.measure(s.Name, total)
}

func (t *tracker) measure(name string, p sdk.Progress) job.Measure {
	m := job.Measure{Done: p.Done, Total: p.Total, Unit: p.Unit, Wire: p.Wire}
	now := t.now()
	last := t.meters[name]
	if last == nil || p.Done < last.done {
		t.meters[name] = &meter{at: now, done: p.Done}
		return m
	}
	if took := now.Sub(last.at).Seconds(); took > 0 {
		rate := float64(p.Done-last.done) / took
		keep := math.Exp(-took / rateMemory.Seconds())
		if last.rate == 0 {
			keep = 0
		}
		last.rate = keep*last.rate + (1-keep)*rate
		last.at, last.done = now, p.Done
	}
	m.Rate = last.rate
	if m.Rate > 0 && p.Total > p.Done {
		m.ETA = math.Ceil(float64(p.Total-p.Done) / m.Rate)
	}
	return m
}

func (t *tracker) stage(name string) *job.Stage {
	if name == "" {
		name = "run"
	}
	for i := range t.stages {
		if t.stages[i].Name == name {
			return &t.stages[i]
		}
	}
	if len(t.stages) >= maxStages {
		return nil
	}
	t.stages = append(t.stages, job.Stage{Name: name, Status: sdk.Running})
	return &t.stages[len(t.stages)-1]
}

// pending says whether there is something that put has not written.
func (t *tracker) pending() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dirty
}

// put writes the state into j. The percentage never goes back within an attempt.
func (t *tracker) put(j *job.Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.dirty = false
	j.Stages = slices.Clone(t.stages)
	for i := range j.Stages {
		j.Stages[i].Items = slices.Clone(j.Stages[i].Items)
	}
	t.percent = max(t.percent, percent(t.stages))
	j.Percent = t.percent
}

func percent(stages []job.Stage) float64 {
	var done, all float64
	for _, s := range stages {
		weight, part := 1.0, 0.0
		if s.Unit == "bytes" {
			weight = bytesWeight
		}
		switch {
		case s.Status == sdk.Succeeded || s.Status == sdk.Skipped:
			part = 1
		case s.Total > 0:
			part = min(1, float64(s.Done)/float64(s.Total))
		}
		done, all = done+weight*part, all+weight
	}
	if all == 0 {
		return 0
	}
	return math.Round(1000*done/all) / 10
}

// closeStages gives every stage of an ended job an end of its own.
func closeStages(j *job.Job, at time.Time) {
	j.Stages = slices.Clone(j.Stages)
	for i := range j.Stages {
		s := &j.Stages[i]
		switch s.Status {
		case sdk.Running:
			s.Status, s.Ended = j.Status, at
		case sdk.Pending:
			s.Status = sdk.Skipped
		default:
		}
		s.Rate, s.ETA = 0, 0
		s.Items = slices.Clone(s.Items)
		for k := range s.Items {
			if s.Items[k].Status == sdk.Running {
				s.Items[k].Status = j.Status
			}
			s.Items[k].Rate, s.Items[k].ETA = 0, 0
		}
	}
	if j.Status == sdk.Succeeded {
		j.Percent = 100
	}
}

func ended(s sdk.Status) bool {
	return s == sdk.Succeeded || s == sdk.Failed || s == sdk.Canceled || s == sdk.Skipped
}

func cut(text string) string {
	if len(text) > maxMessageBytes {
		return text[:maxMessageBytes-3] + "..."
	}
	return text
}
