package vsphere

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// cloneRequest is a clone with everything found that its words meant.
type cloneRequest struct {
	spec   CloneSpec
	source *cloneSource
	mark   string
	call   types.CloneVM_Task
}

// cloneRequest looks up what the spec names, each thing once per run, and builds the one call that makes the VM.
func (c *Client) cloneRequest(ctx context.Context, spec CloneSpec, fresh bool) (*cloneRequest, error) {
	source, err := c.source(ctx, spec.SourceVM, fresh)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	r := &cloneRequest{spec: spec, source: source, call: types.CloneVM_Task{This: source.vm.Self, Name: escapeEntity(spec.TargetName)}}
	if err := c.placeClone(ctx, r); err != nil {
		return r, err
	}
	snapshot, err := source.snapshot(spec)
	if err != nil {
		return r, err
	}
	config, err := c.config(ctx, source, snapshot)
	if err != nil {
		return r, err
	}
	where := &r.call.Spec
	if snapshot != nil {
		where.Snapshot = &types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: snapshot.Ref}
	}
	if spec.LinkedClone {
		if err := linkable(config); err != nil {
			return r, err
		}
		where.Location.DiskMoveType = string(types.VirtualMachineRelocateDiskMoveOptionsCreateNewChildDiskBacking)
	}
	if spec.consolidate {
		where.Location.DiskMoveType = string(types.VirtualMachineRelocateDiskMoveOptionsMoveAllDiskBackingsAndConsolidate)
	}
	where.Template, where.PowerOn = spec.Template, spec.PowerOn
	if r.mark, err = mark(spec, source.vm.Config.InstanceUuid, r.call.Folder.Value); err != nil {
		return r, err
	}
	return r, c.configureClone(ctx, r, config)
}

// placeClone finds folder, pool, host and datastore.
func (c *Client) placeClone(ctx context.Context, r *cloneRequest) error {
	spec, where := r.spec, &r.call.Spec.Location
	folder, err := c.cloneFolder(ctx, r)
	if err != nil {
		return err
	}
	r.call.Folder = folder
	pool, err := c.clonePool(ctx, r)
	if err != nil {
		return err
	}
	where.Pool = &pool
	if spec.Host != "" {
		host, err := c.Resolve(ctx, KindHost, spec.Host)
		if err != nil {
			return err
		}
		where.Host = &host
	}
	if spec.Datastore != "" {
		store, err := c.Resolve(ctx, KindDatastore, spec.Datastore)
		if err != nil {
			return err
		}
		where.Datastore = &store
	}
	return nil
}

func (c *Client) cloneFolder(ctx context.Context, r *cloneRequest) (types.ManagedObjectReference, error) {
	if r.spec.Folder != "" {
		return c.Resolve(ctx, KindFolder, r.spec.Folder)
	}
	if parent := r.source.vm.Parent; parent != nil && parent.Type == "Folder" {
		return *parent, nil
	}
	return types.ManagedObjectReference{}, sdk.WithHint(sdk.Invalidf("the source is in a vApp and in no folder"), "name the folder of the clone")
}

func (c *Client) clonePool(ctx context.Context, r *cloneRequest) (types.ManagedObjectReference, error) {
	switch {
	case r.spec.ResourcePool != "":
		return c.Resolve(ctx, KindResourcePool, r.spec.ResourcePool)
	case r.spec.Host != "":
		host, err := c.Resolve(ctx, KindHost, r.spec.Host)
		if err != nil {
			return host, err
		}
		return c.Resolve(ctx, KindResourcePool, host.Value)
	case r.source.vm.ResourcePool != nil:
		return *r.source.vm.ResourcePool, nil
	}
	return types.ManagedObjectReference{}, sdk.WithHint(sdk.Invalidf("the source is a template and has no resource pool"),
		"name a resource pool, a cluster or a host for the clone")
}

// configureClone puts the settings, the mark and the customization into the call.
func (c *Client) configureClone(ctx context.Context, r *cloneRequest, config *types.VirtualMachineConfigInfo) error {
	spec := r.spec
	change := &types.VirtualMachineConfigSpec{}
	if err := spec.setPlain(change, config); err != nil {
		return err
	}
	guestinfo, err := spec.CloudInit.options()
	if err != nil {
		return err
	}
	guestinfo[markKey] = r.mark
	change.ExtraConfig = append(change.ExtraConfig, changedOptions(guestinfo, config.ExtraConfig)...)

	h := newHardware(c, config.Hardware.Device)
	h.linked = spec.LinkedClone
	if err := h.setDisks(ctx, spec.Disks, true); err != nil {
		return err
	}
	nics, err := h.setNICs(ctx, spec.NICs)
	if err != nil {
		return err
	}
	if spec.CDROM != nil {
		if err := h.setCDROM(*spec.CDROM); err != nil {
			return err
		}
	}
	change.DeviceChange = h.changes
	r.call.Spec.Location.Disk = h.disks
	r.call.Spec.Config = change
	if spec.Customization != nil {
		if r.call.Spec.Customization, err = c.customizationSpec(ctx, spec.Customization, spec.TargetName, nics); err != nil {
			return err
		}
	}
	return nil
}
