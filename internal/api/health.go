package api

import (
	"context"
	"net/http"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// Health is whether the daemon lives, or can serve.
type Health struct {
	Status string `json:"status" enum:"ok"`
}

func (s *Server) healthz(context.Context, *struct{}) (*body[Health], error) {
	return &body[Health]{Health{"ok"}}, nil
}

// readyz says whether vCenter is heard. Why not is for those who may know: the log, and X-Stale of a list.
func (s *Server) readyz(context.Context, *struct{}) (*body[Health], error) {
	status := s.mirror.Status()
	if status.State != vsphere.MirrorLive {
		return nil, problem(http.StatusServiceUnavailable, "unavailable", "the inventory is "+string(status.State)+" since "+status.Since.UTC().Format(time.RFC3339)).
			hinted("the daemon's log says why; it tries again by itself")
	}
	return &body[Health]{Health{"ok"}}, nil
}
