package tui

import (
	"context"
	"sync"

	tea "charm.land/bubbletea/v2"
)

// feed carries a stream to a screen: it keeps the newest items until the screen takes them, so that a slow terminal costs
// old items and no memory.
type feed[T any] struct {
	keep   int
	signal chan struct{}

	mu    sync.Mutex
	items []T
	ended bool
	err   error
}

func newFeed[T any](keep int) *feed[T] { return &feed[T]{keep: keep, signal: make(chan struct{}, 1)} }

func (f *feed[T]) put(item T) {
	f.mu.Lock()
	f.items = append(f.items, item)
	if len(f.items) > f.keep {
		f.items = append(f.items[:0], f.items[len(f.items)-f.keep:]...)
	}
	f.mu.Unlock()
	f.wake()
}

func (f *feed[T]) end(err error) {
	f.mu.Lock()
	f.ended, f.err = true, err
	f.mu.Unlock()
	f.wake()
}

func (f *feed[T]) wake() {
	select {
	case f.signal <- struct{}{}:
	default:
	}
}

// fed is what came through a feed.
type fed[T any] struct {
	from  *feed[T]
	items []T
	ended bool
	err   error
}

// wait is the command that waits for the next items.
func (f *feed[T]) wait(ctx context.Context) tea.Cmd {
	return func() tea.Msg {
		select {
		case <-ctx.Done():
			return nil
		case <-f.signal:
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		msg := fed[T]{from: f, items: f.items, ended: f.ended, err: f.err}
		f.items = nil
		return msg
	}
}

// run is the command that fills the feed from a stream.
func (f *feed[T]) run(ctx context.Context, stream func(context.Context, func(T)) error) tea.Cmd {
	return func() tea.Msg {
		err := stream(ctx, f.put)
		if ctx.Err() == nil {
			f.end(err)
		}
		return nil
	}
}
