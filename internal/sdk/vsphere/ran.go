package vsphere

import (
	"context"
	"fmt"
	"time"

	"github.com/vmware/govmomi/event"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"
)

// Now is the time by vCenter's own clock, which stamps its events.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	now, err := methods.GetCurrentTime(ctx, c.vim)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask vCenter for the time: %w", err)
	}
	return now.UTC(), nil
}

// PoweredOnSince says whether vCenter recorded that the VM was powered on after since, which is by vCenter's clock. A VM whose disks
// were copied before is not the same any more. (EventManager.QueryEvents in the vSphere Web Services API.)
func (c *Client) PoweredOnSince(ctx context.Context, vm *VM, since time.Time) (bool, error) {
	events, err := event.NewManager(c.vim).QueryEvents(ctx, types.EventFilterSpec{
		Entity:      &types.EventFilterSpecByEntity{Entity: vmRef(vm), Recursion: types.EventFilterSpecRecursionOptionSelf},
		Time:        &types.EventFilterSpecByTime{BeginTime: &since},
		EventTypeId: []string{"VmPoweredOnEvent", "DrsVmPoweredOnEvent", "VmResumingEvent"},
	})
	if err != nil {
		return false, fmt.Errorf("ask vCenter whether VM %q ran: %w", vm.Name, err)
	}
	return len(events) > 0, nil
}
