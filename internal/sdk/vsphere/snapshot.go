package vsphere

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Snapshot of a VM.
type Snapshot struct {
	Ref         string    `json:"ref"` // moref value: snapshot-42
	Name        string    `json:"name"`
	Path        string    `json:"path"` // names of its ancestors and its own, joined by /; a / inside a name is written %2f
	Description string    `json:"description"`
	Created     time.Time `json:"created"`
	Current     bool      `json:"current"`          // the VM runs on top of it
	Parent      string    `json:"parent,omitempty"` // moref value; empty: it is a root
	Memory      bool      `json:"memory"`           // it holds the memory of a VM that ran
	Quiesced    bool      `json:"quiesced"`
}

// SnapshotSpec asks for one new snapshot, on top of the VM's current one.
type SnapshotSpec struct {
	VM          string `json:"vm"` // path, moref, instance UUID or unique name
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Memory      bool   `json:"memory,omitempty"`  // with the memory of a running VM: revert makes it run again
	Quiesce     bool   `json:"quiesce,omitempty"` // VMware Tools quiesce the file systems of a running VM first
}

// Validate refuses what cannot be right whatever vCenter holds.
func (s SnapshotSpec) Validate() error {
	switch {
	case s.VM == "":
		return sdk.Invalidf("no VM named to take a snapshot of")
	case s.Name == "":
		return sdk.Invalidf("the snapshot has no name")
	case s.Memory && s.Quiesce:
		return sdk.WithHint(sdk.Invalidf("memory and quiesce exclude each other"),
			"a snapshot with memory holds the running guest as it is; one without is made consistent by quiesce")
	}
	return nil
}

// VMSnapshots are the snapshots of one VM.
type VMSnapshots struct {
	VM                  string     `json:"vm"` // moref value
	Path                string     `json:"path"`
	InstanceUUID        string     `json:"instance_uuid"`
	ConsolidationNeeded bool       `json:"consolidation_needed"`
	Snapshots           []Snapshot `json:"snapshots"` // flat, parents first
}

// ListSnapshots reads the snapshots of a VM, named by path, moref, instance UUID or unique name.
func (c *Client) ListSnapshots(ctx context.Context, vm string) (*VMSnapshots, error) {
	h, err := c.findHead(ctx, vm)
	if err != nil {
		return nil, fmt.Errorf("list the snapshots of VM %q: %w", vm, err)
	}
	return h.list(), nil
}

// GetSnapshot finds one snapshot of a VM by moref, path or name. A name that several carry is sdk.ErrInvalid and lists their
// paths and morefs; one that none has is sdk.ErrNotFound with the nearest names.
func (c *Client) GetSnapshot(ctx context.Context, vm, ref string) (*Snapshot, error) {
	h, err := c.findHead(ctx, vm)
	if err == nil {
		var found *Snapshot
		if found, err = h.findSnapshot(ref); err == nil {
			return found, nil
		}
	}
	return nil, fmt.Errorf("get snapshot %q of VM %q: %w", ref, vm, err)
}

// CreateSnapshot takes a snapshot and waits for it. A name that a snapshot of the VM has already is sdk.ErrConflict: vSphere
// would allow it, and nobody could tell the two apart. A canceled call waits a moment longer for vCenter to finish, and says
// in its error when the snapshot may still come to be. of is the VM with all its snapshots.
func (c *Client) CreateSnapshot(ctx context.Context, spec SnapshotSpec, report sdk.ProgressFunc) (made *Snapshot, of *VMSnapshots, err error) {
	if err := spec.Validate(); err != nil {
		return nil, nil, err
	}
	h, err := c.findHead(ctx, spec.VM)
	if err == nil {
		err = h.mayTake(spec.Name)
	}
	if err == nil {
		made, h, err = c.takeSnapshot(ctx, h.ref, spec, report)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("take snapshot %q of VM %q: %w", spec.Name, spec.VM, err)
	}
	return made, h.list(), nil
}

