package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
)

func TestNextRuns(t *testing.T) {
	for name, tc := range map[string]struct{ cron, zone, from, want string }{
		"weekday nights":               {"30 2 * * 1-5", "", "2026-01-09T12:00:00Z", "2026-01-12T02:30:00Z 2026-01-13T02:30:00Z"},
		"a zone":                       {"30 2 * * *", "Europe/Berlin", "2026-01-09T12:00:00Z", "2026-01-10T01:30:00Z 2026-01-11T01:30:00Z"},
		"spring leaves the hour out":   {"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z"},
		"spring, twice in the gap":     {"0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:00:00Z"},
		"autumn shows the hour twice":  {"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		"autumn, from between the two": {"30 2 * * *", "Europe/Berlin", "2026-10-25T01:00:00Z", "2026-10-26T01:30:00Z"},
		"every half hour in autumn":    {"*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", "2026-10-25T00:30:00Z 2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-25T02:00:00Z"},
		"every half hour in spring":    {"*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z"},
		"the south":                    {"15 2 * * *", "Australia/Sydney", "2026-10-03T00:00:00Z", "2026-10-03T16:00:00Z 2026-10-04T15:15:00Z"},
		"midnight that is left out":    {"0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z 2026-09-07T03:00:00Z"},
		"leap day":                     {"0 0 29 2 *", "", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		"daily":                        {"@daily", "", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
		"every six hours":              {"@every 6h", "", "2026-01-01T01:00:00Z", "2026-01-01T07:00:00Z 2026-01-01T13:00:00Z"},
	} {
		from, err := time.Parse(time.RFC3339, tc.from)
		if err != nil {
			t.Fatal(err)
		}
		runs, err := queue.NextRuns(tc.cron, tc.zone, from, len(strings.Fields(tc.want)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, run := range runs {
			got = append(got, run.UTC().Format(time.RFC3339))
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, " "), tc.want)
		}
	}
	for _, bad := range []string{"", "* * * *", "61 * * * *", "* * * * * *", "@sometimes", "TZ=UTC * * * * *", "CRON_TZ=UTC * * * * *"} {
		if _, err := queue.NextRuns(bad, "", time.Now(), 1); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
	if _, err := queue.NextRuns("@daily", "Local", time.Now(), 1); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("the machine's own zone: %v", err)
	}
}

// at opens n nodes of one queue with one clock.
func at(t *testing.T, n int, start time.Time) ([]*queue.Queue, *clock) {
	clk, url := &clock{t: start}, cluster(t)
	nodes := make([]*queue.Queue, n)
	for i := range nodes {
		nodes[i] = open(t, func(o *queue.Options) { o.URL, o.Now = url, clk.now })
	}
	return nodes, clk
}

func put(t *testing.T, q *queue.Queue, s job.Schedule) *job.Schedule {
	t.Helper()
	got, err := q.PutSchedule(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// fired waits until the schedule has moved on past what it was, and returns it.
func fired(t *testing.T, q *queue.Queue, name string, after time.Time) *job.Schedule {
	t.Helper()
	var s *job.Schedule
	eventually(t, func() string {
		var err error
		if s, err = q.GetSchedule(t.Context(), name); err != nil || !s.Next.After(after) {
			return fmt.Sprintf("%+v, %v", s, err)
		}
		return ""
	})
	return s
}

func jobsOf(t *testing.T, q *queue.Queue, name string) []*job.Job {
	t.Helper()
	page, err := q.List(job.Filter{Schedule: name})
	if err != nil {
		t.Fatal(err)
	}
	return page.Jobs
}

// jobsAre waits until the schedule has submitted n jobs, as this node knows.
func jobsAre(t *testing.T, q *queue.Queue, name string, n int) {
	t.Helper()
	eventually(t, func() string {
		if got := len(jobsOf(t, q, name)); got != n {
			return fmt.Sprintf("%s has %d jobs, want %d", name, got, n)
		}
		return ""
	})
}

func TestSchedule_FiresOnceOverManyNodes(t *testing.T) {
	nodes, clk := at(t, 3, time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	put(t, nodes[0], job.Schedule{Name: "nightly", Cron: "0 * * * *", Overlap: job.OverlapAllow, Job: job.Spec{Kind: "k", Name: "night"}})
	for hour := 1; hour <= 5; hour++ {
		now := time.Date(2026, 1, 10, 12+hour, 0, 0, 0, time.UTC)
		eventually(t, func() string { // every node knows the schedule, so every one will try
			for _, q := range nodes {
				if s := q.Schedules(); len(s) != 1 || !s[0].Next.Equal(now) {
					return fmt.Sprintf("%+v", s)
				}
			}
			return ""
		})
		clk.set(now)
		s := fired(t, nodes[1], "nightly", now)
		if s.LastJob == "" || !s.LastFired.Equal(now) {
			t.Errorf("got %+v", s)
		}
	}
	eventually(t, func() string {
		if n := len(jobsOf(t, nodes[2], "nightly")); n != 5 {
			return fmt.Sprintf("%d jobs for 5 firings", n)
		}
		return ""
	})
}

func TestSchedule_OverlapMissedAndKey(t *testing.T) {
	start := time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC)
	nodes, clk := at(t, 1, start)
	q := nodes[0]
	put(t, q, job.Schedule{Name: "skip", Cron: "0 * * * *", Job: job.Spec{Kind: "k"}})
	put(t, q, job.Schedule{Name: "late", Cron: "0 * * * *", Missed: job.MissedSkip, Job: job.Spec{Kind: "k"}})
	put(t, q, job.Schedule{Name: "key", Cron: "0 * * * *", Overlap: job.OverlapAllow, Job: job.Spec{Kind: "k", Key: "same"}})
	put(t, q, job.Schedule{Name: "paused", Cron: "0 * * * *", Paused: true, Job: job.Spec{Kind: "k"}})

	clk.set(start.Add(3*time.Hour + 10*time.Minute)) // three times were missed
	now := clk.now()
	s := fired(t, q, "skip", now)
	jobsAre(t, q, "skip", 1)
	if s.LastNote != "" {
		t.Errorf("missed ones run once: %+v", s)
	}
	s = fired(t, q, "late", now)
	jobsAre(t, q, "late", 0)
	if !strings.HasPrefix(s.LastNote, "missed at 2026-01-10T13:00:00Z") {
		t.Errorf("missed ones are skipped: %+v", s)
	}
	fired(t, q, "key", now)
	clk.set(start.Add(4 * time.Hour))
	now = clk.now()
	s = fired(t, q, "skip", now)
	jobsAre(t, q, "skip", 1)
	if !strings.Contains(s.LastNote, "had not ended") {
		t.Errorf("no overlap: %+v", s)
	}
	s = fired(t, q, "late", now)
	jobsAre(t, q, "late", 1)
	if s.LastNote != "" {
		t.Errorf("a time that is met: %+v", s)
	}
	s = fired(t, q, "key", now)
	jobsAre(t, q, "key", 1)
	if !strings.HasPrefix(s.LastNote, "joined job") {
		t.Errorf("the same key: %+v", s)
	}
	if _, err := q.RunSchedule(t.Context(), "skip"); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("run now beside a live job: %v", err)
	}
	if j, err := q.RunSchedule(t.Context(), "paused"); err != nil || j.Schedule != "paused" {
		t.Errorf("run now: %+v, %v", j, err)
	}
	if s, err := q.GetSchedule(t.Context(), "paused"); err != nil || !s.Next.IsZero() {
		t.Errorf("a paused one has no next time: %+v, %v", s, err)
	}
}

func TestSchedule_ChangesAndRefusals(t *testing.T) {
	nodes, _ := at(t, 1, time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC))
	q := nodes[0]
	good := job.Schedule{Name: "nightly", Cron: "30 2 * * *", Job: job.Spec{Kind: "k"}}
	for name, change := range map[string]func(*job.Schedule){
		"name":    func(s *job.Schedule) { s.Name = "a b" },
		"cron":    func(s *job.Schedule) { s.Cron = "30 2" },
		"never":   func(s *job.Schedule) { s.Cron = "0 0 30 2 *" },
		"zone":    func(s *job.Schedule) { s.TimeZone = "Mars/Olympus" },
		"missed":  func(s *job.Schedule) { s.Missed = "often" },
		"overlap": func(s *job.Schedule) { s.Overlap = "maybe" },
		"job":     func(s *job.Schedule) { s.Job.Kind = "" },
	} {
		bad := good
		change(&bad)
		if _, err := q.PutSchedule(t.Context(), bad); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	first := put(t, q, good)
	second := *first
	second.TimeZone = "Europe/Berlin"
	changed := put(t, q, second)
	if !changed.Next.Equal(time.Date(2026, 1, 11, 1, 30, 0, 0, time.UTC)) || !changed.Created.Equal(first.Created) {
		t.Errorf("got %+v", changed)
	}
	if _, err := q.PutSchedule(t.Context(), second); !errors.Is(err, sdk.ErrConflict) {
		t.Errorf("an old revision: %v", err)
	}
	if err := q.DeleteSchedule(t.Context(), "nightly"); err != nil || len(q.Schedules()) != 0 {
		t.Errorf("delete: %v, %v", err, q.Schedules())
	}
	if err := q.DeleteSchedule(t.Context(), "nightly"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("delete again: %v", err)
	}
	if _, err := q.RunSchedule(t.Context(), "nightly"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("run: %v", err)
	}
}
