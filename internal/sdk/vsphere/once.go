package vsphere

import (
	"context"
	"sync"
)

// once remembers answers by key. Callers that ask for one key at a time share one question; a failure is not remembered,
// and one that came of the asker's own cancellation makes the next waiter ask itself.
type once[T any] struct {
	mu     sync.Mutex
	known  map[string]T
	asking map[string]chan struct{}
}

func (o *once[T]) get(ctx context.Context, key string, ask func() (T, error)) (T, error) {
	for {
		answer, wait := o.look(key)
		if wait == nil {
			return answer, nil
		}
		if wait.mine {
			answer, err := ask()
			o.settle(key, answer, err == nil)
			return answer, err
		}
		select {
		case <-wait.done:
		case <-ctx.Done():
			return answer, ctx.Err()
		}
	}
}

// knows says whether the answer is remembered.
func (o *once[T]) knows(key string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, ok := o.known[key]
	return ok
}

type question struct {
	done chan struct{}
	mine bool
}

// look gives the known answer, or the question to wait for; a new one is the caller's to ask.
func (o *once[T]) look(key string) (T, *question) {
	o.mu.Lock()
	defer o.mu.Unlock()
	answer, ok := o.known[key]
	if ok {
		return answer, nil
	}
	if done, ok := o.asking[key]; ok {
		return answer, &question{done: done}
	}
	if o.asking == nil {
		o.known, o.asking = map[string]T{}, map[string]chan struct{}{}
	}
	done := make(chan struct{})
	o.asking[key] = done
	return answer, &question{done: done, mine: true}
}

func (o *once[T]) settle(key string, answer T, remember bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if remember {
		o.known[key] = answer
	}
	close(o.asking[key])
	delete(o.asking, key)
}

// forget drops the answers that match.
func (o *once[T]) forget(match func(key string, answer T) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for key, answer := range o.known {
		if match(key, answer) {
			delete(o.known, key)
		}
	}
}
