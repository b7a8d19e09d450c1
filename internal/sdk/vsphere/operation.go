package vsphere

import (
	"context"
	"errors"
	"fmt"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// VMOperation is one thing to do to each of several VMs that exist: VMSnapshotSpec, VMRevertSpec, VMRemoveSnapshotSpec, VMPowerSpec,
// VMDeleteSpec, VMPoolSpec and VMNetworkSpec. VMItems makes work for sdk.RunBulk of it, and PlanVMItems the same work without
// its effects.
type VMOperation interface {
	// Stage is what its progress and errors are called: "snapshot", "power off".
	Stage() string
	// Validate checks the form, without a call: sdk.ErrInvalid.
	Validate() error
	// plan reads the VM and says what is to be done; sdk.Skip when it is so already, else an error says why it cannot be.
	plan(ctx context.Context, c *Client, vm VMRef) (*vmStep, error)
}

// vmStep is what an operation means for one VM.
type vmStep struct {
	would string // in words, without the VM's name: "take snapshot x"
	do    func(ctx context.Context, report sdk.ProgressFunc) error
}

// VMItems are items for sdk.RunBulk that do the operation, one for each VM, named as the VM is; those of VMs that share a name
// are named by their paths. Each reads its VM first, skips what is so already and refuses what cannot be. An item whose
// context ends asks vCenter to cancel its task, and its error says what may be left.
func (c *Client) VMItems(op VMOperation, vms []VMRef) []sdk.BulkItem {
	return vmItems(vms, func(ctx context.Context, vm VMRef, report sdk.ProgressFunc) error {
		step, err := planVM(ctx, c, op, vm)
		if err != nil {
			return err
		}
		return step.do(ctx, report)
	})
}

// PlanVMItems are items that change nothing: each succeeds with a message of what VMItems' would do ("would …"), and is skipped
// or fails where that one would, as far as can be told without trying.
func (c *Client) PlanVMItems(op VMOperation, vms []VMRef) []sdk.BulkItem {
	return vmItems(vms, func(ctx context.Context, vm VMRef, _ sdk.ProgressFunc) error {
		step, err := planVM(ctx, c, op, vm)
		if err != nil {
			return err
		}
		return sdk.Done("would %s", step.would)
	})
}

func planVM(ctx context.Context, c *Client, op VMOperation, vm VMRef) (*vmStep, error) {
	if err := op.Validate(); err != nil {
		return nil, err
	}
	return op.plan(ctx, c, vm)
}

func vmItems(vms []VMRef, do func(context.Context, VMRef, sdk.ProgressFunc) error) []sdk.BulkItem {
	named := map[string]int{}
	for _, vm := range vms {
		named[vm.Name]++
	}
	items := make([]sdk.BulkItem, 0, len(vms))
	for _, vm := range vms {
		name := vm.Name
		if named[name] > 1 {
			name = vm.Path
		}
		items = append(items, sdk.BulkItem{Name: name, Do: func(ctx context.Context, report sdk.ProgressFunc) error { return do(ctx, vm, report) }})
	}
	return items
}

// readForOperation reads a VM for an operation that templates have no part in.
func (c *Client) readForOperation(ctx context.Context, ref VMRef) (*VM, error) {
	vm, err := c.readVM(ctx, ref.moref())
	if err != nil {
		return nil, err
	}
	return vm, notTemplate(vm.Template)
}

func notTemplate(template bool) error {
	if template {
		return sdk.WithHint(sdk.Conflictf("it is a template"), "turn it into a VM first")
	}
	return nil
}

// VMSnapshotSpec takes a snapshot of each VM. One that has a snapshot of that name is skipped, so that a second run goes on.
type VMSnapshotSpec struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Memory      bool   `json:"memory,omitempty"`  // with the memory of a running VM: revert makes it run again
	Quiesce     bool   `json:"quiesce,omitempty"` // VMware Tools quiesce the file systems of a running VM first
}

// Stage is what its progress is called.
func (s VMSnapshotSpec) Stage() string { return "snapshot" }

// Validate checks the form of the spec, without a call.
func (s VMSnapshotSpec) Validate() error { return s.of(VMRef{Ref: "vm-0"}).Validate() }

func (s VMSnapshotSpec) of(vm VMRef) SnapshotSpec {
	return SnapshotSpec{VM: vm.Ref, Name: s.Name, Description: s.Description, Memory: s.Memory, Quiesce: s.Quiesce}
}

