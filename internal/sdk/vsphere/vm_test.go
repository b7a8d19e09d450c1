package vsphere_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestGetVM_EveryReference(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{web(t, "/DC0/vm/web-01")}})
	c := dial(t, v)
	vm, err := c.GetVM(t.Context(), "/DC0/vm/web-01")
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range []string{vm.Ref, "VirtualMachine:" + vm.Ref, vm.InstanceUUID, "web-01", "vm/web-01", "DC0/vm/web-01", "/DC0/vm/web-01/"} {
		got, err := c.GetVM(t.Context(), ref)
		if err != nil || got.Ref != vm.Ref {
			t.Errorf("%s: got %v %v, want %s", ref, got, err, vm.Ref)
		}
	}
}

func TestGetVM_ByPathMakesTwoCalls(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{web(t, "/DC0/vm/web-01")}})
	c := dial(t, v)
	before := v.Calls()
	if _, err := c.GetVM(t.Context(), "/DC0/vm/web-01"); err != nil {
		t.Fatal(err)
	}
	if n := calls(before, v.Calls()); n != 2 {
		t.Errorf("got %d calls, want 2", n)
	}
}

func TestGetVM_Detail(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{web(t, "/DC0/vm/web-01")}})
	vm, err := dial(t, v).GetVM(t.Context(), "web-01")
	if err != nil {
		t.Fatal(err)
	}
	if vm.Path != "/DC0/vm/web-01" || vm.Datacenter != "DC0" || vm.Name != "web-01" || vm.Host == "" || vm.PowerState != "poweredOff" ||
		vm.Firmware != "uefi" || vm.CPUs != 4 || vm.MemoryMB != 2048 || vm.GuestID != "debian12_64Guest" || vm.BIOSUUID == "" {
		t.Errorf("got %+v", vm)
	}
	var addresses, controllers []string
	for _, d := range vm.Disks {
		addresses, controllers = append(addresses, d.Address), append(controllers, d.Controller)
		if d.Datastore == "" || !d.DatastoreAccessible || d.Mode != "persistent" || !strings.HasPrefix(d.File, "["+d.Datastore+"] ") {
			t.Errorf("got disk %+v", d)
		}
	}
	if want := []string{"scsi0:0", "scsi0:1", "sata0:1"}; !slices.Equal(addresses, want) {
		t.Errorf("got disks %v, want %v", addresses, want)
	}
	if want := []string{"pvscsi", "pvscsi", "ahci"}; !slices.Equal(controllers, want) {
		t.Errorf("got controllers %v, want %v", controllers, want)
	}
	if vm.Disks[2].CapacityBytes != 3<<20+512 {
		t.Errorf("got capacity %d, want %d", vm.Disks[2].CapacityBytes, 3<<20+512)
	}
	if len(vm.NICs) != 2 || vm.NICs[0].MAC != "00:50:56:aa:bb:01" || vm.NICs[0].Network != "VM Network" ||
		vm.NICs[0].Type != "vmxnet3" || vm.NICs[1].Type != "e1000e" {
		t.Errorf("got NICs %+v", vm.NICs)
	}
}

func TestGetVM_DistributedPortGroupByName(t *testing.T) {
	g := web(t, "/DC0/vm/web-01")
	g.NICs = []demo.GuestNIC{{Network: "DC0_DVPG0"}}
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}})
	vm, err := dial(t, v).GetVM(t.Context(), "web-01")
	if err != nil {
		t.Fatal(err)
	}
	if got := vm.NICs[0].Network; got != "DC0_DVPG0" {
		t.Errorf("got network %q, want the port group's name", got)
	}
}

func TestGetVM_AmbiguousNameListsPaths(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{
		{Path: "/DC0/vm/a/web-01", Disks: web(t, "").Disks[2:]}, {Path: "/DC0/vm/b/web-01", Disks: web(t, "").Disks[2:]},
	}})
	c := dial(t, v)
	_, err := c.GetVM(t.Context(), "web-01")
	hints := strings.Join(sdk.Hints(err), "\n")
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(hints, "/DC0/vm/a/web-01, /DC0/vm/b/web-01") {
		t.Errorf("got %v with hints %q, want ErrInvalid and both paths", err, hints)
	}
	vm, err := c.GetVM(t.Context(), "b/web-01")
	if err != nil || vm.Path != "/DC0/vm/b/web-01" {
		t.Errorf("got %v %v, want the one in b", vm, err)
	}
}

func TestGetVM_NotFound(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{web(t, "/DC0/vm/web-01")}})
	c := dial(t, v)
	for _, ref := range []string{"web-02", "/DC0/vm/web-02", "vm-99999", "11111111-2222-3333-4444-555555555555", "x/web-01"} {
		if vm, err := c.GetVM(t.Context(), ref); !errors.Is(err, sdk.ErrNotFound) {
			t.Errorf("%s: got %v %v, want ErrNotFound", ref, vm, err)
		}
	}
	_, err := c.GetVM(t.Context(), "Web-1")
	if hints := sdk.Hints(err); !slices.Contains(hints, "did you mean web-01?") {
		t.Errorf("got hints %q, want web-01", hints)
	}
	for _, ref := range []string{"", "/DC0/host"} {
		if _, err := c.GetVM(t.Context(), ref); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: got %v, want ErrInvalid", ref, err)
		}
	}
}
