package vsphere

import (
	"context"
	"errors"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const (
	mirrorPoll    = 10               // seconds that vCenter may hold a wait for updates: an empty answer says that the data is true
	mirrorAnswer  = 60 * time.Second // after which an answer that did not come is taken for a cut
	mirrorPage    = 250              // objects of one answer, as many as a page of a list has VMs
	mirrorPause   = time.Second      // after a failure; doubled each time …
	mirrorPauseAt = 15 * time.Second // … up to this
)

// mirrorKinds are what the one view of a mirror holds.
var mirrorKinds = []string{"Folder", "Datacenter", "ComputeResource", "HostSystem", "ResourcePool", "VirtualMachine", "Network"}

// run follows, and begins anew after whatever fails, until ctx ends.
func (m *Mirror) run(ctx context.Context) {
	rows, wait := newMirrorRows(), mirrorPause
	for {
		whole, err := m.follow(ctx, rows)
		if ctx.Err() != nil {
			return
		}
		if whole {
			wait = mirrorPause
		}
		if whole && !errors.Is(err, sdk.ErrUnavailable) { // the view went with its session: nothing says that vCenter is away
			m.c.log.Debug("mirror: read everything anew", "error", err)
			continue
		}
		m.c.log.Warn("the mirror of the inventory is interrupted", "error", err, "again_in", wait)
		state := MirrorLost
		if m.Status().AsOf.IsZero() {
			state = MirrorLoading
		}
		m.publish(nil, state, err)
		pause(ctx, wait)
		wait = min(2*wait, mirrorPauseAt)
	}
}

// follow makes view, collector and filter, reads everything, and then what changes. It says whether it came to have everything.
func (m *Mirror) follow(ctx context.Context, rows *mirrorRows) (whole bool, err error) {
	view, err := methods.CreateContainerView(ctx, m.c.vim, &types.CreateContainerView{
		This: *m.c.vim.ServiceContent.ViewManager, Container: m.c.vim.ServiceContent.RootFolder, Type: mirrorKinds, Recursive: true,
	})
	if err != nil {
		return false, err
	}
	defer m.c.destroyView(ctx, view.Returnval)
	made, err := methods.CreatePropertyCollector(ctx, m.c.vim, &types.CreatePropertyCollector{This: m.c.vim.ServiceContent.PropertyCollector})
	if err != nil {
		return false, err
	}
	defer m.c.destroyCollector(ctx, made.Returnval)
	spec := types.PropertyFilterSpec{ObjectSet: []types.ObjectSpec{viewSpec(view.Returnval)}, PropSet: mirrorProps()}
	if _, err := methods.CreateFilter(ctx, m.c.vim, &types.CreateFilter{This: made.Returnval, Spec: spec}); err != nil {
		return false, err
	}
	return m.listen(ctx, made.Returnval, rows)
}

// listen applies one answer after the other, and publishes whenever vCenter has no more to say at once.
func (m *Mirror) listen(ctx context.Context, collector types.ManagedObjectReference, rows *mirrorRows) (whole bool, err error) {
	known := newMirrored(rows)
	hold := int32(mirrorPoll)
	req := types.WaitForUpdatesEx{This: collector, Options: &types.WaitOptions{MaxWaitSeconds: &hold, MaxObjectUpdates: mirrorPage}}
	for {
		set, err := m.wait(ctx, &req)
		if err != nil {
			return whole, err
		}
		if set == nil { // nothing happened
			m.publish(nil, MirrorLive, nil)
			continue
		}
		req.Version = set.Version
		for _, filter := range set.FilterSet {
			for _, update := range filter.ObjectSet {
				known.apply(update)
			}
		}
		if isTrue(set.Truncated) {
			continue
		}
		changed, err := known.settle(!whole)
		if err != nil {
			return whole, err
		}
		var next *Inventory
		if changed || m.Status().AsOf.IsZero() {
			next = known.inventory(m.Snapshot().Version + 1)
		}
		m.publish(next, MirrorLive, nil)
		whole = true
		pause(ctx, coalesce)
	}
}

// wait is one call for updates. An answer that does not come in time is a lost connection.
func (m *Mirror) wait(parent context.Context, req *types.WaitForUpdatesEx) (*types.UpdateSet, error) {
	ctx, cancel := context.WithTimeout(parent, mirrorPoll*time.Second+mirrorAnswer)
	defer cancel()
	res, err := methods.WaitForUpdatesEx(ctx, m.c.vim, req)
	if err != nil && ctx.Err() != nil && parent.Err() == nil {
		return nil, sdk.Unavailablef("vCenter did not answer within %s", mirrorPoll*time.Second+mirrorAnswer)
	}
	if err != nil {
		return nil, err
	}
	return res.Returnval, nil
}

func (c *Client) destroyView(ctx context.Context, view types.ManagedObjectReference) {
	if c.closing.Load() {
		return
	}
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer stop()
	if _, err := methods.DestroyView(cleanup, c.vim, &types.DestroyView{This: view}); err != nil {
		c.log.Debug("destroy view", "error", err) // it goes with the session
	}
}

// mirrorProps are what the lists read, of all objects at once.
func mirrorProps() []types.PropertySpec {
	named := []string{"name", "parent"}
	return []types.PropertySpec{
		{Type: "Folder", PathSet: named},
		{Type: "ComputeResource", PathSet: named},
		{Type: "Network", PathSet: []string{"name"}},
		{Type: "DistributedVirtualPortgroup", PathSet: []string{"name", "key"}},
		{Type: "OpaqueNetwork", PathSet: []string{"name", "summary"}},
		{Type: "ResourcePool", PathSet: poolRowProps("vm", "resourcePool")},
		{Type: "VirtualApp", PathSet: []string{"name", "parent", "parentFolder", "parentVApp"}},
		{Type: "Datacenter", PathSet: datacenterProps()},
		{Type: "ClusterComputeResource", PathSet: clusterProps()},
		{Type: "HostSystem", PathSet: hostProps()},
		{Type: "VirtualMachine", PathSet: vmRowProps()},
	}
}
