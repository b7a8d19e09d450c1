package api

import (
	"bufio"
	"net"
	"net/http"
	"time"
)

// response counts what is sent, and gives each piece of it a deadline of its own, so that a client that reads nothing ends and
// one that reads slowly does not.
type response struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	status  int
	bytes   int64
}

func (w *response) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

const piece = 256 << 10

func (w *response) Write(p []byte) (n int, err error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	for first := true; first || len(p) > 0; first = false {
		part := p[:min(len(p), piece)]
		_ = w.control.SetWriteDeadline(time.Now().Add(w.stall)) // not every writer has one
		m, err := w.ResponseWriter.Write(part)
		n, w.bytes = n+m, w.bytes+int64(m)
		if err != nil {
			return n, err
		}
		p = p[len(part):]
	}
	return n, nil
}

// Unwrap lets http.ResponseController reach the connection, for WebSockets among others.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Hijack hands the connection over to a WebSocket.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.control.Hijack()
	if err == nil {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, buffered, err
}
