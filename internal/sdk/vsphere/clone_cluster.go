package vsphere

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// chooseDatastore asks Storage DRS where the clone goes and puts its first recommendation, which is the best, into the call
// (StorageResourceManager.RecommendDatastores, "vSphere Web Services API"). The clone itself stays an ordinary one: it can be cancelled,
// and found again, like any other.
func (c *Client) chooseDatastore(ctx context.Context, r *cloneRequest) error {
	where := &r.call.Spec.Location
	action, err := c.recommend(ctx, r.spec.DatastoreCluster, types.StoragePlacementSpec{
		Type: string(types.StoragePlacementSpecPlacementTypeClone), Vm: &r.call.This, CloneName: r.call.Name, CloneSpec: &r.call.Spec,
		Folder: &r.call.Folder, ResourcePool: where.Pool, Host: where.Host,
	})
	if err != nil {
		return err
	}
	where.Datastore = &action.Destination
	if len(where.Disk) == 0 { // disks with a place of their own keep it
		where.Disk = action.RelocateSpec.Disk
	}
	return nil
}

// recommend asks for a place in a datastore cluster.
func (c *Client) recommend(ctx context.Context, cluster string, placement types.StoragePlacementSpec) (*types.StoragePlacementAction, error) {
	pod, err := c.Resolve(ctx, KindDatastoreCluster, cluster)
	if err != nil {
		return nil, err
	}
	if c.vim.ServiceContent.StorageResourceManager == nil {
		return nil, sdk.Conflictf("this server has no datastore clusters")
	}
	placement.PodSelectionSpec = types.StorageDrsPodSelectionSpec{
		StoragePod: &pod, InitialVmConfig: []types.VmPodConfigForPlacement{{StoragePod: pod}},
	}
	res, err := methods.RecommendDatastores(ctx, c.vim, &types.RecommendDatastores{
		This: *c.vim.ServiceContent.StorageResourceManager, StorageSpec: placement,
	})
	if isFault[*types.InvalidArgument](err) {
		return nil, sdk.WithHint(fmt.Errorf("datastore cluster %q: %w", cluster, err), "turn Storage DRS on in the cluster, or name one of its datastores")
	}
	if err != nil {
		return nil, fmt.Errorf("datastore cluster %q: %w", cluster, err)
	}
	action := placementOf(res.Returnval.Recommendations)
	if action == nil {
		return nil, sdk.WithHint(sdk.Conflictf("datastore cluster %q: Storage DRS has no place", cluster),
			"free space in it, or see its datastores' connections to the hosts")
	}
	return action, nil
}

func placementOf(recommendations []types.ClusterRecommendation) *types.StoragePlacementAction {
	for _, recommendation := range recommendations {
		for _, action := range recommendation.Action {
			if placement, ok := action.(*types.StoragePlacementAction); ok {
				return placement
			}
		}
	}
	return nil
}
