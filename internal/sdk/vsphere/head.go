package vsphere

import (
	"context"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// headShape is the little of a VM or template that templates and snapshots need, and the names on its way to the root.
func headShape() shape {
	return shape{
		around: towardsRoot(),
		props: append(treeProps(), types.PropertySpec{Type: "VirtualMachine", PathSet: []string{
			"name", "parent", "parentVApp", "config.template", "config.instanceUuid", "config.annotation", "runtime.powerState",
			"runtime.connectionState", "runtime.host", "runtime.consolidationNeeded", "resourcePool", "snapshot",
		}}),
	}
}

// head is a VM or template as headShape reads it.
type head struct {
	ref          types.ManagedObjectReference
	name, path   string
	folder       types.ManagedObjectReference
	folderPath   string
	instanceUUID string
	annotation   string
	template     bool
	powerState   types.VirtualMachinePowerState
	host, pool   *types.ManagedObjectReference
	consolidate  bool
	snapshots    []Snapshot
}

// readHead reads a VM's head; reads that come together share a call.
func (c *Client) readHead(ctx context.Context, ref types.ManagedObjectReference) (*head, error) {
	content, err := c.heads.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	return newHead(content, ref)
}

func newHead(content []types.ObjectContent, ref types.ManagedObjectReference) (*head, error) {
	object, err := find(content, ref)
	if err != nil {
		return nil, err
	}
	m, err := decode[mo.VirtualMachine](object)
	if err != nil {
		return nil, err
	}
	tree := newTree(content)
	h := &head{
		ref: ref, name: unescapeName(m.Name), path: tree.path(ref), powerState: m.Runtime.PowerState, host: m.Runtime.Host,
		pool: m.ResourcePool, consolidate: m.Runtime.ConsolidationNeeded,
	}
	if m.Parent != nil {
		h.folder, h.folderPath = *m.Parent, tree.path(*m.Parent)
	}
	if m.Config == nil {
		return nil, sdk.WithHint(sdk.Unavailablef("vCenter does not know the configuration of %s (%s)", h.path, m.Runtime.ConnectionState),
			"see whether its host is connected and its datastore reachable")
	}
	h.template, h.instanceUUID, h.annotation = m.Config.Template, m.Config.InstanceUuid, m.Config.Annotation
	if m.Snapshot != nil {
		h.snapshots = flatten(m.Snapshot.RootSnapshotList, nil, m.Snapshot.CurrentSnapshot)
	}
	return h, nil
}

// snapshot is the head's snapshot with the managed object id; nil: it has none.
func (h *head) snapshot(ref string) *Snapshot {
	for i := range h.snapshots {
		if h.snapshots[i].Ref == ref {
			return &h.snapshots[i]
		}
	}
	return nil
}
