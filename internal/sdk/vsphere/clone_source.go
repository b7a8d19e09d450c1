package vsphere

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// cloneSource is what cloning needs to know of a source. It is read once per run; a clone that fails because the source changed in
// between reads it again.
type cloneSource struct {
	vm        mo.VirtualMachine
	snapshots []Snapshot
	configs   once[*types.VirtualMachineConfigInfo] // of snapshots, by moref
}

// source finds and reads what is cloned. fresh passes by what is remembered.
func (c *Client) source(ctx context.Context, name string, fresh bool) (*cloneSource, error) {
	name = strings.TrimSpace(name)
	if fresh {
		c.sources.forget(func(key string, _ *cloneSource) bool { return key == name })
		c.refs.forget(func(key string, _ types.ManagedObjectReference) bool { return key == string(KindVM)+"\x00"+name })
	}
	return c.sources.get(ctx, name, func() (*cloneSource, error) {
		ref, err := c.findSource(ctx, name)
		if err != nil {
			return nil, err
		}
		return c.readSource(ctx, ref)
	})
}

func (c *Client) findSource(ctx context.Context, name string) (types.ManagedObjectReference, error) {
	if uuidPattern.MatchString(name) {
		found, err := c.findByUUID(ctx, name)
		if err != nil {
			return types.ManagedObjectReference{}, err
		}
		if found != nil {
			return *found, nil
		}
	}
	return c.Resolve(ctx, KindVM, name)
}

func (c *Client) readSource(ctx context.Context, ref types.ManagedObjectReference) (*cloneSource, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref}}, []types.PropertySpec{{Type: "VirtualMachine", PathSet: []string{
		"name", "parent", "resourcePool", "config", "snapshot", "runtime.host", "runtime.powerState", "runtime.connectionState",
	}}})
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	own, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	m, err := decode[mo.VirtualMachine](own)
	if err != nil {
		return nil, err
	}
	if m.Config == nil {
		return nil, sdk.WithHint(sdk.Unavailablef("vCenter does not know the source's configuration (%s)", m.Runtime.ConnectionState),
			"see whether its host is connected and its datastore reachable")
	}
	s := &cloneSource{vm: m}
	if m.Snapshot != nil {
		s.snapshots = flatten(m.Snapshot.RootSnapshotList, nil, m.Snapshot.CurrentSnapshot)
	}
	return s, nil
}

// snapshot finds the one to clone from; nil means the VM as it is.
func (s *cloneSource) snapshot(spec CloneSpec) (*Snapshot, error) {
	if spec.Snapshot == "" && !spec.LinkedClone {
		return nil, nil
	}
	if len(s.snapshots) == 0 {
		return nil, sdk.WithHint(sdk.Conflictf("the source has no snapshot"),
			"a linked clone is made on one: take a snapshot of the source first; a template gets one before it is marked as a template")
	}
	var found []Snapshot
	var names []string
	for _, snapshot := range s.snapshots {
		names = append(names, snapshot.Path)
		switch spec.Snapshot {
		case snapshot.Path, snapshot.Ref:
			return &snapshot, nil
		case snapshot.Name:
			found = append(found, snapshot)
		case "":
			if snapshot.Current {
				return &snapshot, nil
			}
		}
	}
	switch len(found) {
	case 0:
		return nil, didYouMean(sdk.WithHint(sdk.NotFoundf("the source has no snapshot %q", spec.Snapshot),
			"it has %s", strings.Join(names[:min(len(names), maxCandidates)], ", ")), spec.Snapshot, names)
	case 1:
		return &found[0], nil
	}
	var paths []string
	for _, snapshot := range found {
		paths = append(paths, snapshot.Path)
	}
	return nil, ambiguous("snapshot", spec.Snapshot, paths)
}

// config is the configuration that the clone starts from: the snapshot's when it is made from one.
func (c *Client) config(ctx context.Context, s *cloneSource, from *Snapshot) (*types.VirtualMachineConfigInfo, error) {
	if from == nil {
		return s.vm.Config, nil
	}
	return s.configs.get(ctx, from.Ref, func() (*types.VirtualMachineConfigInfo, error) {
		ref := types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: from.Ref}
		content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: ref}},
			[]types.PropertySpec{{Type: ref.Type, PathSet: []string{"config"}}})
		if err != nil {
			return nil, fmt.Errorf("read snapshot %q: %w", from.Path, err)
		}
		own, err := find(content, ref)
		if err != nil {
			return nil, err
		}
		snapshot, err := decode[mo.VirtualMachineSnapshot](own)
		return &snapshot.Config, err
	})
}

// parents are the snapshots' disks: a linked clone of a disk that is independent cannot be made.
func linkable(config *types.VirtualMachineConfigInfo) error {
	h := newHardware(nil, config.Hardware.Device)
	for _, device := range config.Hardware.Device {
		disk, ok := device.(*types.VirtualDisk)
		if !ok || !strings.HasPrefix(modeOf(disk.Backing), "independent") {
			continue
		}
		a, _ := h.addressOf(&disk.VirtualDevice)
		return sdk.WithHint(sdk.Conflictf("disk %s of the source is independent: no snapshot holds it", a), "make a full clone, or change the disk's mode")
	}
	return nil
}

// stale says whether an error may come of remembered facts that are not so any more.
func stale(err error) bool {
	return errors.Is(err, sdk.ErrNotFound) || errors.Is(err, sdk.ErrConflict) || errors.Is(err, sdk.ErrInvalid)
}

// forgetRefs drops every remembered reference to the objects of a request.
func (c *Client) forgetRefs(refs ...*types.ManagedObjectReference) {
	c.refs.forget(func(_ string, known types.ManagedObjectReference) bool {
		return slices.ContainsFunc(refs, func(r *types.ManagedObjectReference) bool { return r != nil && *r == known })
	})
}
