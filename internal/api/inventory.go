package api

import (
	"context"
	"fmt"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// rows are what a list is made of, and how true they are. They are shared: nobody may write to them.
type rows[T any] struct {
	all       []*T
	asOf      time.Time // when vCenter last said so
	stale     string    // why the rows may not be true any more; empty: they are
	truncated bool      // there are older ones that a limit left out
}

// info is what is known about the rows, without them.
func (r rows[T]) info() rows[struct{}] {
	return rows[struct{}]{asOf: r.asOf, stale: r.stale, truncated: r.truncated}
}

// mirrored chooses rows from the mirror of the inventory, which costs vCenter nothing. It waits for the mirror's first reading.
func mirrored[T any](ctx context.Context, s *Server, choose func(*vsphere.Inventory) ([]*T, error)) (rows[T], error) {
	inventory, err := s.mirror.Ready(ctx)
	if err != nil {
		return rows[T]{}, err
	}
	status := s.mirror.Status()
	r := rows[T]{asOf: status.AsOf}
	if status.State != vsphere.MirrorLive {
		r.stale = "vCenter is not heard since " + status.Since.UTC().Format(time.RFC3339)
		if status.Err != nil {
			r.stale += fmt.Sprintf(": %v", status.Err)
		}
	}
	r.all, err = choose(inventory)
	return r, err
}

func (s *Server) listHosts(ctx context.Context, in *hostsInput) (rows[vsphere.Host], error) {
	return mirrored(ctx, s, func(i *vsphere.Inventory) ([]*vsphere.Host, error) { return i.FilterHosts(in.filter()) })
}

func (s *Server) listClusters(ctx context.Context, in *clustersInput) (rows[vsphere.Cluster], error) {
	return mirrored(ctx, s, func(i *vsphere.Inventory) ([]*vsphere.Cluster, error) { return i.FilterClusters(in.filter()) })
}

func (s *Server) listDatacenters(ctx context.Context, in *datacentersInput) (rows[vsphere.Datacenter], error) {
	return mirrored(ctx, s, func(i *vsphere.Inventory) ([]*vsphere.Datacenter, error) { return i.FilterDatacenters(in.filter()) })
}

func (s *Server) listPools(ctx context.Context, in *poolsInput) (rows[vsphere.ResourcePool], error) {
	return mirrored(ctx, s, func(i *vsphere.Inventory) ([]*vsphere.ResourcePool, error) { return i.FilterResourcePools(in.Pattern) })
}

// listVMs asks vCenter's tag service when tags are wanted: the mirror does not know them.
func (s *Server) listVMs(ctx context.Context, in *vmsInput) (rows[vsphere.VMSummary], error) {
	return mirrored(ctx, s, func(i *vsphere.Inventory) ([]*vsphere.VMSummary, error) {
		if f := in.filter(); len(f.Tags) > 0 {
			return s.mirror.ListVMs(ctx, f)
		}
		return i.FilterVMs(in.filter())
	})
}
