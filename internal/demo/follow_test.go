package demo_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// listWatch is a list view and a collector that follows the names of the VMs in it.
func listWatch(t *testing.T, c *govmomi.Client) (view, collector types.ManagedObjectReference) {
	t.Helper()
	list, err := methods.CreateListView(t.Context(), c, &types.CreateListView{This: *c.ServiceContent.ViewManager})
	if err != nil {
		t.Fatal(err)
	}
	made, err := methods.CreatePropertyCollector(t.Context(), c, &types.CreatePropertyCollector{This: c.ServiceContent.PropertyCollector})
	if err != nil {
		t.Fatal(err)
	}
	_, err = methods.CreateFilter(t.Context(), c, &types.CreateFilter{This: made.Returnval, Spec: types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: list.Returnval, Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
			&types.TraversalSpec{Type: "ListView", Path: "view"},
		}}},
		PropSet: []types.PropertySpec{{Type: "VirtualMachine", PathSet: []string{"config.annotation"}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return list.Returnval, made.Returnval
}

// A view may change while somebody waits for what is in it: the simulator's own filter and view then waited for each other for ever.
func TestWaitForUpdates_TheViewChangesMeanwhile(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{VMs: 4}))
	view, collector := listWatch(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	last := findVM(t, c, "/DC0/vm/DC0_C0_RP0_VM3")
	told := make(chan error, 1)
	go func() { told <- waitForAnnotation(ctx, c, collector, last.Reference(), "the end") }()
	for i := range 300 {
		vm := findVM(t, c, fmt.Sprintf("/DC0/vm/DC0_C0_RP0_VM%d", i%3)).Reference()
		for _, change := range []types.ModifyListView{{This: view, Add: []types.ManagedObjectReference{vm}}, {This: view, Remove: []types.ManagedObjectReference{vm}}} {
			if _, err := methods.ModifyListView(ctx, c, &change); err != nil {
				t.Fatalf("change %d of the view: %v", i, err)
			}
		}
	}
	if _, err := methods.ModifyListView(ctx, c, &types.ModifyListView{This: view, Add: []types.ManagedObjectReference{last.Reference()}}); err != nil {
		t.Fatal(err)
	}
	task, err := last.Reconfigure(ctx, types.VirtualMachineConfigSpec{Annotation: "the end"})
	if err := finish(t, task, err); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err != nil {
		t.Errorf("the change of what entered last: %v", err)
	}
}

// waitForAnnotation waits until a collector tells a VM's annotation.
func waitForAnnotation(ctx context.Context, c *govmomi.Client, collector, vm types.ManagedObjectReference, want string) error {
	req := types.WaitForUpdatesEx{This: collector, Options: &types.WaitOptions{MaxWaitSeconds: types.NewInt32(1)}}
	for {
		res, err := methods.WaitForUpdatesEx(ctx, c, &req)
		if err != nil {
			return err
		}
		if res.Returnval == nil {
			continue
		}
		req.Version = res.Returnval.Version
		for _, filter := range res.Returnval.FilterSet {
			for _, update := range filter.ObjectSet {
				for _, change := range update.ChangeSet {
					if update.Obj == vm && change.Val == want {
						return nil
					}
				}
			}
		}
	}
}
