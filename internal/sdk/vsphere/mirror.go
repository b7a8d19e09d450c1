package vsphere

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// MirrorState says how much a mirror's data can be relied on.
type MirrorState string

// The states of a mirror.
const (
	MirrorLoading MirrorState = "loading" // the first reading is under way; there is nothing yet
	MirrorLive    MirrorState = "live"    // vCenter tells every change
	MirrorLost    MirrorState = "lost"    // vCenter is not heard; the data is what was true last
)

// MirrorStatus is how a mirror fares.
type MirrorStatus struct {
	State MirrorState
	Since time.Time // when State began, by our clock
	Err   error     // why vCenter is not heard; nil while it is
	AsOf  time.Time // when vCenter last said that the data is true, by our clock; zero: never. Ten seconds ago at most while live and quiet
}

// Age is how old the data is: the time since AsOf, and 0 before the first reading.
func (s MirrorStatus) Age(now time.Time) time.Duration {
	if s.AsOf.IsZero() {
		return 0
	}
	return max(0, now.Sub(s.AsOf))
}

// Mirror is a copy of vCenter's inventory in memory, kept true by vCenter's own updates: VMs, hosts, clusters, datacenters and resource
// pools, each row equal to the one that its list (ListVMs, ListHosts, …) would return now. It outlives a lost session, a cut network and a
// vCenter that restarts: it says that it is lost, keeps its last data, and reads everything anew when vCenter is back.
type Mirror struct {
	c    *Client
	done chan struct{}

	mu     sync.Mutex
	now    *Inventory
	status MirrorStatus
}

// StartMirror begins to mirror the inventory and returns at once. The mirror ends with ctx or with the client, whichever comes first; Done
// tells when it has left nothing behind at vCenter. It makes one container view and one property collector of its own.
func (c *Client) StartMirror(ctx context.Context) *Mirror {
	m := &Mirror{c: c, done: make(chan struct{}), now: newInventory(), status: MirrorStatus{State: MirrorLoading, Since: time.Now()}}
	c.background(ctx, func(ctx context.Context) {
		defer close(m.done)
		m.run(ctx)
	})
	return m
}

// background runs work that ends with ctx or with the client, which waits for it.
func (c *Client) background(ctx context.Context, run func(context.Context)) {
	c.work.Go(func() {
		ctx, cancel := context.WithCancel(ctx)
		var end sync.WaitGroup
		end.Go(func() {
			select {
			case <-c.ended:
				cancel()
			case <-ctx.Done():
			}
		})
		run(ctx)
		cancel()
		end.Wait()
	})
}

// Snapshot is the inventory as it is known now; it costs nothing and is never nil. It does not change: wait for its Changed and take the
// next one.
func (m *Mirror) Snapshot() *Inventory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

// Status says how the mirror fares. A change of State or Err also closes Changed of the present snapshot.
func (m *Mirror) Status() MirrorStatus {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

// Done is closed when the mirror has ended and cleaned up.
func (m *Mirror) Done() <-chan struct{} { return m.done }

// Ready waits for the first whole reading. It gives up with ctx, when vCenter refuses us (sdk.ErrDenied), and when the mirror has ended
// (sdk.ErrConflict). While vCenter cannot be reached it waits on: Status says so.
func (m *Mirror) Ready(ctx context.Context) (*Inventory, error) {
	for {
		m.mu.Lock()
		now, status := m.now, m.status
		m.mu.Unlock()
		switch {
		case !status.AsOf.IsZero():
			return now, nil
		case errors.Is(status.Err, sdk.ErrDenied):
			return nil, fmt.Errorf("mirror the inventory: %w", status.Err)
		}
		select {
		case <-now.changed:
		case <-m.done:
			return nil, sdk.Conflictf("the mirror of the inventory has ended")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// publish makes next the present snapshot; nil: only the status is new.
func (m *Mirror) publish(next *Inventory, state MirrorState, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if err == nil {
		m.status.AsOf = now
	}
	if state != m.status.State {
		m.status.State, m.status.Since = state, now
	} else if next == nil && errors.Is(err, m.status.Err) {
		return
	}
	m.status.Err = err
	if next == nil {
		same := *m.now
		same.changed = make(chan struct{})
		next = &same
	}
	before := m.now
	m.now = next
	close(before.changed)
}

// ListVMs is Inventory.FilterVMs of the present snapshot, for filters that may name tags, too: those cost calls of the REST service.
func (m *Mirror) ListVMs(ctx context.Context, f Filter) ([]*VMSummary, error) {
	tagged, err := m.c.tagged(ctx, KindVM, f.Tags)
	if err != nil {
		return nil, fmt.Errorf("list VMs: %w", err)
	}
	f.Tags = nil
	return m.Snapshot().filterVMs(f, tagged)
}
