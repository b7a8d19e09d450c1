package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type datacentersInput struct {
	Pattern string `query:"pattern" doc:"Glob over the name or the inventory path"`
	Folder  string `query:"folder" doc:"Below it: path or managed object id"`
	Page
}

func (in *datacentersInput) filter() vsphere.Filter {
	return vsphere.Filter{Name: in.Pattern, Folder: in.Folder}
}

func (s *Server) getDatacenter(ctx context.Context, in *NameParam) (*body[*vsphere.Datacenter], error) {
	d, err := s.vc.GetDatacenter(ctx, in.Name)
	return &body[*vsphere.Datacenter]{d}, err
}
