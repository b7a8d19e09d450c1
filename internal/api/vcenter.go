package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func (s *Server) getVCenter(ctx context.Context, _ *struct{}) (*body[*vsphere.VCenter], error) {
	v, err := s.vc.GetVCenter(ctx)
	return &body[*vsphere.VCenter]{v}, err
}