func (s VMSnapshotSpec) plan(ctx context.Context, c *Client, vm VMRef) (*vmStep, error) {
	h, err := c.readHead(ctx, vm.moref())
	if err != nil {
		return nil, err
	}
	err = h.mayTake(s.Name)
	if errors.Is(err, ErrNameTaken) {
		return nil, sdk.Skip("it has a snapshot %q already", s.Name)
	}
	if err != nil {
		return nil, err
	}
	return &vmStep{would: fmt.Sprintf("take snapshot %q", s.Name), do: func(ctx context.Context, report sdk.ProgressFunc) error {
		_, _, err := c.takeSnapshot(ctx, h.ref, s.of(vm), report)
		return err
	}}, nil
}

// VMRevertSpec brings each VM back to its snapshot of that name; what was written since is lost.
type VMRevertSpec struct {
	Snapshot        string `json:"snapshot"`                    // name or path
	SuppressPowerOn bool   `json:"suppress_power_on,omitempty"` // leave it off though the snapshot holds memory
}

// Stage is what its progress is called.
func (s VMRevertSpec) Stage() string { return "revert" }

// Validate checks the form of the spec, without a call.
func (s VMRevertSpec) Validate() error {
	if s.Snapshot == "" {
		return sdk.Invalidf("no snapshot named to go back to")
	}
	return nil
}

func (s VMRevertSpec) plan(ctx context.Context, c *Client, vm VMRef) (*vmStep, error) {
	h, err := c.readHead(ctx, vm.moref())
	if err != nil {
		return nil, err
	}
	if err := notTemplate(h.template); err != nil {
		return nil, err
	}
	to, err := h.findSnapshot(s.Snapshot)
	if err != nil {
		return nil, err
	}
	would := fmt.Sprintf("go back to snapshot %q of %s and lose what was written since", to.Path, to.Created.UTC().Format("2006-01-02 15:04:05Z"))
	return &vmStep{would: would, do: func(ctx context.Context, report sdk.ProgressFunc) error {
		return c.revertSnapshot(ctx, RevertSpec{VM: vm.Ref, Snapshot: to.Ref, SuppressPowerOn: s.SuppressPowerOn}, report)
	}}, nil
}

// VMRemoveSnapshotSpec removes the snapshot of that name, or all, from each VM; their changes stay in the VM's disks. A VM that
// has none such is skipped.
type VMRemoveSnapshotSpec struct {
	Snapshot string `json:"snapshot,omitempty"` // name or path
	Children bool   `json:"children,omitempty"` // with those below it; else they hang where it hung
	All      bool   `json:"all,omitempty"`      // every snapshot; instead of Snapshot
}

// Stage is what its progress is called.
func (s VMRemoveSnapshotSpec) Stage() string { return "remove snapshot" }

// Validate checks the form of the spec, without a call.
func (s VMRemoveSnapshotSpec) Validate() error {
	switch {
	case s.All && (s.Snapshot != "" || s.Children):
		return sdk.Invalidf("all snapshots, or one: choose")
	case !s.All && s.Snapshot == "":
		return sdk.Invalidf("no snapshot named to remove")
	}
	return nil
}

func (s VMRemoveSnapshotSpec) plan(ctx context.Context, c *Client, vm VMRef) (*vmStep, error) {
	h, err := c.readHead(ctx, vm.moref())
	if err != nil {
		return nil, err
	}
	if s.All {
		return s.planAll(c, h)
	}
	found, err := h.findSnapshot(s.Snapshot)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil, sdk.Skip("it has no snapshot %q", s.Snapshot)
	}
	if err != nil {
		return nil, err
	}
	would := fmt.Sprintf("remove snapshot %q", found.Path)
	if s.Children {
		would += " and those below it"
	}
	return &vmStep{would: would, do: func(ctx context.Context, report sdk.ProgressFunc) error {
		consolidate, err := c.RemoveSnapshot(ctx, vm.Ref, found.Ref, s.Children, report)
		return afterRemoval(consolidate, err)
	}}, nil
}

func (s VMRemoveSnapshotSpec) planAll(c *Client, h *head) (*vmStep, error) {
	if len(h.snapshots) == 0 {
		return nil, sdk.Skip("it has no snapshot")
	}
	return &vmStep{would: fmt.Sprintf("remove all %d snapshots", len(h.snapshots)), do: func(ctx context.Context, report sdk.ProgressFunc) error {
		var consolidate bool
		for _, snapshot := range h.snapshots {
			if snapshot.Parent != "" {
				continue
			}
			var err error
			if consolidate, err = c.RemoveSnapshot(ctx, h.ref.Value, snapshot.Ref, true, report); err != nil {
				return err
			}
		}
		return afterRemoval(consolidate, nil)
	}}, nil
}

func afterRemoval(consolidate bool, err error) error {
	if err == nil && consolidate {
		return sdk.Done("removed, but vCenter could not merge its changes: consolidate the VM's disks")
	}
	return err
}
