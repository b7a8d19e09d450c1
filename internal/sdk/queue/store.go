package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// maxRecordBytes bounds one record: body, result, and room for stages.
const maxRecordBytes = job.MaxBodyBytes + job.MaxResultBytes + 256<<10

// markerTTL is how long the store remembers that a key was deleted, so that watchers that were away learn of it.
const markerTTL = "24h"

const needServer = "the NATS server must be 2.12 or later, with JetStream on"

// operationHeader marks a deletion in a NATS key-value bucket (ADR-8 of NATS).
const operationHeader = "KV-Operation"

// The server's error codes (nats-server, server/errors.json). The first two mean that somebody else wrote first, the last that
// the server restarted between the writes of a batch.
const (
	codeWrongLastSequence         = 10071
	codeWrongLastSequenceConstant = 10164
	codeIncompleteBatch           = 10176
)

var (
	// errStale says that a record changed since it was read: read again.
	errStale = errors.New("the record changed meanwhile")
	// errTaken says that somebody else did what was to be done.
	errTaken = errors.New("somebody else was faster")
)

// store keeps records by key in one stream that is laid out as a NATS key-value bucket. A record's revision is the stream's
// sequence, so revisions grow over all records.
type store struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	logs   jetstream.Stream
	bucket string
	prefix string        // of subjects: "$KV.<bucket>."
	batch  chan struct{} // held by the one batch of this node that is under way
}

// write is one change: data under key when the key's revision still is expect (0: it does not exist).
type write struct {
	key    string
	data   []byte
	expect uint64
	remove bool // leave a marker instead of data
	blind  bool // whatever the revision
}

// record is what a key holds. A key that was removed has a revision and no data.
type record struct {
	key  string
	data []byte
	rev  uint64
}

// openStore makes the streams, or brings those of an earlier version to today's limits.
func openStore(ctx context.Context, nc *nats.Conn, o *Options) (*store, error) {
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(5*time.Second))
	if err != nil {
		return nil, engineErr("open the queue", err)
	}
	s := &store{nc: nc, js: js, bucket: o.Namespace, prefix: "$KV." + o.Namespace + ".", batch: make(chan struct{}, 1)}
	s.stream, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "KV_" + o.Namespace, Description: "hypersdk: jobs, schedules, limits, workers", Subjects: []string{s.prefix + ">"},
		Storage: jetstream.FileStorage, Replicas: o.Replicas, MaxMsgsPerSubject: 1, MaxBytes: o.StateBytes, MaxMsgSize: maxRecordBytes,
		Discard: jetstream.DiscardNew, DenyDelete: true, AllowRollup: true, AllowMsgTTL: true, AllowAtomicPublish: true,
		Duplicates: time.Minute,
	})
	if err != nil {
		return nil, sdk.WithHint(engineErr("make the queue's records", err), needServer)
	}
	if !s.stream.CachedInfo().Config.AllowAtomicPublish { // an older server ignores what it does not know
		return nil, sdk.WithHint(sdk.Conflictf("the NATS server at %s cannot write several records as one", nc.ConnectedAddr()), needServer)
	}
	s.logs, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: "LOGS_" + o.Namespace, Description: "hypersdk: the logs of jobs", Subjects: []string{s.logSubject("*")},
		Storage: jetstream.FileStorage, Replicas: o.Replicas, MaxMsgsPerSubject: maxLogBatches, MaxBytes: o.LogBytes, MaxMsgSize: maxRecordBytes,
		MaxAge: o.KeepFor + 30*24*time.Hour, Discard: jetstream.DiscardOld, Duplicates: time.Minute,
	})
	if err != nil {
		return nil, engineErr("make the queue's logs", err)
	}
	return s, nil
}

// get reads a key from the stream's leader, never from a copy that may be behind. A key that was never written has revision 0.
func (s *store) get(ctx context.Context, key string) (record, error) {
	msg, err := s.stream.GetLastMsgForSubject(ctx, s.prefix+key)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return record{key: key}, nil
	}
	if err != nil {
		return record{}, engineErr("read "+key, err)
	}
	return s.record(msg.Subject, msg.Header, msg.Data, msg.Sequence), nil
}

func (s *store) record(subject string, header nats.Header, data []byte, seq uint64) record {
	r := record{key: strings.TrimPrefix(subject, s.prefix), rev: seq}
	if header.Get(operationHeader) == "" && header.Get(jetstream.MarkerReasonHeader) == "" {
		r.data = data
	}
	return r
}

