package demo

import (
	"net"
	"sync/atomic"
)

// wire counts the bytes that leave a listener's connections, TLS and all.
type wire struct {
	net.Listener
	sent *atomic.Int64
}

// Accept wraps each connection.
func (w wire) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countedConn{conn, w.sent}, nil
}

type countedConn struct {
	net.Conn
	sent *atomic.Int64
}

// Write counts what went out.
func (c countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.sent.Add(int64(n))
	return n, err
}

// Sent is the number of bytes that the vCenter has sent on its connections, TLS included.
func (v *VCenter) Sent() int64 { return v.sent.Load() }
