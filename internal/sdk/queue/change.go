package queue

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// changeFunc alters j and says whether it did. It may be called several times, on ever newer records, so it must recognize its
// own work: a write whose answer was lost has been made.
type changeFunc func(j *job.Job) (changed bool, err error)

// change is the only way a job's state changes after submission. It keeps the record, the index of keys and the limits true
// together: one batch, all or none, and only if none of them changed since they were read. When the store is away it tries
// again until ctx ends.
func (q *Queue) change(ctx context.Context, id string, f changeFunc) (*job.Job, error) {
	fresh := false
	for {
		before, err := q.readJob(ctx, id, fresh)
		if err == nil {
			var after *job.Job
			if after, err = q.tryChange(ctx, before, f); err == nil && (after != nil || fresh) {
				return cmpOr(after, before), nil
			}
		}
		switch {
		case err == nil, errors.Is(err, errStale):
		case errors.Is(err, sdk.ErrUnavailable):
			if !pause(ctx, 50*time.Millisecond+rand.N(100*time.Millisecond)) {
				return nil, err
			}
		case fresh:
			return before, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		fresh = true // what this node remembered may be old: no refusal stands on it
	}
}

// tryChange returns nil when f changed nothing.
func (q *Queue) tryChange(ctx context.Context, before *job.Job, f changeFunc) (*job.Job, error) {
	after := clone(before)
	changed, err := f(after)
	if err != nil || !changed {
		return nil, err
	}
	data, err := encodeJob(after)
	if err != nil {
		return nil, err
	}
	writes := []write{{key: jobPrefix + after.ID, data: data, expect: before.Revision}}
	others, err := q.follows(ctx, before, after)
	if err != nil {
		return nil, err
	}
	// What a job holds is written before it is running and freed after it ended, should a power failure tear a batch.
	at := 0
	if takes := after.Status == sdk.Running || !before.Live(); takes {
		at, writes = len(others), append(others, writes...)
	} else {
		writes = append(writes, others...)
	}
	if err := q.commit(ctx, writes); err != nil {
		return nil, err
	}
	after.Revision = writes[at].expect
	return after, nil
}

// follows is what else must be written when a job goes from one state to another.
func (q *Queue) follows(ctx context.Context, before, after *job.Job) ([]write, error) {
	var writes []write
	if before.Live() != after.Live() && after.Key != "" {
		w, err := q.indexWrite(ctx, after)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w...)
	}
	if holds, held := after.Status == sdk.Running, before.Status == sdk.Running; holds != held {
		w, err := q.limitWrites(ctx, after, holds)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w...)
	}
	if q.opts.Outbox && before.Live() && !after.Live() {
		r, err := q.store.get(ctx, outboxPrefix+after.ID)
		if err != nil {
			return nil, err
		}
		writes = append(writes, noteWrite(after.ID, &note{rev: r.rev}))
	}
	return writes, nil
}

// commit writes and remembers; afterwards every write's expect is its new revision.
func (q *Queue) commit(ctx context.Context, writes []write) error {
	first, err := q.store.commit(ctx, writes...)
	if err != nil {
		return err
	}
	for i := range writes {
		writes[i].expect = first + uint64(i)
		q.cache.learn(record{key: writes[i].key, data: writes[i].data, rev: writes[i].expect})
	}
	return nil
}

func (q *Queue) readJob(ctx context.Context, id string, fresh bool) (*job.Job, error) {
	if j := q.cache.job(id); j != nil && !fresh {
		return j, nil
	}
	if !validID(id) {
		return nil, sdk.NotFoundf("job %q not found", id)
	}
	r, err := q.store.get(ctx, jobPrefix+id)
	if err != nil {
		return nil, err
	}
	j, err := decodeJob(r)
	if err == nil {
		q.cache.learn(r)
	}
	return j, err
}

// keyEntry is the index from a key to the live job that has it.
type keyEntry struct {
	Job string `json:"job"`
}

// keyHolder is the live job of a key, or nil, and the revision at which that is so.
func (q *Queue) keyHolder(ctx context.Context, kind, key string) (*job.Job, uint64, error) {
	r, err := q.store.get(ctx, keyName(kind, key))
	if err != nil || r.data == nil {
		return nil, r.rev, err
	}
	var e keyEntry
	if err := json.Unmarshal(r.data, &e); err != nil {
		return nil, r.rev, err
	}
	j, err := q.readJob(ctx, e.Job, true)
	if errors.Is(err, sdk.ErrNotFound) || err == nil && !j.Live() {
		return nil, r.rev, nil // a torn write: the entry means nothing
	}
	return j, r.rev, err
}

func (q *Queue) indexWrite(ctx context.Context, j *job.Job) ([]write, error) {
	holder, rev, err := q.keyHolder(ctx, j.Kind, j.Key)
	if err != nil {
		return nil, err
	}
	mine := holder != nil && holder.ID == j.ID
	switch {
	case j.Live() && holder != nil && !mine:
		return nil, sdk.WithHint(sdk.Conflictf("job %s does the same work already", holder.ID), "follow that one")
	case j.Live():
		return []write{keyWrite(j, rev)}, nil
	case mine:
		return []write{{key: keyName(j.Kind, j.Key), remove: true, expect: rev}}, nil
	}
	return nil, nil
}

func keyWrite(j *job.Job, rev uint64) write {
	data, _ := json.Marshal(keyEntry{Job: j.ID}) // a string always encodes
	return write{key: keyName(j.Kind, j.Key), data: data, expect: rev}
}

func keyName(kind, key string) string { return keyPrefix + digest(kind, key) }

// digest is a subject token for any strings.
func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

func encodeJob(j *job.Job) ([]byte, error) {
	bare := *j
	bare.Revision, bare.Waiting = 0, ""
	data, err := json.Marshal(&bare)
	if err != nil {
		return nil, err
	}
	if len(data) > maxRecordBytes-4096 {
		return nil, sdk.Invalidf("the record of job %s would have %d bytes: at most %d", j.ID, len(data), maxRecordBytes-4096)
	}
	return data, nil
}

// clone is deep enough for a changeFunc: what it shares is never written to in place.
func clone(j *job.Job) *job.Job {
	c := *j
	if j.Lease != nil {
		lease := *j.Lease
		c.Lease = &lease
	}
	return &c
}

func cmpOr(a, b *job.Job) *job.Job {
	if a != nil {
		return a
	}
	return b
}
