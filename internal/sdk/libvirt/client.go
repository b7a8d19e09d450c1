package libvirt

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Client is one connection to one libvirt daemon. It is safe for concurrent use. When the daemon went away, the next call
// connects again.
type Client struct {
	target target
	log    *slog.Logger

	mu     sync.Mutex
	conn   connection
	closed bool
	host   *Host // what GetHost learnt
}

// Open connects to the URI (qemu:///system, qemu:///session, test:///default). A URI with a remote host is sdk.ErrInvalid for
// now and names the daemon executor; a daemon that does not answer is sdk.ErrUnavailable. Logger may be nil.
func Open(ctx context.Context, uri string, log *slog.Logger) (*Client, error) {
	t, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Client{target: t, log: log}
	if _, err := c.connection(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Close ends the connection. Domains and networks of boot checks that still run go with it.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn == nil {
		return nil
	}
	conn := c.conn
	c.conn = nil
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := await(ctx, func() (struct{}, error) { return struct{}{}, conn.close() })
	return err
}

// URI is the one the client was opened with.
func (c *Client) URI() string { return c.target.uri }

// connection returns the live connection, connecting (again) when there is none.
func (c *Client) connection(ctx context.Context) (connection, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, sdk.Invalidf("libvirt client of %s is closed", c.target.uri)
	}
	if c.conn != nil && c.conn.alive() {
		return c.conn, nil
	}
	if c.conn != nil {
		c.log.DebugContext(ctx, "libvirt connection lost, connecting again", "uri", c.target.uri)
		old := c.conn
		c.conn = nil
		go old.close() //nolint:errcheck // it is dead; closing frees what it holds
	}
	conn, err := await(ctx, func() (connection, error) { return dial(c.target) })
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", c.target.uri, err)
	}
	c.conn = conn
	return conn, nil
}

// call runs one libvirt call. libvirt calls know no context: when ctx ends first, call returns at once and the call is left to
// end by itself. Callers that must know the outcome of a change pass a context without cancel.
func call[T any](ctx context.Context, c *Client, f func(connection) (T, error)) (T, error) {
	conn, err := c.connection(ctx)
	if err != nil {
		var zero T
		return zero, err
	}
	return await(ctx, func() (T, error) { return f(conn) })
}

// do is call for what has no result.
func do(ctx context.Context, c *Client, f func(connection) error) error {
	_, err := call(ctx, c, func(conn connection) (struct{}, error) { return struct{}{}, f(conn) })
	return err
}

func await[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var zero T
	if err := ctx.Err(); err != nil {
		return zero, err
	}
	ch := make(chan answer, 1)
	go func() {
		value, err := f()
		ch <- answer{value, err}
	}()
	select {
	case a := <-ch:
		return a.value, a.err
	case <-ctx.Done():
		return zero, ctx.Err()
	}
}

// lasting is a context for changes and clean-ups that must reach their end although ctx may be canceled.
func lasting(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), limit)
}

// poll calls f every interval until it says done, fails, or ctx ends.
func poll(ctx context.Context, interval time.Duration, f func() (done bool, err error)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
