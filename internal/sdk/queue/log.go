package queue

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// Bounds of a job's log.
const (
	maxLogBatches = 4096 // a message each; the oldest go
	maxLogLines   = 1000 // lines waiting to be written; more are counted and dropped
	maxLineBytes  = 8 << 10
	maxBatchBytes = 256 << 10
	logEvery      = 250 * time.Millisecond
)

func (s *store) logSubject(id string) string { return "hypersdk-logs." + s.bucket + "." + id }

// logWriter appends to a job's log. Every batch names the one before it, so a worker that lost its lease cannot write between
// the lines of the one that has it.
type logWriter struct {
	store   *store
	subject string
	attempt int
	now     func() time.Time

	mu      sync.Mutex
	waiting []job.LogLine
	dropped int

	writing sync.Mutex // held while writing; guards what follows
	last    uint64     // sequence of the last batch
	line    int64
	lost    bool // another worker wrote
}

// openLog goes on where the log stands; the line it writes bars the worker before.
func openLog(ctx context.Context, s *store, j *job.Job, now func() time.Time) (*logWriter, error) {
	w := &logWriter{store: s, subject: s.logSubject(j.ID), attempt: j.Attempts, now: now}
	w.add("info", "attempt "+strconv.Itoa(j.Attempts)+" on worker "+j.Worker)
	for {
		batch, seq, err := s.lastBatch(ctx, w.subject)
		if err != nil {
			return nil, err
		}
		w.last, w.lost = seq, false
		if len(batch) > 0 {
			w.line = batch[len(batch)-1].Line
		}
		if err := w.flush(ctx); !errors.Is(err, errStale) {
			return w, err
		}
	}
}

func (s *store) lastBatch(ctx context.Context, subject string) ([]job.LogLine, uint64, error) {
	msg, err := s.logs.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, engineErr("read the log", err)
	}
	var batch []job.LogLine
	return batch, msg.Sequence, json.Unmarshal(msg.Data, &batch)
}

// add takes a line; it never blocks. Secrets are taken out of the text.
func (w *logWriter) add(level, text string) {
	text = job.Redact(strings.ToValidUTF8(text, "�"))
	if len(text) > maxLineBytes {
		text = strings.ToValidUTF8(text[:maxLineBytes], "") + " [cut]"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) >= maxLogLines {
		w.dropped++
		return
	}
	w.waiting = append(w.waiting, job.LogLine{Time: w.now().UTC(), Level: level, Text: text, Attempt: w.attempt})
}

// flush writes what waits. errStale: the log belongs to another worker now. Lines that were not written wait for the next flush.
func (w *logWriter) flush(ctx context.Context) error {
	w.writing.Lock()
	defer w.writing.Unlock()
	for {
		batch := w.take()
		if len(batch) == 0 {
			return nil
		}
		if w.lost {
			return errStale
		}
		if err := w.write(ctx, batch); err != nil {
			w.mu.Lock()
			w.waiting = append(batch, w.waiting...)
			w.mu.Unlock()
			return err
		}
	}
}

func (w *logWriter) take() []job.LogLine {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dropped > 0 && len(w.waiting) < maxLogLines {
		w.waiting = append(w.waiting, job.LogLine{Time: w.now().UTC(), Level: "warn", Attempt: w.attempt,
			Text: strconv.Itoa(w.dropped) + " lines dropped: they came faster than they could be written"})
		w.dropped = 0
	}
	n, size := 0, 0
	for n < len(w.waiting) && size+len(w.waiting[n].Text)+256 < maxBatchBytes/2 { // JSON may double it
		size += len(w.waiting[n].Text) + 256
		n++
	}
	batch := w.waiting[:n:n]
	w.waiting = w.waiting[n:]
	return batch
}

