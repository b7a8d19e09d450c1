package vsphere

import (
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// late is how many periods the newest samples may be behind the clock; so many more are asked for when a number is wanted.
const late = 3

// window is what to ask of vCenter for a spec, and how to bring it into the asked interval.
type window struct {
	start, end time.Time // samples after start, until end
	stored     storedInterval
	step       time.Duration // the asked interval: stored.period, or a multiple of it
	samples    int           // keep the newest; 0: all
}

// aggregated says whether several stored samples make one.
func (w window) aggregated() bool { return w.step != w.stored.period }

// window plans the query. What contradicts itself or is not kept is sdk.ErrInvalid.
func (t *counterTable) window(spec MetricsSpec, now time.Time) (window, error) {
	w := window{end: now, samples: spec.MaxSamples}
	var err error
	if spec.End != "" {
		if w.end, err = ParseTime(spec.End, now); err != nil {
			return w, inField("end", err)
		}
	}
	if w.end.After(now) {
		w.end = now
	}
	if spec.Interval != "" {
		if w.step, err = ParseInterval(spec.Interval); err != nil {
			return w, inField("interval", err)
		}
	}
	if spec.Start != "" {
		return t.from(w, spec, now)
	}
	return t.newest(w, now)
}

// from is the window with a start that was asked for.
func (t *counterTable) from(w window, spec MetricsSpec, now time.Time) (window, error) {
	var err error
	if w.start, err = ParseTime(spec.Start, now); err != nil {
		return w, inField("start", err)
	}
	if !w.start.Before(w.end) {
		return w, inField("start", sdk.WithHint(sdk.Invalidf("the start %s is not before the end %s",
			w.start.Format(time.RFC3339), w.end.Format(time.RFC3339)), timeForms))
	}
	age := now.Sub(w.start)
	if w.step > 0 && t.choose(&w, now.Sub(w.start.Truncate(w.step))) == nil { // the whole of the first interval is kept
		age = now.Sub(w.start.Truncate(w.step))
	}
	if err := t.choose(&w, age); err != nil {
		return w, err
	}
	if !w.aggregated() {
		return w, nil
	}
	w.end = w.end.Truncate(w.step)
	if w.start = w.start.Truncate(w.step); !w.stored.reaches(now.Sub(w.start)) {
		w.start = w.start.Add(w.step)
	}
	return w, nil
}

// newest is the window of the last samples before the end.
func (t *counterTable) newest(w window, now time.Time) (window, error) {
	if w.samples == 0 {
		w.samples = defaultSamples
	}
	age := now.Sub(w.end)
	if w.step == 0 {
		w.step = t.finest(age).period
	}
	if err := t.choose(&w, age); err != nil {
		return w, err
	}
	if oldest := w.stored.kept - age; w.aggregated() && time.Duration(w.samples)*w.step > oldest {
		// So many intervals may need a coarser source; without one, there are as many as the source has.
		coarser := w
		if t.choose(&coarser, age+time.Duration(w.samples)*w.step) == nil {
			w = coarser
		}
	}
	if w.aggregated() {
		w.end = w.end.Truncate(w.step)
		w.start = w.end.Add(-time.Duration(w.samples) * w.step)
	} else {
		w.start = w.end.Add(-time.Duration(w.samples+late) * w.step)
	}
	if oldest := now.Add(-w.stored.kept); w.start.Before(oldest) && oldest.Before(w.end) {
		w.start = oldest
		if w.aggregated() {
			w.start = oldest.Add(w.step - 1).Truncate(w.step)
		}
	}
	return w, nil
}

// finest is the finest interval that is kept for so long, else the one kept longest.
func (t *counterTable) finest(age time.Duration) storedInterval {
	for _, i := range t.intervals {
		if i.reaches(age) {
			return i
		}
	}
	return t.intervals[len(t.intervals)-1]
}

// reaches allows for the moments between a plan and its query.
func (i storedInterval) reaches(age time.Duration) bool { return age <= i.kept+i.period }

// choose sets the stored interval that the step is made from: itself when it is kept, else the finest that divides it.
func (t *counterTable) choose(w *window, age time.Duration) error {
	if w.step == 0 {
		w.stored = t.finest(age)
		w.step = w.stored.period
		return nil
	}
	var fits []storedInterval
	for _, i := range t.intervals {
		if i.period == w.step {
			fits = []storedInterval{i}
			break
		}
		if w.step%i.period == 0 {
			fits = append(fits, i)
		}
	}
	var kept []string
	for _, i := range t.intervals {
		kept = append(kept, formatSpan(i.period)+" for "+formatSpan(i.kept))
	}
	list := strings.Join(kept, ", ")
	if len(fits) == 0 {
		return inField("interval", sdk.WithHint(
			sdk.Invalidf("the interval %s is no multiple of one that this vCenter keeps", formatSpan(w.step)), "it keeps %s", list))
	}
	for _, i := range fits {
		if i.reaches(age) {
			w.stored = i
			return nil
		}
	}
	last := fits[len(fits)-1]
	return inField("start", sdk.WithHint(sdk.Invalidf("samples for an interval of %s are kept for %s, and the start is %s ago",
		formatSpan(w.step), formatSpan(last.kept), formatSpan(age.Round(time.Second))),
		"take a later start or a longer interval; this vCenter keeps %s", list))
}
