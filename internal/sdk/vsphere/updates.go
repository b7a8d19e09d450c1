package vsphere

import (
	"context"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// updates makes a property collector of its own with one filter and hands on every update, the present state first, until
// use says that it is enough, a call fails or ctx ends. Collectors are not shared: a wait on a shared one may swallow
// another's updates.
func (c *Client) updates(ctx context.Context, spec types.PropertyFilterSpec, use func(types.ObjectUpdate) (enough bool)) error {
	made, err := methods.CreatePropertyCollector(ctx, c.vim, &types.CreatePropertyCollector{
		This: c.vim.ServiceContent.PropertyCollector,
	})
	if err != nil {
		return err
	}
	collector := made.Returnval
	defer c.destroyCollector(ctx, collector)
	if _, err := methods.CreateFilter(ctx, c.vim, &types.CreateFilter{This: collector, Spec: spec}); err != nil {
		return err
	}
	wait := int32(longPoll)
	req := types.WaitForUpdatesEx{This: collector, Options: &types.WaitOptions{MaxWaitSeconds: &wait}}
	for {
		res, err := methods.WaitForUpdatesEx(ctx, c.vim, &req)
		if err != nil {
			return err
		}
		if res.Returnval == nil { // nothing happened within longPoll
			continue
		}
		req.Version = res.Returnval.Version
		for _, filter := range res.Returnval.FilterSet {
			for _, update := range filter.ObjectSet {
				if use(update) {
					return nil
				}
			}
		}
	}
}

func (c *Client) destroyCollector(ctx context.Context, collector types.ManagedObjectReference) {
	if c.closing.Load() {
		return
	}
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer stop()
	_, err := methods.DestroyPropertyCollector(cleanup, c.vim, &types.DestroyPropertyCollector{This: collector})
	if err != nil {
		c.log.Debug("destroy collector", "error", err) // it goes with the session
	}
}

// watch hands on the changed properties of one object until use says that it is enough. An object that is gone is
// sdk.ErrNotFound.
func (c *Client) watch(ctx context.Context, ref types.ManagedObjectReference, props []string, use func(map[string]any) (enough bool)) error {
	var gone error
	err := c.updates(ctx, types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: ref}},
		PropSet:   []types.PropertySpec{{Type: ref.Type, PathSet: props}},
	}, func(update types.ObjectUpdate) bool {
		if update.Kind == types.ObjectUpdateKindLeave {
			gone = classify(notFound(ref))
			return true
		}
		changed := make(map[string]any, len(update.ChangeSet))
		for _, change := range update.ChangeSet {
			if change.Val != nil {
				changed[change.Name] = change.Val
			}
		}
		return use(changed)
	})
	if err == nil {
		err = gone
	}
	return err
}
