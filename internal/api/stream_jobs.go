package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/gorilla/websocket"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
)

// updateKey names a change of one job.
type updateKey struct {
	seq uint64
	id  string
}

// jobsFeed is the changes of the jobs that a client chose.
type jobsFeed struct {
	updates <-chan job.Update
	stop    context.CancelFunc
	made    *prepared[updateKey]
}

func (s *Server) streamJobs(r *http.Request) (feed, error) {
	queue, err := s.queue()
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	f := job.Filter{Kind: listOf(q.Get("kind")), Name: q.Get("name")}
	if err := f.Validate(); err != nil {
		return nil, err
	}
	var since uint64
	if text := q.Get("since"); text != "" {
		if since, err = strconv.ParseUint(text, 10, 64); err != nil {
			return nil, sdk.WithHint(sdk.Invalidf("query.since: %q is no number", text), "give the seq of the last update that you have, or of the list")
		}
	}
	ctx, stop := context.WithCancel(r.Context())
	watch, err := queue.Watch(ctx, since, f)
	if err != nil {
		stop()
		return nil, err
	}
	return &jobsFeed{updates: watch.Updates, stop: stop, made: s.madeJobs}, nil
}

func (f *jobsFeed) next(ctx context.Context) ([]*websocket.PreparedMessage, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case u, open := <-f.updates:
		if !open {
			return nil, errClosing
		}
		return f.made.get(updateKey{u.Seq, u.ID}, func() ([][]byte, error) {
			text, err := json.Marshal(u)
			return [][]byte{text}, err
		})
	}
}

func (f *jobsFeed) close() { f.stop() }