func (w *logWriter) write(ctx context.Context, batch []job.LogLine) error {
	for i := range batch {
		batch[i].Line = w.line + int64(i) + 1
	}
	data, err := json.Marshal(batch)
	if err != nil {
		return err
	}
	msg := nats.NewMsg(w.subject)
	msg.Data = data
	msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.last, 10))
	seq, err := w.store.request(ctx, msg)
	if errors.Is(err, errStale) {
		// Either another worker writes, or an earlier write of ours was made and its answer lost.
		there, at, readErr := w.store.lastBatch(ctx, w.subject)
		if readErr != nil {
			return readErr
		}
		if len(there) == 0 || !sameLine(there[0], batch[0]) {
			w.lost = true
			return errStale
		}
		// Ours. It may be shorter than batch, which grew since.
		w.last, w.line = at, there[len(there)-1].Line
		if rest := batch[min(len(there), len(batch)):]; len(rest) > 0 {
			return w.write(ctx, rest)
		}
		return nil
	}
	if err != nil {
		return err
	}
	w.last, w.line = seq, w.line+int64(len(batch))
	return nil
}

func sameLine(a, b job.LogLine) bool {
	return a.Line == b.Line && a.Attempt == b.Attempt && a.Text == b.Text && a.Time.Equal(b.Time)
}

// Logs reads the lines after since, at most limit of them (0: 1000), oldest first. A job that exists and wrote nothing has none.
func (q *Queue) Logs(ctx context.Context, id string, since int64, limit int) ([]job.LogLine, error) {
	if _, err := q.readJob(ctx, id, false); err != nil {
		return nil, err
	}
	set(&limit, 1000)
	lines, _, err := q.store.logLines(ctx, id, 0, since, limit)
	return lines, err
}

// logLines reads from a sequence of the log's stream on, and returns the one to read from next.
func (s *store) logLines(ctx context.Context, id string, from uint64, since int64, limit int) ([]job.LogLine, uint64, error) {
	lines := []job.LogLine{}
	for len(lines) < limit {
		msg, err := s.logs.GetMsg(ctx, max(from, 1), jetstream.WithGetMsgSubject(s.logSubject(id)))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return lines, from, engineErr("read the log", err)
		}
		var batch []job.LogLine
		if err := json.Unmarshal(msg.Data, &batch); err != nil {
			return lines, from, err
		}
		full := false
		for _, line := range batch {
			if line.Line > since && len(lines) < limit {
				lines = append(lines, line)
			}
			full = full || line.Line > since && len(lines) == limit
		}
		if full && batch[len(batch)-1].Line > lines[limit-1].Line {
			break // the rest of this batch is for the next read
		}
		from = msg.Sequence + 1
	}
	return lines, from, nil
}

// FollowLogs yields the lines after since, then each new one, until the job has ended and all are read, ctx ends, or an error,
// which is the last thing yielded.
func (q *Queue) FollowLogs(ctx context.Context, id string, since int64) iter.Seq2[job.LogLine, error] {
	return func(yield func(job.LogLine, error) bool) {
		wake := make(chan struct{}, 1)
		sub, err := q.nc.Subscribe(q.store.logSubject(id), func(*nats.Msg) {
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		if err != nil {
			yield(job.LogLine{}, engineErr("follow the log", err))
			return
		}
		defer func() { _ = sub.Unsubscribe() }()
		changed, stop := q.cache.waker()
		defer stop()
		var from uint64
		for {
			j, err := q.readJob(ctx, id, false) // before the lines: an ended job writes no more
			if err != nil {
				yield(job.LogLine{}, err)
				return
			}
			lines, next, err := q.store.logLines(ctx, id, from, since, maxLogLines)
			if err != nil && !errors.Is(err, sdk.ErrUnavailable) {
				yield(job.LogLine{}, err)
				return
			}
			from = next
			for _, line := range lines {
				since = line.Line
				if !yield(line, nil) {
					return
				}
			}
			if err == nil && len(lines) == 0 && !j.Live() {
				return
			}
			if len(lines) > 0 {
				continue
			}
			select {
			case <-wake:
			case <-changed:
			case <-time.After(2 * time.Second): // a message of the engine that got lost
			case <-ctx.Done():
				yield(job.LogLine{}, ctx.Err())
				return
			case <-q.closed:
				yield(job.LogLine{}, sdk.Unavailablef("follow the log of job %s: the queue was closed", id))
				return
			}
		}
	}
}
