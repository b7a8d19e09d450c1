package vsphere

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// vmPlace is where a VM goes; nil is where it is.
type vmPlace struct {
	folder, pool, host, datastore *types.ManagedObjectReference
	relocate                      bool // pool changes by a relocation: it is another cluster's
}

// planPlace finds the places that differ from the VM's.
func (u *vmUpdate) planPlace(ctx context.Context, whole *mo.VirtualMachine) error {
	var err error
	place, spec := &u.place, u.spec
	if place.folder, err = u.other(ctx, KindFolder, spec.Folder, u.vm.FolderRef); err != nil {
		return err
	}
	if place.host, err = u.other(ctx, KindHost, spec.Host, u.vm.HostRef); err != nil {
		return err
	}
	if place.datastore, err = u.other(ctx, KindDatastore, spec.Datastore, u.vm.DatastoreRef); err != nil {
		return err
	}
	if place.pool, err = u.other(ctx, KindResourcePool, spec.ResourcePool, u.vm.ResourcePoolRef); err != nil || place.pool == nil {
		return err
	}
	if whole.Config.Template {
		return sdk.Conflictf("a template has no resource pool")
	}
	owner, err := u.c.poolOwner(ctx, *place.pool)
	place.relocate = owner != u.vm.owner
	return err
}

// other resolves ref; nil when it names nothing or what the VM has.
func (u *vmUpdate) other(ctx context.Context, kind Kind, ref, has string) (*types.ManagedObjectReference, error) {
	if ref == "" {
		return nil, nil
	}
	found, err := u.c.Resolve(ctx, kind, ref)
	if err != nil || found.Value == has {
		return nil, err
	}
	return &found, nil
}

func (c *Client) poolOwner(ctx context.Context, pool types.ManagedObjectReference) (types.ManagedObjectReference, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: pool}}, []types.PropertySpec{{Type: pool.Type, PathSet: []string{"owner"}}})
	if err != nil {
		return types.ManagedObjectReference{}, err
	}
	own, err := find(content, pool)
	owner, _ := properties(own)["owner"].(types.ManagedObjectReference)
	return owner, err
}

// move takes the VM to its folder, pool, host and datastores.
func (u *vmUpdate) move(ctx context.Context) error {
	if folder := u.place.folder; folder != nil {
		res, err := methods.MoveIntoFolder_Task(ctx, u.c.vim, &types.MoveIntoFolder_Task{This: *folder, List: []types.ManagedObjectReference{u.ref}})
		if err == nil {
			_, err = u.c.tasks.wait(ctx, res.Returnval, u.report)
		}
		if err != nil {
			return fmt.Errorf("move to folder %q: %w", u.spec.Folder, nameTaken(err, u.vm.Name))
		}
		u.done = append(u.done, "move to folder")
	}
	if pool := u.place.pool; pool != nil && !u.place.relocate {
		_, err := methods.MoveIntoResourcePool(ctx, u.c.vim, &types.MoveIntoResourcePool{This: *pool, List: []types.ManagedObjectReference{u.ref}})
		if err != nil {
			return fmt.Errorf("move to resource pool %q: %w", u.spec.ResourcePool, err)
		}
		u.done = append(u.done, "move to resource pool")
	}
	return u.relocate(ctx)
}

// relocate moves the VM to another host or its files to other datastores, in one task.
func (u *vmUpdate) relocate(ctx context.Context) error {
	where := types.VirtualMachineRelocateSpec{Host: u.place.host, Datastore: u.place.datastore, Disk: u.disks}
	if u.place.relocate {
		where.Pool = u.place.pool
	}
	if cluster := u.spec.DatastoreCluster; cluster != "" {
		pod, err := u.c.Resolve(ctx, KindDatastoreCluster, cluster)
		if err != nil {
			return err
		}
		if u.vm.pod != pod.Value {
			action, err := u.c.recommend(ctx, cluster, types.StoragePlacementSpec{
				Type: string(types.StoragePlacementSpecPlacementTypeRelocate), Vm: &u.ref, RelocateSpec: &where,
			})
			if err != nil {
				return err
			}
			where.Datastore = &action.Destination
		}
	}
	if where.Host == nil && where.Datastore == nil && where.Pool == nil && len(where.Disk) == 0 {
		return nil
	}
	res, err := methods.RelocateVM_Task(ctx, u.c.vim, &types.RelocateVM_Task{
		This: u.ref, Spec: where, Priority: types.VirtualMachineMovePriorityDefaultPriority,
	})
	if err == nil {
		_, err = u.c.tasks.wait(ctx, res.Returnval, u.report)
	}
	if err != nil {
		return fmt.Errorf("relocate: %w", err)
	}
	u.done, u.moved = append(u.done, "relocate"), where.Datastore != nil || len(where.Disk) > 0
	return nil
}
