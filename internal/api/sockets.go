package api

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// sockets are all that are open.
type sockets struct {
	limit int

	mu     sync.Mutex
	ended  bool
	next   int
	leave  map[int]context.CancelFunc
	conns  map[*websocket.Conn]bool
	inside sync.WaitGroup
}

func newSockets(limit int) *sockets {
	return &sockets{limit: limit, leave: map[int]context.CancelFunc{}, conns: map[*websocket.Conn]bool{}}
}

// enter counts one more; cancel ends it. The caller calls leave when it has ended.
func (k *sockets) enter(cancel context.CancelFunc) (leave func(), refusal *Problem) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.ended:
		return nil, problemOf(errClosing)
	case len(k.leave) >= k.limit:
		return nil, problem(http.StatusServiceUnavailable, "unavailable", "too many sockets are open").hinted("close some, or try again later")
	}
	id := k.next
	k.next++
	k.leave[id] = cancel
	k.inside.Add(1)
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.leave, id)
		k.inside.Done()
	}, nil
}

func (k *sockets) greet(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.conns[conn] = true
}

func (k *sockets) part(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.conns, conn)
}

// end ends all and waits for them.
func (k *sockets) end() {
	k.mu.Lock()
	k.ended = true
	for _, cancel := range k.leave {
		cancel()
	}
	k.mu.Unlock()
	k.inside.Wait()
}

func (k *sockets) ending() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ended
}

// ping asks every client for a sign of life, until closed. One goroutine does it for all.
func (k *sockets) ping(every time.Duration, closed <-chan struct{}) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-closed:
			return
		case <-tick.C:
		}
		k.mu.Lock()
		conns := make([]*websocket.Conn, 0, len(k.conns))
		for conn := range k.conns {
			conns = append(conns, conn)
		}
		k.mu.Unlock()
		for _, conn := range conns {
			_ = conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(pingWithin)) // reading notices who is gone
		}
	}
}

// prepared keeps messages that several sockets send, by what they were made of.
type prepared[K comparable] struct {
	mu    sync.Mutex
	kept  map[K][]*websocket.PreparedMessage
	order []K
}

// maxPrepared bounds them; a socket that comes later has its own made.
const maxPrepared = 2048

func newPrepared[K comparable]() *prepared[K] {
	return &prepared[K]{kept: map[K][]*websocket.PreparedMessage{}}
}

func (p *prepared[K]) get(key K, encode func() ([][]byte, error)) ([]*websocket.PreparedMessage, error) {
	p.mu.Lock()
	defer p.mu.Unlock() // so that what all want at once is made once
	if ready, ok := p.kept[key]; ok {
		return ready, nil
	}
	texts, err := encode()
	if err != nil {
		return nil, err
	}
	ready := []*websocket.PreparedMessage{}
	for _, text := range texts {
		message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
		if err != nil {
			return nil, err
		}
		ready = append(ready, message)
	}
	if len(p.order) >= maxPrepared {
		delete(p.kept, p.order[0])
		p.order = p.order[1:]
	}
	p.kept[key] = ready
	p.order = append(p.order, key)
	return ready, nil
}
