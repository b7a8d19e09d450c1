package api

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gorilla/websocket"
)

// feed is what a socket sends: batches of messages, each prepared once for all sockets. next waits for some; it holds no queue, so a
// client that is slow makes nobody wait and takes no memory.
type feed interface {
	next(ctx context.Context) ([]*websocket.PreparedMessage, error)
	close()
}

const (
	maxInbound = 4 << 10                // a client has nothing to say
	pingWithin = 100 * time.Millisecond // a socket that is being written to needs no ping
	farewellIn = time.Second
)

// Codes of closing: 1001 when the daemon ends, else 4000 and the HTTP status of the reason.
const closeStatus = 4000

// socket registers a WebSocket. open makes its feed, and refuses before the connection changes its protocol.
func (s *Server) socket(path, summary string, open func(*http.Request) (feed, error), params ...*huma.Param) {
	s.describeSocket(path, summary, params)
	s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if refusal := requestOf(r.Context()).may(Viewer); refusal != nil {
			refusal.write(w, r)
			return
		}
		if !websocket.IsWebSocketUpgrade(r) {
			w.Header().Set("Upgrade", "websocket")
			problem(http.StatusUpgradeRequired, "upgrade-required", path+" is a WebSocket").hinted("connect with ws:// or wss://").write(w, r)
			return
		}
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		leave, refusal := s.sockets.enter(cancel)
		if refusal != nil {
			refusal.write(w, r)
			return
		}
		defer leave()
		f, err := open(r.WithContext(ctx))
		if err != nil {
			s.told(r.Context(), err).write(w, r)
			return
		}
		defer f.close()
		s.converse(ctx, cancel, w, r, f)
	})
}

// converse sends until the client leaves, is too slow, or the feed ends.
func (s *Server) converse(ctx context.Context, cancel context.CancelFunc, w http.ResponseWriter, r *http.Request, f feed) {
	upgrader := websocket.Upgrader{
		CheckOrigin: func(*http.Request) bool { return true }, // the front door has, for every request
		Error: func(w http.ResponseWriter, r *http.Request, status int, reason error) {
			problem(status, "invalid", reason.Error()).write(w, r)
		},
	}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it was answered
	}
	s.sockets.greet(conn)
	defer s.sockets.part(conn)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer cancel()
		s.listen(conn)
	})
	err = s.pump(ctx, conn, f)
	_ = conn.WriteControl(websocket.CloseMessage, s.goodbye(err), time.Now().Add(farewellIn)) // the client may be gone
	_ = conn.Close()
	reading.Wait()
}

// listen reads nothing but signs of life.
func (s *Server) listen(conn *websocket.Conn) {
	alive := func() { _ = conn.SetReadDeadline(time.Now().Add(3 * s.limits.Ping)) } // fails with the connection alone, and then reading does
	conn.SetReadLimit(maxInbound)
	conn.SetPongHandler(func(string) error {
		alive()
		return nil
	})
	for {
		alive()
		if _, _, err := conn.NextReader(); err != nil {
			return
		}
	}
}

func (s *Server) pump(ctx context.Context, conn *websocket.Conn, f feed) error {
	for {
		batch, err := f.next(ctx)
		if err != nil {
			return err
		}
		for _, message := range batch {
			_ = conn.SetWriteDeadline(time.Now().Add(s.limits.Stall)) // cannot fail
			if err := conn.WritePreparedMessage(message); err != nil {
				return err
			}
		}
	}
}

// goodbye says why a socket closes.
func (s *Server) goodbye(err error) []byte {
	if s.sockets.ending() {
		return websocket.FormatCloseMessage(websocket.CloseGoingAway, "the daemon is ending; connect again with since")
	}
	if errors.Is(err, context.Canceled) {
		return websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	}
	p := problemOf(err)
	text := p.Detail
	for len(text) > 120 { // RFC 6455, 5.5: 125 bytes with the code
		runes := []rune(text)
		text = string(runes[:len(runes)-1])
	}
	return websocket.FormatCloseMessage(closeStatus+p.Status, text)
}

// describeSocket writes a WebSocket into the document, which has no word of its own for one.
func (s *Server) describeSocket(path, summary string, params []*huma.Param) {
	op := s.operation(http.MethodGet, path, Viewer, summary)
	op.Description = "A WebSocket. Each message is one JSON object. The server pings; a client that takes nothing for 30 seconds is cut and resumes with since.\n\n" + op.Description
	op.Parameters = append(params, &huma.Param{Name: "ticket", In: "query", Description: "From POST /auth/ticket, where header and cookie cannot be sent", Schema: &huma.Schema{Type: "string"}})
	op.Responses["101"] = &huma.Response{Description: "The connection is a WebSocket now"}
	s.api.OpenAPI().AddOperation(&op)
}

func queryParam(name, doc string, required bool) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: doc, Required: required, Schema: &huma.Schema{Type: "string"}}
}