// commit makes all the writes or none, and returns the revision of the first; the others follow it one by one. errStale: a
// revision was not what was expected, nothing was written. An sdk.ErrUnavailable leaves open whether they were made.
func (s *store) commit(ctx context.Context, writes ...write) (uint64, error) {
	// A batch takes the server many times as long as a single write. One at a time for each node keeps the server's line short, so
	// that renewals of leases are not stuck behind hundreds of submissions.
	if len(writes) > 1 {
		select {
		case s.batch <- struct{}{}:
			defer func() { <-s.batch }()
		case <-ctx.Done():
			return 0, engineErr("write", ctx.Err())
		}
	}
	batch := uuid.NewString()
	for i, w := range writes {
		msg := s.message(w)
		if len(writes) > 1 {
			msg.Header.Set("Nats-Batch-Id", batch)
			msg.Header.Set("Nats-Batch-Sequence", strconv.Itoa(i+1))
		}
		if i < len(writes)-1 {
			if err := s.nc.PublishMsg(msg); err != nil {
				return 0, engineErr("write "+w.key, err)
			}
			continue
		}
		if len(writes) > 1 {
			msg.Header.Set("Nats-Batch-Commit", "1")
		}
		last, err := s.request(ctx, msg)
		if err != nil {
			return 0, fmt.Errorf("write %s: %w", w.key, err)
		}
		return last - uint64(i), nil
	}
	return 0, nil
}

func (s *store) message(w write) *nats.Msg {
	msg := nats.NewMsg(s.prefix + w.key)
	msg.Data = w.data
	if w.remove {
		msg.Header.Set(operationHeader, "DEL")
		msg.Header.Set(jetstream.MsgTTLHeader, markerTTL)
	}
	if !w.blind {
		msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.expect, 10))
	}
	return msg
}

// request publishes and waits until the message is on disk; it returns its sequence.
func (s *store) request(ctx context.Context, msg *nats.Msg) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	answer, err := s.nc.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return 0, engineErr("write", err)
	}
	var ack struct {
		Seq   uint64              `json:"seq"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(answer.Data, &ack); err != nil {
		return 0, sdk.Unavailablef("the queue's server gave no answer that can be read: %w", err)
	}
	if ack.Error == nil {
		return ack.Seq, nil
	}
	switch ack.Error.ErrorCode {
	case codeWrongLastSequence, codeWrongLastSequenceConstant:
		return 0, errStale
	case codeIncompleteBatch:
		return 0, sdk.Kind(sdk.ErrUnavailable, ack.Error)
	default:
		return 0, engineErr("write", ack.Error)
	}
}

// follow hands every record to f, first those that are there, then each change, until ctx ends. caughtUp is called once, when
// f has seen what was there at the start.
func (s *store) follow(ctx context.Context, f func(record), caughtUp func()) error {
	info, err := s.stream.Info(ctx)
	if err != nil {
		return engineErr("read the queue", err)
	}
	if info.State.Msgs == 0 {
		caughtUp()
		caughtUp = func() {}
	}
	start := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy}
	for ctx.Err() == nil {
		last, err := s.followFrom(ctx, start, f, func() { caughtUp(); caughtUp = func() {} })
		if last > 0 {
			start = jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: last + 1}
		}
		if err != nil {
			pause(ctx, 200*time.Millisecond)
		}
	}
	return ctx.Err()
}

func (s *store) followFrom(ctx context.Context, cfg jetstream.OrderedConsumerConfig, f func(record), caughtUp func()) (uint64, error) {
	var last uint64
	cfg.InactiveThreshold = time.Minute
	consumer, err := s.js.OrderedConsumer(ctx, "KV_"+s.bucket, cfg)
	if err != nil {
		return 0, err
	}
	messages, err := consumer.Messages(jetstream.PullHeartbeat(5 * time.Second))
	if err != nil {
		return 0, err
	}
	defer messages.Stop()
	defer context.AfterFunc(ctx, messages.Stop)()
	for {
		msg, err := messages.Next()
		if err != nil {
			return last, err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return last, err
		}
		last = meta.Sequence.Stream
		f(s.record(msg.Subject(), msg.Headers(), msg.Data(), last))
		if meta.NumPending == 0 {
			caughtUp()
		}
	}
}

// engineErr gives an error of the engine its kind.
func engineErr(doing string, err error) error {
	if err == nil {
		return nil
	}
	err = fmt.Errorf("%s: %w", doing, err)
	var api *jetstream.APIError
	switch {
	case errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrPermissionViolation):
		return sdk.Kind(sdk.ErrDenied, err)
	case errors.As(err, &api) && api.Code == 400:
		return err
	}
	return sdk.Kind(sdk.ErrUnavailable, err)
}

// pause waits, or less when ctx ends; it says whether ctx still stands.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
