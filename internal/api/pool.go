package api

import (
	"context"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

type poolsInput struct {
	Pattern string `query:"pattern" doc:"Glob over the name or the inventory path: dev-*"`
	Page
}

func (s *Server) getPool(ctx context.Context, in *NameParam) (*body[*vsphere.ResourcePool], error) {
	p, err := s.vc.GetResourcePool(ctx, in.Name)
	return &body[*vsphere.ResourcePool]{p}, err
}

type createPoolInput struct {
	Body vsphere.ResourcePoolSpec
}

func (s *Server) createPool(ctx context.Context, in *createPoolInput) (*body[*vsphere.ResourcePool], error) {
	p, err := s.vc.CreateResourcePool(ctx, in.Body)
	return &body[*vsphere.ResourcePool]{p}, err
}

type updatePoolInput struct {
	NameParam
	Body vsphere.UpdateResourcePoolSpec
}

func (s *Server) updatePool(ctx context.Context, in *updatePoolInput) (*body[*vsphere.ResourcePool], error) {
	p, err := s.vc.UpdateResourcePool(ctx, in.Name, in.Body)
	return &body[*vsphere.ResourcePool]{p}, err
}

type deletePoolInput struct {
	NameParam
	MoveChildren bool `query:"move_children" doc:"Its VMs and pools move to its parent; else a pool that holds anything is refused"`
}

func (s *Server) deletePool(ctx context.Context, in *deletePoolInput) (*struct{}, error) {
	policy := vsphere.RefuseUnlessEmpty
	if in.MoveChildren {
		policy = vsphere.MoveChildren
	}
	return nil, s.vc.DeleteResourcePool(ctx, in.Name, policy)
}