// mayTake refuses what vCenter refuses late or not at all.
func (h *head) mayTake(name string) error {
	if h.template {
		return sdk.WithHint(sdk.Conflictf("%s is a template, and a template takes no snapshot", h.path),
			"make the snapshot before the VM becomes a template, as hypersdk_template does, or turn it into a VM first")
	}
	for _, s := range h.snapshots {
		if s.Name == name {
			return sdk.WithHint(sdk.Kind(ErrNameTaken, sdk.Conflictf("it has a snapshot of that name already: %s", s.Ref)),
				"use another name, remove that one, or import it as %s#%s", h.path, s.Ref)
		}
	}
	return nil
}

// takeSnapshot takes the snapshot and reads the VM back.
func (c *Client) takeSnapshot(ctx context.Context, vm types.ManagedObjectReference, spec SnapshotSpec, report sdk.ProgressFunc) (*Snapshot, *head, error) {
	task, err := c.startSnapshot(ctx, vm, spec)
	if err != nil {
		return nil, nil, snapshotError(err)
	}
	result, err := c.tasks.wait(ctx, task, percent(report, "snapshot"))
	if ctx.Err() != nil {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		ctx = grace
		return c.lateSnapshot(ctx, vm, task, spec.Name, err)
	}
	if err != nil {
		return nil, nil, snapshotError(err)
	}
	ref, ok := result.(types.ManagedObjectReference)
	if !ok {
		return nil, nil, fmt.Errorf("the task's result is a %T, not a snapshot", result)
	}
	h, err := c.readHead(ctx, vm)
	if err != nil {
		return nil, nil, fmt.Errorf("snapshot %s is made and cannot be read back: %w", ref.Value, err)
	}
	made := h.snapshot(ref.Value)
	if made == nil {
		return nil, nil, sdk.NotFoundf("snapshot %s is made, and is gone again", ref.Value)
	}
	return made, h, nil
}

// startTimeout bounds a call that starts a task and that its caller cannot take back.
const startTimeout = time.Minute

// startSnapshot asks for the snapshot. A request that is on its way is not canceled: its answer is the only name of the task.
func (c *Client) startSnapshot(ctx context.Context, vm types.ManagedObjectReference, spec SnapshotSpec) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	if ctx.Err() != nil {
		return none, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTimeout)
	defer cancel()
	res, err := methods.CreateSnapshot_Task(ctx, c.vim, &types.CreateSnapshot_Task{
		This: vm, Name: spec.Name, Description: spec.Description, Memory: spec.Memory, Quiesce: spec.Quiesce,
	})
	if err != nil {
		return none, err
	}
	return res.Returnval, nil
}

// lateSnapshot waits a moment longer for a snapshot whose caller gave up: it seldom takes long, and a task that was asked to end may
// still have done its work. What counts is whether the snapshot is there; nothing had its name before.
func (c *Client) lateSnapshot(ctx context.Context, vm, task types.ManagedObjectReference, name string, canceled error) (*Snapshot, *head, error) {
	_, err := c.tasks.wait(ctx, task, nil)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, nil, sdk.WithHint(canceled, "the snapshot may still come to be: look at the VM's snapshots before the next try")
	}
	h, err := c.readHead(ctx, vm)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; and whether the snapshot is there cannot be told: %w", canceled, err)
	}
	for i := range h.snapshots {
		if h.snapshots[i].Name == name {
			return &h.snapshots[i], h, nil
		}
	}
	return nil, nil, canceled
}

// snapshotError says what is in the way of a snapshot.
func snapshotError(err error) error {
	switch faultOf(err).(type) {
	case *types.ToolsUnavailable, *types.ApplicationQuiesceFault, *types.FilesystemQuiesceFault:
		return sdk.WithHint(sdk.Kind(sdk.ErrConflict, err), "quiescing needs VMware Tools that run in the guest; start them, or take the snapshot without quiesce")
	case *types.TooManySnapshotLevels:
		return sdk.WithHint(sdk.Kind(sdk.ErrConflict, err), "a chain holds 32 snapshots at most: remove some")
	case *types.MemorySnapshotOnIndependentDisk:
		return sdk.WithHint(sdk.Kind(sdk.ErrConflict, err), "an independent disk has no part in snapshots: take it without memory, or with the VM off")
	case types.BaseSnapshotFault, *types.NotSupported:
		return sdk.Kind(sdk.ErrConflict, err)
	}
	return err
}

// SnapshotUpdate changes what is set.
type SnapshotUpdate struct {
	Name        *string
	Description *string // not empty: vSphere cannot clear one
}

