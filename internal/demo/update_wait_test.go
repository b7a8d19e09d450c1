package demo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// PropertyCollector.WaitForUpdatesEx: the present state first, in pages; then each change of a property, and each object that enters or leaves.
func TestCollectorOfAView_TellsChangesNobodyAnnounces(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 2, VMs: 3}))
	ctx := t.Context()
	all, err := view.NewManager(c.Client).CreateContainerView(ctx, c.ServiceContent.RootFolder, []string{"VirtualMachine", "HostSystem", "ClusterComputeResource", "Folder"}, true)
	if err != nil {
		t.Fatal(err)
	}
	made, err := methods.CreatePropertyCollector(ctx, c.Client, &types.CreatePropertyCollector{This: c.ServiceContent.PropertyCollector})
	if err != nil {
		t.Fatal(err)
	}
	_, err = methods.CreateFilter(ctx, c.Client, &types.CreateFilter{This: made.Returnval, Spec: types.PropertyFilterSpec{
		ObjectSet: []types.ObjectSpec{{Obj: all.Reference(), Skip: types.NewBool(true), SelectSet: []types.BaseSelectionSpec{
			&types.TraversalSpec{Type: "ContainerView", Path: "view"},
		}}},
		PropSet: []types.PropertySpec{
			{Type: "ManagedEntity", PathSet: []string{"name"}},
			{Type: "HostSystem", PathSet: []string{"name", "summary.runtime"}}, {Type: "ClusterComputeResource", PathSet: []string{"name", "summary"}},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wait := int32(1)
	req := types.WaitForUpdatesEx{This: made.Returnval, Options: &types.WaitOptions{MaxWaitSeconds: &wait, MaxObjectUpdates: 2}}
	pages := 0
	// heard reads updates until each that is wanted came, as kind and id and property.
	heard := func(want ...string) {
		t.Helper()
		got := map[string]bool{}
		for deadline := time.Now().Add(30 * time.Second); ; {
			res, err := methods.WaitForUpdatesEx(ctx, c.Client, &req)
			if err != nil {
				t.Fatal(err)
			}
			if set := res.Returnval; set != nil {
				req.Version = set.Version
				objects := 0
				for _, filter := range set.FilterSet {
					for _, update := range filter.ObjectSet {
						objects++
						got[fmt.Sprintf("%s %s", update.Kind, update.Obj.Value)] = true
						for _, change := range update.ChangeSet {
							got[fmt.Sprintf("%s %s %s", update.Kind, update.Obj.Value, change.Name)] = true
						}
					}
				}
				if pages++; objects > 2 {
					t.Errorf("%d objects in an answer, want at most 2", objects)
				}
			}
			missing := ""
			for _, w := range want {
				if !got[w] {
					missing = w
				}
			}
			switch {
			case missing == "":
				return
			case time.Now().After(deadline):
				t.Fatalf("%q did not come, only %v", missing, got)
			}
		}
	}
	ids := map[string]string{}
	for _, typ := range []string{"VirtualMachine", "HostSystem", "ClusterComputeResource"} {
		found, err := all.Find(ctx, []string{typ}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ids[typ] = found[0].Value
	}
	heard("enter "+ids["VirtualMachine"], "enter "+ids["HostSystem"], "enter "+ids["ClusterComputeResource"])
	if pages < 4 {
		t.Errorf("%d pages of two, want more", pages)
	}
	host := object.NewHostSystem(c.Client, types.ManagedObjectReference{Type: "HostSystem", Value: ids["HostSystem"]})
	task, err := host.EnterMaintenanceMode(ctx, 5, false, nil)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	heard("modify "+ids["HostSystem"]+" summary.runtime", "modify "+ids["ClusterComputeResource"]+" summary")
	vm := object.NewVirtualMachine(c.Client, types.ManagedObjectReference{Type: "VirtualMachine", Value: ids["VirtualMachine"]})
	if task, err = vm.PowerOff(ctx); err == nil {
		err = task.Wait(ctx)
	}
	if err == nil {
		task, err = vm.Destroy(ctx)
	}
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	heard("leave " + ids["VirtualMachine"])
	if _, err := methods.DestroyPropertyCollector(ctx, c.Client, &types.DestroyPropertyCollector{This: made.Returnval}); err != nil {
		t.Fatal(err)
	}
}
