package queue_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// proxy stands between a node and its server; cut(true) breaks every connection and refuses new ones until cut(false).
func proxy(t *testing.T, url string) (string, func(bool)) {
	t.Helper()
	target := strings.TrimPrefix(url, "nats://")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxyState{conns: map[net.Conn]bool{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target)
			if err != nil || !p.take(in, out) {
				_ = in.Close()
				continue
			}
			wg.Go(func() { _, _ = io.Copy(in, out); _ = in.Close() })
			wg.Go(func() { _, _ = io.Copy(out, in); _ = out.Close() })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cut(true)
		wg.Wait()
	})
	return "nats://" + l.Addr().String(), p.cut
}

type proxyState struct {
	mu    sync.Mutex
	down  bool
	conns map[net.Conn]bool
}

func (p *proxyState) take(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		if p.down {
			_ = c.Close()
		} else {
			p.conns[c] = true
		}
	}
	return !p.down
}

func (p *proxyState) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for c := range p.conns {
		if down {
			_ = c.Close()
			delete(p.conns, c)
		}
	}
}
