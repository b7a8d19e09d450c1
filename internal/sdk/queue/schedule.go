package queue

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// missedAfter is how late a time may come and still count as met when missed ones are skipped.
const missedAfter = time.Minute

// PutSchedule makes or replaces a schedule; its history stays. A Revision that is not 0 must be the record's: ErrConflict when
// somebody changed it meanwhile. Errors: ErrInvalid for what cannot be run.
func (q *Queue) PutSchedule(ctx context.Context, s job.Schedule) (*job.Schedule, error) {
	if err := validateSchedule(&s); err != nil {
		return nil, err
	}
	table, err := parseCron(s.Cron, s.TimeZone)
	if err != nil {
		return nil, err
	}
	now := q.opts.Now().UTC()
	if !s.Paused && table.next(now).IsZero() {
		return nil, sdk.Invalidf("schedule %s: cron %q never comes", s.Name, s.Cron)
	}
	for {
		before, rev, err := q.readSchedule(ctx, s.Name)
		if err != nil && !errors.Is(err, sdk.ErrNotFound) {
			return nil, err
		}
		if s.Revision != 0 && (before == nil || s.Revision != before.Revision) {
			return nil, sdk.WithHint(sdk.Conflictf("schedule %s was changed meanwhile", s.Name), "read it again")
		}
		next := s
		next.Created, next.Next, next.LastFired, next.LastJob, next.LastNote = now, time.Time{}, time.Time{}, "", ""
		if before != nil {
			next.Created, next.LastFired, next.LastJob, next.LastNote = before.Created, before.LastFired, before.LastJob, before.LastNote
		}
		if !s.Paused {
			next.Next = table.next(now).UTC()
		}
		writes := []write{scheduleWrite(&next, rev)}
		err = q.commit(ctx, writes)
		if err == nil {
			next.Revision = writes[0].expect
			return &next, nil
		}
		if !errors.Is(err, errStale) {
			return nil, err
		}
	}
}

func validateSchedule(s *job.Schedule) error {
	set(&s.Missed, job.MissedOnce)
	set(&s.Overlap, job.OverlapSkip)
	switch {
	case !job.ValidName(s.Name):
		return sdk.Invalidf("schedule name %q: letters, digits, dash, dot and underscore, at most 100", s.Name)
	case s.Missed != job.MissedOnce && s.Missed != job.MissedSkip:
		return sdk.Invalidf("schedule %s: missed %q: once or skip", s.Name, s.Missed)
	case s.Overlap != job.OverlapSkip && s.Overlap != job.OverlapAllow:
		return sdk.Invalidf("schedule %s: overlap %q: skip or allow", s.Name, s.Overlap)
	}
	return s.Job.Validate()
}

// GetSchedule reads one schedule from the store: ErrNotFound when there is none.
func (q *Queue) GetSchedule(ctx context.Context, name string) (*job.Schedule, error) {
	s, _, err := q.readSchedule(ctx, name)
	return s, err
}

// Schedules are all schedules, by name, from memory.
func (q *Queue) Schedules() []*job.Schedule {
	q.cache.mu.RLock()
	defer q.cache.mu.RUnlock()
	return sorted(q.cache.schedules, func(a, b *job.Schedule) int { return strings.Compare(a.Name, b.Name) })
}

// DeleteSchedule removes a schedule; its jobs stay. ErrNotFound when there is none.
func (q *Queue) DeleteSchedule(ctx context.Context, name string) error {
	for {
		_, rev, err := q.readSchedule(ctx, name)
		if err != nil {
			return err
		}
		err = q.commit(ctx, []write{{key: scheduleKey(name), remove: true, expect: rev}})
		if !errors.Is(err, errStale) {
			return err
		}
	}
}

// RunSchedule submits a schedule's job now, whatever its times; its overlap policy holds, as an ErrConflict.
func (q *Queue) RunSchedule(ctx context.Context, name string) (*job.Job, error) {
	for {
		s, _, err := q.readSchedule(ctx, name)
		if err != nil {
			return nil, err
		}
		if live := q.overlaps(ctx, s); live != "" {
			return nil, sdk.Conflictf("schedule %s: its job %s has not ended", name, live)
		}
		j, err := q.fire(ctx, s, s.Next)
		if !errors.Is(err, errStale) {
			return j, err
		}
	}
}

