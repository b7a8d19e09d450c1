package vsphere

import (
	"context"
	"fmt"
	"strings"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// findHead resolves a VM and reads its head. What Resolve remembers may be gone since: then it looks again, once.
func (c *Client) findHead(ctx context.Context, vm string) (*head, error) {
	ref, err := c.Resolve(ctx, KindVM, vm)
	if err != nil {
		return nil, err
	}
	h, err := c.readHead(ctx, ref)
	if !isFault[*types.ManagedObjectNotFound](err) {
		return h, err
	}
	c.Forget(ref)
	if ref, err = c.Resolve(ctx, KindVM, vm); err != nil {
		return nil, err
	}
	return c.readHead(ctx, ref)
}

// ReadSnapshots reads the snapshots of a VM that was found before, by its moref. Reads that come together share a call.
func (c *Client) ReadSnapshots(ctx context.Context, vm string) (*VMSnapshots, error) {
	h, err := c.readHead(ctx, vmByID(vm))
	if err != nil {
		return nil, fmt.Errorf("read the snapshots of VM %s: %w", vm, err)
	}
	return h.list(), nil
}

// VMOfSnapshot is the moref of the VM that a snapshot is of, by the snapshot's moref.
func (c *Client) VMOfSnapshot(ctx context.Context, ref string) (string, error) {
	content, err := c.retrieve(ctx, []types.ObjectSpec{{Obj: snapshotRef(ref)}},
		[]types.PropertySpec{{Type: "VirtualMachineSnapshot", PathSet: []string{"vm"}}})
	if err == nil {
		var object types.ObjectContent
		if object, err = find(content, snapshotRef(ref)); err == nil {
			if vm, ok := properties(object)["vm"].(types.ManagedObjectReference); ok {
				return vm.Value, nil
			}
			err = sdk.NotFoundf("vCenter does not say which VM it is of")
		}
	}
	return "", fmt.Errorf("read snapshot %s: %w", ref, err)
}

// Find is the one snapshot that ref means: a moref, a path or a name.
func (l *VMSnapshots) Find(ref string) (*Snapshot, error) { return findSnapshot(l.Snapshots, ref) }

func (h *head) list() *VMSnapshots {
	return &VMSnapshots{
		VM: h.ref.Value, Path: h.path, InstanceUUID: h.instanceUUID, ConsolidationNeeded: h.consolidate, Snapshots: h.snapshots,
	}
}

// findSnapshot is the one snapshot that ref means: a moref, a path, or a name.
func (h *head) findSnapshot(ref string) (*Snapshot, error) {
	return findSnapshot(h.snapshots, ref)
}

func findSnapshot(all []Snapshot, ref string) (*Snapshot, error) {
	if ref == "" {
		return nil, sdk.Invalidf("no snapshot named")
	}
	var found, byName []*Snapshot
	var names []string
	for i := range all {
		s := &all[i]
		names = append(names, s.Name)
		switch {
		case s.Ref == strings.TrimPrefix(ref, "VirtualMachineSnapshot:"):
			return s, nil
		case s.Path == strings.TrimPrefix(ref, "/"):
			found = append(found, s)
		}
		if s.Name == ref {
			byName = append(byName, s)
		}
	}
	if len(found) == 0 || len(byName) > 1 { // a root's path is its name, which others may have as well
		found = byName
	}
	switch len(found) {
	case 0:
		return nil, didYouMean(sdk.NotFoundf("no snapshot has that name"), ref, names)
	case 1:
		return found[0], nil
	}
	paths := make([]string, len(found))
	for i, s := range found {
		paths[i] = s.Path + " (" + s.Ref + ")"
	}
	return nil, ambiguous("snapshot", ref, paths)
}

// flatten lists a snapshot tree, parents first.
func flatten(trees []types.VirtualMachineSnapshotTree, parent *Snapshot, current *types.ManagedObjectReference) []Snapshot {
	var all []Snapshot
	for _, t := range trees {
		s := Snapshot{
			Ref: t.Snapshot.Value, Name: unescapeName(t.Name), Description: t.Description, Created: t.CreateTime,
			Current: current != nil && *current == t.Snapshot, Quiesced: t.Quiesced,
			Memory: t.State != types.VirtualMachinePowerStatePoweredOff && t.State != "",
		}
		s.Path = strings.ReplaceAll(s.Name, "/", "%2f")
		if parent != nil {
			s.Parent, s.Path = parent.Ref, parent.Path+"/"+s.Path
		}
		all = append(all, s)
		all = append(all, flatten(t.ChildSnapshotList, &s, current)...)
	}
	return all
}