// UpdateSnapshot renames a snapshot, or describes it anew. A name that another snapshot of the VM has is sdk.ErrConflict.
func (c *Client) UpdateSnapshot(ctx context.Context, vm, ref string, update SnapshotUpdate) error {
	req := types.RenameSnapshot{This: snapshotRef(ref)}
	if update.Name != nil {
		h, err := c.findHead(ctx, vm)
		if err != nil {
			return fmt.Errorf("rename snapshot %s: %w", ref, err)
		}
		for _, other := range h.snapshots {
			if other.Name == *update.Name && other.Ref != ref {
				return fmt.Errorf("rename snapshot %s: %w", ref, h.mayTake(*update.Name))
			}
		}
		req.Name = *update.Name
	}
	if update.Description != nil {
		req.Description = *update.Description
	}
	if req.Name == "" && req.Description == "" {
		return nil
	}
	if _, err := methods.RenameSnapshot(ctx, c.vim, &req); err != nil {
		return fmt.Errorf("rename snapshot %s: %w", ref, err)
	}
	return nil
}

// RemoveSnapshot removes a snapshot, with those below it when children is true; otherwise they stay and hang where it hung. Its
// changes are merged into the disks that remain, which takes time. One that is gone is fine. It says whether vCenter asks
// for a consolidation afterwards: delta disks that it could not merge.
func (c *Client) RemoveSnapshot(ctx context.Context, vm, ref string, children bool, report sdk.ProgressFunc) (consolidate bool, err error) {
	res, err := methods.RemoveSnapshot_Task(ctx, c.vim, &types.RemoveSnapshot_Task{
		This: snapshotRef(ref), RemoveChildren: children, Consolidate: types.NewBool(true),
	})
	if err == nil {
		_, err = c.tasks.wait(ctx, res.Returnval, percent(report, "merge"))
	}
	if errors.Is(err, sdk.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("remove snapshot %s: %w", ref, snapshotError(err))
	}
	h, err := c.readHead(ctx, types.ManagedObjectReference{Type: "VirtualMachine", Value: vm})
	if err != nil { // the snapshot is gone, which was asked
		return false, nil //nolint:nilerr // the VM may just have gone as well
	}
	return h.consolidate, nil
}

// RevertSpec says what a VM goes back to.
type RevertSpec struct {
	VM              string `json:"vm"`       // path, moref, instance UUID or unique name
	Snapshot        string `json:"snapshot"` // moref, path or name
	SuppressPowerOn bool   `json:"suppress_power_on,omitempty"`
}

// RevertSnapshot brings a VM back to a snapshot: its configuration and its disks become what they were. **What was written since is
// lost.** The VM is off afterwards, unless the snapshot holds memory and SuppressPowerOn is false: then it runs as it ran.
func (c *Client) RevertSnapshot(ctx context.Context, spec RevertSpec, report sdk.ProgressFunc) error {
	if err := c.revertSnapshot(ctx, spec, report); err != nil {
		return fmt.Errorf("revert VM %q to snapshot %q: %w", spec.VM, spec.Snapshot, err)
	}
	return nil
}

func (c *Client) revertSnapshot(ctx context.Context, spec RevertSpec, report sdk.ProgressFunc) error {
	h, err := c.findHead(ctx, spec.VM)
	if err != nil {
		return err
	}
	if h.template {
		return sdk.WithHint(sdk.Conflictf("%s is a template", h.path), "turn it into a VM first")
	}
	to, err := h.findSnapshot(spec.Snapshot)
	if err != nil {
		return err
	}
	res, err := methods.RevertToSnapshot_Task(ctx, c.vim, &types.RevertToSnapshot_Task{
		This: snapshotRef(to.Ref), SuppressPowerOn: types.NewBool(spec.SuppressPowerOn),
	})
	if err == nil {
		_, err = c.tasks.wait(ctx, res.Returnval, percent(report, "revert"))
	}
	return snapshotError(err)
}

func snapshotRef(value string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachineSnapshot", Value: value}
}

// percent turns a task's progress into ours; nil stays nil.
func percent(report sdk.ProgressFunc, what string) func(int) {
	if report == nil {
		return nil
	}
	return func(n int) { report(sdk.Progress{Stage: what, Done: int64(n), Total: 100, Unit: "percent"}) }
}