// fireSchedules submits what is due. The schedule's record and its job are written together and only once, so however many nodes
// do this, a time fires one job.
func (q *Queue) fireSchedules(ctx context.Context) {
	now := q.opts.Now()
	q.cache.mu.RLock()
	var due []*job.Schedule
	for _, s := range q.cache.schedules {
		if !s.Paused && !s.Next.IsZero() && !s.Next.After(now) {
			due = append(due, s)
		}
	}
	q.cache.mu.RUnlock()
	slices.SortFunc(due, func(a, b *job.Schedule) int { return a.Next.Compare(b.Next) })
	for _, s := range due {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := q.fireDue(ctx, s, now)
		cancel()
		if err != nil && !errors.Is(err, errStale) && !errors.Is(err, context.Canceled) {
			q.opts.Logger.Warn("fire schedule", "schedule", s.Name, "error", err)
		}
	}
}

func (q *Queue) fireDue(ctx context.Context, s *job.Schedule, now time.Time) error {
	table, err := parseCron(s.Cron, s.TimeZone)
	if err != nil {
		return err
	}
	next := table.next(now).UTC()
	note := ""
	if live := q.overlaps(ctx, s); live != "" {
		note = "skipped at " + s.Next.Format(time.RFC3339) + ": job " + live + " had not ended"
	} else if s.Missed == job.MissedSkip && now.Sub(s.Next) > missedAfter {
		note = "missed at " + s.Next.Format(time.RFC3339) + ": no daemon was up"
	}
	if note == "" {
		_, err = q.fire(ctx, s, next)
		if err == nil || errors.Is(err, errStale) || errors.Is(err, sdk.ErrUnavailable) {
			return err // when the store is away, the next tick tries again
		}
		note = "not submitted at " + s.Next.Format(time.RFC3339) + ": " + err.Error()
	}
	skipped := *s
	skipped.Next, skipped.LastNote = next, note
	return q.commit(ctx, []write{scheduleWrite(&skipped, s.Revision)})
}

// fire submits the job and moves the schedule on in one batch. A live job with the job's own key is the firing's job, too.
func (q *Queue) fire(ctx context.Context, s *job.Schedule, next time.Time) (*job.Job, error) {
	fired := *s
	fired.Next, fired.LastFired, fired.LastNote = next, q.opts.Now().UTC(), ""
	j, created, err := q.submit(ctx, s.Job, s.Name, func(j *job.Job) (write, error) {
		fired.LastJob = j.ID
		return scheduleWrite(&fired, s.Revision), nil
	})
	if err != nil || created {
		return j, err
	}
	fired.LastJob, fired.LastNote = j.ID, "joined job "+j.ID+", which does the same work"
	return j, q.commit(ctx, []write{scheduleWrite(&fired, s.Revision)})
}

// overlaps is the id of the schedule's last job when it lives and must not be joined by another.
func (q *Queue) overlaps(ctx context.Context, s *job.Schedule) string {
	if s.Overlap == job.OverlapAllow || s.LastJob == "" {
		return ""
	}
	if j, err := q.readJob(ctx, s.LastJob, true); err == nil && j.Live() {
		return j.ID
	}
	return ""
}

func (q *Queue) readSchedule(ctx context.Context, name string) (*job.Schedule, uint64, error) {
	r, err := q.store.get(ctx, scheduleKey(name))
	if err != nil {
		return nil, 0, err
	}
	if r.data == nil {
		return nil, r.rev, sdk.NotFoundf("schedule %q not found", name)
	}
	s := new(job.Schedule)
	if err := json.Unmarshal(r.data, s); err != nil {
		return nil, r.rev, err
	}
	s.Revision = r.rev
	return s, r.rev, nil
}

func scheduleKey(name string) string { return schedulePrefix + digest(name) }

func scheduleWrite(s *job.Schedule, rev uint64) write {
	bare := *s
	bare.Revision = 0
	data, _ := json.Marshal(&bare) // its body was valid JSON when it came
	return write{key: scheduleKey(s.Name), data: data, expect: rev}
}
