package vsphere

import (
	"context"
	"sync"
	"time"
)

// clockTrust is how long a reading of the server's clock is good for; what is added to it is measured monotonically.
const clockTrust = 5 * time.Minute

// clock is the server's clock, as last read.
type clock struct {
	mu     sync.Mutex
	server time.Time
	read   time.Time // ours, with the monotonic reading
}

// serverTime is Now without a call for each: the clock is read at most once in five minutes. It is good enough to tell what
// "24h ago" means.
func (c *Client) serverTime(ctx context.Context) (time.Time, error) {
	c.clock.mu.Lock()
	defer c.clock.mu.Unlock()
	if !c.clock.read.IsZero() {
		if since := time.Since(c.clock.read); since < clockTrust {
			return c.clock.server.Add(since), nil
		}
	}
	now, err := c.Now(ctx)
	if err != nil {
		return now, err
	}
	c.clock.server, c.clock.read = now, time.Now()
	return now, nil
}
