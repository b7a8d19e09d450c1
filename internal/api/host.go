package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type hostsInput struct {
	Pattern    string   `query:"pattern" doc:"Glob over the name or the inventory path: esxi-*"`
	Datacenter string   `query:"datacenter" doc:"Below it: path, managed object id or unique name"`
	Cluster    string   `query:"cluster" doc:"In it: path, managed object id or unique name"`
	Folder     string   `query:"folder" doc:"Below it: path or managed object id"`
	State      []string `query:"state" doc:"In any of these states, with commas: connected, disconnected, notResponding, maintenance"`
	Page
}

func (in *hostsInput) filter() vsphere.Filter {
	return vsphere.Filter{Name: in.Pattern, Datacenter: in.Datacenter, Cluster: in.Cluster, Folder: in.Folder, States: in.State}
}

// NameParam is the name in a path.
type NameParam struct {
	Name string `path:"name" doc:"Name, inventory path or managed object id, percent-encoded"`
}

type body[T any] struct {
	Body T
}

func (s *Server) getHost(ctx context.Context, in *NameParam) (*body[*vsphere.Host], error) {
	h, err := s.vc.GetHost(ctx, in.Name)
	return &body[*vsphere.Host]{h}, err
}
