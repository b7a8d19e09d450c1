package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

func TestTracker_RateEstimateAndPercent(t *testing.T) {
	now := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	tr := newTracker(clock, nil)
	tr.now = clock
	tr.plan([]string{"export", "fix", "fix"})
	tr.report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 0, Total: 1000, Unit: "bytes"})
	tr.report(sdk.Progress{Stage: "export", Item: "disk-1", Done: 0, Total: 1000, Unit: "bytes"})
	now = now.Add(10 * time.Second)
	tr.report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 500, Total: 1000, Unit: "bytes", Message: "password=hunter2"})

	var j job.Job
	tr.put(&j)
	export, disk := j.Stages[0], j.Stages[0].Items[0]
	if len(j.Stages) != 2 || disk.Rate != 50 || disk.ETA != 10 || disk.Message != "password=[redacted]" {
		t.Errorf("disk %+v of %d stages", disk, len(j.Stages))
	}
	if export.Done != 500 || export.Total != 2000 || export.Status != sdk.Running || export.Rate != 50 || export.ETA != 30 {
		t.Errorf("stage %+v", export)
	}
	before := j.Percent
	if before <= 0 || before >= 25 {
		t.Errorf("%v percent of the whole", before)
	}
	tr.report(sdk.Progress{Stage: "export", Item: "disk-0", Done: 0, Total: 1000, Unit: "bytes"}) // it starts over
	if tr.put(&j); j.Percent != before || j.Stages[0].Items[0].Rate != 0 {
		t.Errorf("%v percent after %v, rate %v", j.Percent, before, j.Stages[0].Items[0].Rate)
	}
	if tr.pending() {
		t.Error("there is more to write right after a write")
	}
}

func TestTracker_Bounds(t *testing.T) {
	tr := newTracker(time.Now, nil)
	for i := range 1000 {
		tr.report(sdk.Progress{Stage: fmt.Sprint("stage", i)})
		tr.report(sdk.Progress{Stage: "stage0", Item: fmt.Sprint("disk", i)})
	}
	var j job.Job
	if tr.put(&j); len(j.Stages) != maxStages || len(j.Stages[0].Items) != maxItems {
		t.Errorf("%d stages, %d items", len(j.Stages), len(j.Stages[0].Items))
	}
}

func TestRetryAfter(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 10 * time.Second, 2: 20 * time.Second, 20: 10 * time.Minute} {
		if got := retryAfter(n); got != want {
			t.Errorf("try %d: %s, want %s", n, got, want)
		}
	}
}
