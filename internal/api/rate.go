package api

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxRates bounds how many clients are remembered; the one unseen for longest goes first.
const maxRates = 4096

// rates gives each client so many requests a second.
type rates struct {
	perSecond rate.Limit
	burst     int

	mu      sync.Mutex
	clients map[string]*paced
}

type paced struct {
	limiter *rate.Limiter
	seen    time.Time
}

// newRates limits nothing when perSecond is negative.
func newRates(perSecond float64, burst int) *rates {
	limit := rate.Limit(perSecond)
	if perSecond < 0 {
		limit = rate.Inf
	}
	return &rates{perSecond: limit, burst: burst, clients: map[string]*paced{}}
}

// take uses one up; false: there is none left.
func (r *rates) take(client string) bool { return r.of(client).Allow() }

func (r *rates) of(client string) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.clients[client]
	if p == nil {
		if len(r.clients) >= maxRates {
			r.evict()
		}
		p = &paced{limiter: rate.NewLimiter(r.perSecond, r.burst)}
		r.clients[client] = p
	}
	p.seen = time.Now()
	return p.limiter
}

func (r *rates) evict() {
	var oldest string
	for client, p := range r.clients {
		if oldest == "" || p.seen.Before(r.clients[oldest].seen) {
			oldest = client
		}
	}
	delete(r.clients, oldest)
}
