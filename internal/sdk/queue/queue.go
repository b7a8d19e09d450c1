package queue

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Queue is one node's access to the queue. It keeps a copy of the records in memory that follows every change; reads are
// answered from it, decisions are made on the store. Safe for concurrent use.
type Queue struct {
	opts   Options
	engine *embedded // nil: an external cluster
	nc     *nats.Conn
	store  *store
	cache  *cache
	linked atomic.Int64 // when the connection was last made, as the time since birth
	birth  time.Time
	name   string // of this node, unlike any other
	stop   context.CancelFunc
	closed <-chan struct{} // when Close has begun
	wait   sync.WaitGroup
}

// Open starts the embedded server or connects to the cluster, makes the streams when they are missing, and returns when the
// records are loaded. Errors: ErrInvalid for options, ErrConflict when another process uses the directory, ErrDenied for
// credentials, ErrUnavailable for the network. The caller closes the queue.
func Open(ctx context.Context, o Options) (*Queue, error) {
	if err := o.defaults(); err != nil {
		return nil, err
	}
	q := &Queue{opts: o, cache: newCache(), birth: time.Now(), name: uuid.NewString()}
	if err := q.open(ctx); err != nil {
		q.Close()
		return nil, err
	}
	return q, nil
}

func (q *Queue) open(ctx context.Context) (err error) {
	if q.opts.Dir != "" {
		if q.engine, err = startEmbedded(&q.opts); err != nil {
			return err
		}
	}
	if q.nc, err = connect(ctx, &q.opts, q.engine); err != nil {
		return err
	}
	q.nc.SetReconnectHandler(func(*nats.Conn) { q.linked.Store(int64(time.Since(q.birth))) })
	if q.store, err = openStore(ctx, q.nc, &q.opts); err != nil {
		return err
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	q.stop, q.closed = stop, life.Done()
	loaded := make(chan struct{})
	q.goes(func() {
		for life.Err() == nil {
			if err := q.store.follow(life, q.cache.follow, sync.OnceFunc(func() { close(loaded) })); err != nil && life.Err() == nil {
				q.opts.Logger.Warn("follow the queue", "error", err)
				pause(life, q.opts.Tick)
			}
		}
	})
	select {
	case <-loaded:
	case <-ctx.Done():
		return sdk.Unavailablef("load the queue's records: %w", ctx.Err())
	}
	q.goes(func() { q.keepHouse(life) })
	return nil
}

func (q *Queue) goes(f func()) { q.wait.Go(f) }

// Close ends this node's part, and with it every watch. Stop its workers first: a job that still runs here loses its lease. An embedded server stops with
// everything on disk.
func (q *Queue) Close() {
	if q.stop != nil {
		q.stop()
	}
	q.wait.Wait()
	if q.nc != nil {
		q.nc.Close()
	}
	if q.engine != nil {
		q.engine.stop()
	}
}

// Health says whether the store answers: nil or an ErrUnavailable.
func (q *Queue) Health(ctx context.Context) error {
	_, err := q.store.get(ctx, "health")
	return err
}

// ListenAddr is the address at which an embedded server takes workers of other machines; empty: it does not.
func (q *Queue) ListenAddr() string {
	if q.engine == nil || q.engine.server.Addr() == nil {
		return ""
	}
	return q.engine.server.Addr().String()
}

// keepHouse does what every node does all the time: lost workers, schedules, retention. Every step is a compare-and-set, so that
// any number of nodes may do it at once.
func (q *Queue) keepHouse(ctx context.Context) {
	tick := time.NewTicker(q.opts.Tick)
	defer tick.Stop()
	lastSweep := time.Time{}
	for {
		q.reapLost(ctx)
		q.fireSchedules(ctx)
		if time.Since(lastSweep) >= 60*q.opts.Tick {
			q.sweep(ctx)
			lastSweep = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
