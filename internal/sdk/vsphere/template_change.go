package vsphere

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// templateGoal is what a VM is to be when it is marked.
type templateGoal struct {
	name       string
	folder     types.ManagedObjectReference
	annotation string // empty: as it is
	snapshot   string // empty: none
	mark       templateMark
	marked     bool // the mark is there already
}

func (c *Client) templateGoal(ctx context.Context, spec TemplateSpec, source *head) (templateGoal, error) {
	goal := templateGoal{name: spec.Name, folder: source.folder, annotation: spec.Annotation, snapshot: spec.Snapshot}
	if spec.Folder == "" {
		return goal, nil
	}
	folder, err := c.Resolve(ctx, KindFolder, spec.Folder)
	goal.folder = folder
	return goal, err
}

// reconcile gives a VM or template its annotation, mark, folder and name; each costs a task only when it differs.
func (c *Client) reconcile(ctx context.Context, now *head, goal templateGoal) error {
	config := types.VirtualMachineConfigSpec{}
	if goal.annotation != "" && goal.annotation != now.annotation {
		config.Annotation = goal.annotation
	}
	if !goal.marked {
		config.ExtraConfig = goal.mark.extraConfig()
	}
	if config.Annotation != "" || config.ExtraConfig != nil {
		if err := c.reconfigure(ctx, now.ref, config, nil); err != nil {
			return fmt.Errorf("annotate %s: %w", now.path, err)
		}
	}
	return c.place(ctx, now, goal.folder, goal.name)
}

// place moves and renames.
func (c *Client) place(ctx context.Context, now *head, folder types.ManagedObjectReference, name string) error {
	if folder != now.folder {
		res, err := methods.MoveIntoFolder_Task(ctx, c.vim, &types.MoveIntoFolder_Task{
			This: folder, List: []types.ManagedObjectReference{now.ref},
		})
		if err == nil {
			_, err = c.tasks.wait(ctx, res.Returnval, nil)
		}
		if err != nil {
			return fmt.Errorf("move %s: %w", now.path, err)
		}
		c.Forget(now.ref)
	}
	if name != now.name {
		res, err := methods.Rename_Task(ctx, c.vim, &types.Rename_Task{This: now.ref, NewName: storedName(name)})
		if err == nil {
			_, err = c.tasks.wait(ctx, res.Returnval, nil)
		}
		if isFault[*types.DuplicateName](err) {
			err = sdk.WithHint(sdk.Kind(ErrNameTaken, err), "its folder has a VM or template of that name; use another one")
		}
		if err != nil {
			return fmt.Errorf("rename %s to %q: %w", now.path, name, err)
		}
		c.Forget(now.ref)
	}
	return nil
}

// GetTemplate finds a template, or the VM that became of one, by path, moref, instance UUID or unique name.
func (c *Client) GetTemplate(ctx context.Context, ref string) (*Template, error) {
	h, err := c.findHead(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("get template %q: %w", ref, err)
	}
	t := h.asTemplate()
	return &t, nil
}

