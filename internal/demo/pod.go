package demo

import (
	"context"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// fillCluster moves every datastore but the first into the datastore cluster and turns Storage DRS on.
func (inv *inventory) fillCluster(ctx context.Context) error {
	for _, entity := range inv.registry.All("StoragePod") {
		pod, ok := entity.(*simulator.StoragePod)
		if !ok {
			continue
		}
		var members []types.ManagedObjectReference
		for _, ds := range inv.registry.All("Datastore") {
			if ds.Reference() != inv.datastore.Self {
				members = append(members, ds.Reference())
			}
		}
		task, err := object.NewFolder(inv.client, pod.Self).MoveInto(ctx, members)
		if err != nil {
			return err
		}
		if err := task.Wait(ctx); err != nil {
			return err
		}
		pod.PodStorageDrsEntry.StorageDrsConfig.PodConfig.Enabled = true
	}
	return nil
}
