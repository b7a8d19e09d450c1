package provider

import (
	"context"
	"sync"

	"github.com/hashicorp/terraform-plugin-log/tflog"
)

// defaultQueue is how many clones are made at once when the provider block says nothing: as many as calls are in flight.
const defaultQueue = 16

// enterClones waits for a place among the clones of the vCenter, and says so in Terraform's log when there is none free.
func (c *connections) enterClones(ctx context.Context, vm string) (release func(), err error) {
	return c.clones.enter(ctx, func() {
		tflog.Info(ctx, "queued: other clones of this vCenter are being made", map[string]any{"vm": vm})
	})
}

// queue bounds how much of one kind of work goes on at once. The zero value lets defaultQueue in.
type queue struct {
	mu    sync.Mutex
	slots chan struct{}
}

// limit sets the bound for those that come from now on; 0 is the default.
func (q *queue) limit(n int) {
	if n <= 0 {
		n = defaultQueue
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if cap(q.slots) != n {
		q.slots = make(chan struct{}, n)
	}
}

// enter waits for a place; queued is called once when there is none free.
func (q *queue) enter(ctx context.Context, queued func()) (release func(), err error) {
	q.mu.Lock()
	if q.slots == nil {
		q.slots = make(chan struct{}, defaultQueue)
	}
	slots := q.slots
	q.mu.Unlock()
	release = func() { <-slots }
	select {
	case slots <- struct{}{}:
		return release, nil
	default:
		queued()
	}
	select {
	case slots <- struct{}{}:
		return release, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