// ReadTemplate reads what was found before: by its moref, and when that is gone by its instance UUID, which stays the same when
// somebody unregisters and registers it. Reads that come together share a call.
func (c *Client) ReadTemplate(ctx context.Context, ref, instanceUUID string) (*Template, error) {
	h, err := c.readHead(ctx, vmByID(ref))
	if errors.Is(err, sdk.ErrNotFound) {
		found, findErr := c.findByUUID(ctx, instanceUUID)
		if findErr != nil {
			return nil, fmt.Errorf("read template %s: %w", ref, findErr)
		}
		if found != nil {
			h, err = c.readHead(ctx, *found)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("read template %s: %w", ref, err)
	}
	t := h.asTemplate()
	return &t, nil
}

// TemplateUpdate changes what is set.
type TemplateUpdate struct {
	Name       *string
	Folder     *string
	Annotation *string // not empty: vSphere cannot clear one
}

// UpdateTemplate renames, moves and annotates a template, and marks it again when somebody turned it into a VM. One that runs is
// sdk.ErrConflict: nobody's VM is powered off for it.
func (c *Client) UpdateTemplate(ctx context.Context, ref string, update TemplateUpdate) (*Template, error) {
	now, err := c.readHead(ctx, vmByID(ref))
	if err != nil {
		return nil, fmt.Errorf("change template %s: %w", ref, err)
	}
	goal := templateGoal{name: now.name, folder: now.folder, marked: true}
	if update.Name != nil {
		goal.name = *update.Name
	}
	if update.Annotation != nil {
		goal.annotation = *update.Annotation
	}
	if update.Folder != nil {
		if goal.folder, err = c.Resolve(ctx, KindFolder, *update.Folder); err != nil {
			return nil, err
		}
	}
	if !now.template {
		if err := c.MarkAsTemplate(ctx, ref); err != nil {
			return nil, err
		}
	}
	if err := c.reconcile(ctx, now, goal); err != nil {
		return nil, err
	}
	after, err := c.readHead(ctx, now.ref)
	if err != nil {
		return nil, fmt.Errorf("read template %s back: %w", ref, err)
	}
	t := after.asTemplate()
	return &t, nil
}

// MarkAsTemplate turns a VM that is off into a template. One that runs is sdk.ErrConflict.
func (c *Client) MarkAsTemplate(ctx context.Context, ref string) error {
	_, err := methods.MarkAsTemplate(ctx, c.vim, &types.MarkAsTemplate{This: vmByID(ref)})
	if err != nil {
		return markError(err, ref)
	}
	return nil
}

// MarkAsVM turns a template into a VM in a resource pool; a host is needed where the pool's cluster has no DRS.
func (c *Client) MarkAsVM(ctx context.Context, ref, pool, host string) error {
	if pool == "" {
		return sdk.WithHint(sdk.Invalidf("turn template %s into a VM: in which resource pool?", ref), "name a resource_pool; a cluster or a host means its root pool")
	}
	in, err := c.Resolve(ctx, KindResourcePool, pool)
	if err != nil {
		return err
	}
	req := types.MarkAsVirtualMachine{This: vmByID(ref), Pool: in}
	if host != "" {
		on, err := c.Resolve(ctx, KindHost, host)
		if err != nil {
			return err
		}
		req.Host = &on
	}
	if _, err := methods.MarkAsVirtualMachine(ctx, c.vim, &req); err != nil {
		return fmt.Errorf("turn template %s into a VM: %w", ref, err)
	}
	return nil
}

// RevertTemplate makes a converted template the VM that it was: in its resource pool, or the one named here, and under the name and
// in the folder that it had, as far as they exist. One that is gone is fine.
func (c *Client) RevertTemplate(ctx context.Context, ref, pool, host string) error {
	mark, err := c.readMark(ctx, vmByID(ref))
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err == nil {
		err = c.revertTemplate(ctx, ref, pool, host, mark)
	}
	if err != nil {
		return fmt.Errorf("turn template %s back into a VM: %w", ref, err)
	}
	return nil
}

func (c *Client) revertTemplate(ctx context.Context, ref, pool, host string, mark *readTemplateMark) error {
	if pool == "" {
		pool = mark.Pool
	}
	if mark.template {
		if err := c.MarkAsVM(ctx, ref, pool, host); err != nil {
			return err
		}
	}
	if mark.Key == "" {
		return nil
	}
	now, err := c.readHead(ctx, vmByID(ref))
	if err != nil {
		return err
	}
	folder, name := now.folder, now.name
	if mark.Name != "" {
		folder, name = types.ManagedObjectReference{Type: "Folder", Value: mark.Folder}, mark.Name
	}
	err = c.place(ctx, now, folder, name)
	if errors.Is(err, sdk.ErrNotFound) { // the folder is gone; the VM stays where it is
		err = c.place(ctx, now, now.folder, name)
	}
	if err != nil {
		return err
	}
	return c.reconfigure(ctx, now.ref, types.VirtualMachineConfigSpec{ExtraConfig: noMark()}, nil)
}

// DeleteTemplate deletes a template and its disks. One that is gone is fine; one that was turned into a VM and runs is
// sdk.ErrConflict.
func (c *Client) DeleteTemplate(ctx context.Context, ref string) error {
	res, err := methods.Destroy_Task(ctx, c.vim, &types.Destroy_Task{This: vmByID(ref)})
	if err == nil {
		_, err = c.tasks.wait(ctx, res.Returnval, nil)
	}
	c.Forget(vmByID(ref))
	switch {
	case err == nil, errors.Is(err, sdk.ErrNotFound):
		c.marks.releaseVM(vmByID(ref).Value)
		return nil
	case isFault[*types.InvalidPowerState](err):
		err = sdk.WithHint(err, "somebody turned it into a VM and started it; shut it down, or keep it with on_destroy = \"keep\"")
	}
	return fmt.Errorf("delete template %s: %w", ref, err)
}

func vmByID(value string) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachine", Value: strings.TrimPrefix(value, "VirtualMachine:")}
}
