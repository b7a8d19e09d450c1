package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type clustersInput struct {
	Pattern    string `query:"pattern" doc:"Glob over the name or the inventory path: Cluster*"`
	Datacenter string `query:"datacenter" doc:"Below it: path, managed object id or unique name"`
	Folder     string `query:"folder" doc:"Below it: path or managed object id"`
	Page
}

func (in *clustersInput) filter() vsphere.Filter {
	return vsphere.Filter{Name: in.Pattern, Datacenter: in.Datacenter, Folder: in.Folder}
}

func (s *Server) getCluster(ctx context.Context, in *NameParam) (*body[*vsphere.Cluster], error) {
	c, err := s.vc.GetCluster(ctx, in.Name)
	return &body[*vsphere.Cluster]{c}, err
}
