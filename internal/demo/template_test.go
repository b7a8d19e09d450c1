package demo_test

import (
	"context"
	"slices"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

// inPool says whether the pool's list has the VM.
func inPool(t *testing.T, c *govmomi.Client, pool, vm types.ManagedObjectReference) bool {
	t.Helper()
	var p mo.ResourcePool
	if err := property.DefaultCollector(c.Client).RetrieveOne(t.Context(), pool, []string{"vm"}, &p); err != nil {
		t.Fatal(err)
	}
	return slices.Contains(p.Vm, vm)
}

func TestTemplate_LeavesItsPoolAndReturns(t *testing.T) {
	c, vm := newWeb(t)
	pool := *properties(t, c, vm.Reference(), "resourcePool").ResourcePool
	if err := vm.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	m := properties(t, c, vm.Reference(), "resourcePool", "config.template", "summary.config.template")
	if m.ResourcePool != nil || !m.Config.Template || !m.Summary.Config.Template || inPool(t, c, pool, vm.Reference()) {
		t.Errorf("got pool %v and template %v, want a template without one", m.ResourcePool, m.Config.Template)
	}
	if err := vm.MarkAsVirtualMachine(t.Context(), *object.NewResourcePool(c.Client, pool), nil); err != nil {
		t.Fatal(err)
	}
	m = properties(t, c, vm.Reference(), "resourcePool", "config.template")
	if m.ResourcePool == nil || *m.ResourcePool != pool || m.Config.Template || !inPool(t, c, pool, vm.Reference()) {
		t.Errorf("got pool %v and template %v, want the VM in %v", m.ResourcePool, m.Config.Template, pool)
	}
}

func TestTemplate_ChangeIsPushed(t *testing.T) {
	c, vm := newWeb(t)
	seen := make(chan bool, 8)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = property.Wait(ctx, property.DefaultCollector(c.Client), vm.Reference(), []string{"config.template"},
			func(changes []types.PropertyChange) bool {
				for _, change := range changes {
					template, _ := change.Val.(bool)
					seen <- template
					if template {
						return true
					}
				}
				return false
			})
	}()
	if <-seen {
		t.Fatal("it is a template to begin with")
	}
	if err := vm.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !<-seen {
		t.Error("the change was not pushed")
	}
	<-ended
}

func TestTemplate_RefusesWhatATemplateCannotDo(t *testing.T) {
	c, vm := newWeb(t)
	if err := vm.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantFault[*types.NotSupported](t, vm.MarkAsTemplate(t.Context()))
	task, err := vm.PowerOn(t.Context())
	wantFault[*types.NotSupported](t, finish(t, task, err))
	task, err = vm.CreateSnapshot(t.Context(), "late", "", false, false)
	wantFault[*types.NotSupported](t, finish(t, task, err))
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{NumCPUs: 4})
	wantFault[*types.NotSupported](t, finish(t, task, err))
	task, err = vm.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: "notes"})
	if err := finish(t, task, err); err != nil {
		t.Errorf("notes were refused: %v", err)
	}
	wantText(t, "notes", properties(t, c, vm.Reference(), "config.annotation").Config.Annotation, "notes")
	running := findVM(t, c, stockVM)
	wantFault[*types.InvalidPowerState](t, running.MarkAsTemplate(t.Context()))
}

func TestTemplate_GoesToAnotherHost(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 2, VMs: 1, Guests: []demo.Guest{guest(t, webPath)}}))
	vm := findVM(t, c, webPath)
	finder := find.NewFinder(c.Client)
	hosts, err := finder.HostSystemList(t.Context(), "/DC0/host/DC0_C0/*")
	if err != nil {
		t.Fatal(err)
	}
	pool, err := finder.ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	to := hosts[0]
	if to.Reference() == *properties(t, c, vm.Reference(), "runtime").Runtime.Host {
		to = hosts[1]
	}
	if err := vm.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := vm.MarkAsVirtualMachine(t.Context(), *pool, to); err != nil {
		t.Fatal(err)
	}
	if got := *properties(t, c, vm.Reference(), "runtime").Runtime.Host; got != to.Reference() {
		t.Errorf("got host %v, want %v", got, to.Reference())
	}
}

func TestRename_SiblingsNameIsTaken(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Hosts: 1, VMs: 2}))
	task, err := findVM(t, c, stockVM).Rename(t.Context(), "DC0_C0_RP0_VM1")
	wantFault[*types.DuplicateName](t, finish(t, task, err))
}
