package provider

import (
	"context"
	"sync"
)

// memo remembers answers by key for the life of the process. Callers that ask for one key at a time share one question; a
// failure is not remembered.
type memo[T any] struct {
	mu    sync.Mutex
	known map[string]*memoEntry[T]
}

type memoEntry[T any] struct {
	asking chan struct{} // one at a time asks; the place is held while it does
	answer T
	is     bool
}

func (m *memo[T]) get(ctx context.Context, key string, ask func() (T, error)) (T, error) {
	entry := m.entry(key)
	select {
	case entry.asking <- struct{}{}:
		defer func() { <-entry.asking }()
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
	if entry.is {
		return entry.answer, nil
	}
	answer, err := ask()
	entry.answer, entry.is = answer, err == nil
	return answer, err
}

func (m *memo[T]) entry(key string) *memoEntry[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil {
		m.known = map[string]*memoEntry[T]{}
	}
	if m.known[key] == nil {
		m.known[key] = &memoEntry[T]{asking: make(chan struct{}, 1)}
	}
	return m.known[key]
}
