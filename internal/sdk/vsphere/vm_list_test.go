package vsphere_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func vmPaths(vms []vsphere.VMSummary) []string {
	paths := []string{}
	for _, vm := range vms {
		paths = append(paths, vm.Path)
	}
	return paths
}

func vmRefOf(vm vsphere.VMSummary) types.ManagedObjectReference {
	return types.ManagedObjectReference{Type: "VirtualMachine", Value: vm.Ref}
}

func TestListVMs_SaysWhatGetVMSays(t *testing.T) {
	g := web(t, "/DC0/vm/prod/web-01")
	g.PoweredOn = true
	v := rig.VCenter(t, demo.Options{Hosts: 1, VMs: 1, Guests: []demo.Guest{g}})
	c := dial(t, v)
	vms, err := c.ListVMs(t.Context(), vsphere.Filter{Name: "web-*"})
	if err != nil || len(vms) != 1 {
		t.Fatalf("got %v and %v, want web-01", vmPaths(vms), err)
	}
	machine := object.NewVirtualMachine(vim(t, v), vmRefOf(vms[0]))
	for _, name := range []string{"base", "patched"} {
		task, err := machine.CreateSnapshot(t.Context(), name, "", false, false)
		done(t, task, err)
	}
	task, err := machine.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Annotation: "runs the shop", ChangeTrackingEnabled: types.NewBool(true)})
	done(t, task, err)
	if vms, err = c.ListVMs(t.Context(), vsphere.Filter{Folder: "/DC0/vm/prod"}); err != nil || len(vms) != 1 {
		t.Fatalf("got %v and %v, want web-01", vmPaths(vms), err)
	}
	vm, err := c.GetVM(t.Context(), vms[0].Ref)
	if err != nil {
		t.Fatal(err)
	}
	want := vsphere.VMSummary{
		Ref: vm.Ref, Name: "web-01", Path: "/DC0/vm/prod/web-01", Datacenter: "DC0", Folder: "/DC0/vm/prod",
		ResourcePool: "/DC0/host/DC0_C0/Resources", Cluster: "DC0_C0", Host: "DC0_C0_H0",
		InstanceUUID: vm.InstanceUUID, BIOSUUID: vm.BIOSUUID, PowerState: "poweredOn", ConnectionState: "connected",
		GuestID: "debian12_64Guest", GuestFullName: "Debian GNU/Linux 12 (64-bit)", Hostname: "web-01",
		IPAddresses: []string{"192.0.2.10"}, ToolsStatus: "guestToolsRunning", Firmware: "uefi", CPUs: 4, MemoryMB: 2048,
		Annotation: "runs the shop", CBT: true,
		Disks: []vsphere.VMDisk{
			{Address: "scsi0:0", Label: "Hard disk 3", CapacityGB: 1.0 / 1024, Thin: true, Datastore: "LocalDS_0"},
			{Address: "scsi0:1", Label: "Hard disk 2", CapacityGB: 2.0 / 1024, Thin: true, Datastore: "LocalDS_0"},
			{Address: "sata0:1", Label: "Hard disk 1", CapacityGB: (3.0 + 1.0/2048) / 1024, Thin: true, Datastore: "LocalDS_0"},
		},
		SnapshotCount: 2, Snapshots: []string{"base", "base/patched"},
	}
	for _, n := range vm.NICs {
		want.NICs = append(want.NICs, vsphere.VMNIC{Label: n.Label, MAC: n.MAC, Network: n.Network, Type: n.Type, Connected: n.Connected})
	}
	if diff := cmp.Diff(want, vms[0]); diff != "" || len(want.NICs) != 2 || want.NICs[0].Network != "VM Network" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestListVMs_Filters(t *testing.T) {
	disk := rig.Disk(t, 1<<20, rig.Zero)
	var guests []demo.Guest
	for _, g := range []demo.Guest{
		{Path: "/DC0/vm/a%2fb"}, {Path: "/DC0/vm/прод/Zürich 東京", GuestID: "rhel9_64Guest"}, {Path: "/DC0/vm/100%25", PoweredOn: true}, {Path: "/DC0/vm/[x]"},
	} {
		g.Disks = []demo.GuestDisk{{Image: disk}}
		guests = append(guests, g)
	}
	v := twoByTwo(t, guests...)
	c := dial(t, v)
	all, err := c.ListVMs(t.Context(), vsphere.Filter{})
	if err != nil || len(all) != 8 || !slices.IsSorted(vmPaths(all)) {
		t.Fatalf("got %q and %v, want 8, sorted", vmPaths(all), err)
	}
	golden := all[slices.IndexFunc(all, func(vm vsphere.VMSummary) bool { return vm.Name == "DC1_C1_RP0_VM0" })]
	machine := object.NewVirtualMachine(vim(t, v), vmRefOf(golden))
	task, err := machine.PowerOff(t.Context())
	done(t, task, err)
	if err := machine.MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	tests := []struct {
		name   string
		filter vsphere.Filter
		want   []string
	}{
		{"escaped name", vsphere.Filter{Name: "a%2fb"}, []string{"/DC0/vm/a%2fb"}},
		{"a name's own slash", vsphere.Filter{Name: "a/b"}, []string{"/DC0/vm/a%2fb"}},
		{"a star takes a name's own slash", vsphere.Filter{Name: "a*"}, []string{"/DC0/vm/a%2fb"}},
		{"percent", vsphere.Filter{Name: "100%"}, []string{"/DC0/vm/100%25"}},
		{"unicode", vsphere.Filter{Name: "Z?rich *"}, []string{"/DC0/vm/прод/Zürich 東京"}},
		{"unicode folder", vsphere.Filter{Folder: "/DC0/vm/прод"}, []string{"/DC0/vm/прод/Zürich 東京"}},
		{"bracket", vsphere.Filter{Name: `\[x]`}, []string{"/DC0/vm/[x]"}},
		{"path", vsphere.Filter{Name: "/DC1/vm/*"}, []string{"/DC1/vm/DC1_C0_RP0_VM0", "/DC1/vm/DC1_C1_RP0_VM0"}},
		{"datacenter", vsphere.Filter{Datacenter: "DC1", States: []string{"poweredOn"}}, []string{"/DC1/vm/DC1_C0_RP0_VM0"}},
		{"cluster", vsphere.Filter{Cluster: "DC0_C1"}, []string{"/DC0/vm/DC0_C1_RP0_VM0"}},
		{"a cluster's template", vsphere.Filter{Cluster: "DC1_C1"}, []string{golden.Path}},
		{"folder and cluster", vsphere.Filter{Folder: "/DC0/vm", Cluster: "DC0_C1"}, []string{"/DC0/vm/DC0_C1_RP0_VM0"}},
		{"templates", vsphere.Filter{Templates: &yes}, []string{golden.Path}},
		{"no templates", vsphere.Filter{Datacenter: "DC1", Templates: &no}, []string{"/DC1/vm/DC1_C0_RP0_VM0"}},
		{"guest", vsphere.Filter{Guest: "rhel*"}, []string{"/DC0/vm/прод/Zürich 東京"}},
		{"guest's full name", vsphere.Filter{Guest: "Red Hat*"}, []string{"/DC0/vm/прод/Zürich 東京"}},
		{"suspended", vsphere.Filter{States: []string{"suspended"}}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.ListVMs(t.Context(), tt.filter)
			if diff := cmp.Diff(tt.want, vmPaths(got)); err != nil || diff != "" {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
	if vms, err := c.ListVMs(t.Context(), vsphere.Filter{Templates: &yes}); err != nil || !vms[0].Template || vms[0].Host == "" {
		t.Errorf("got %+v and %v, want a template on a host", vms, err)
	}
}

func TestListVMs_HundredsInPages(t *testing.T) {
	const n = 510 // a page has 250 objects: two more follow the first
	v := rig.VCenter(t, demo.Options{Hosts: 2, VMs: n})
	c := dial(t, v)
	before := v.Calls()
	vms, err := c.ListVMs(t.Context(), vsphere.Filter{Datacenter: "/DC0"})
	if err != nil {
		t.Fatal(err)
	}
	after := v.Calls()
	// Find the datacenter, make a view, three pages (the VMs and what is around them), destroy the view.
	if got := calls(before, after); got > 6 || after["ContinueRetrievePropertiesEx"]-before["ContinueRetrievePropertiesEx"] != 2 {
		t.Errorf("%d calls, want at most 6 with 2 further pages: %v", got, after)
	}
	names := map[string]bool{}
	for _, vm := range vms {
		if names[vm.Name] = true; vm.Cluster != "DC0_C0" || vm.Host == "" || len(vm.Disks) != 1 || !strings.HasSuffix(vm.ResourcePool, "/Resources") || len(vm.NICs) != 1 || vm.NICs[0].Network != "DC0_DVPG0" {
			t.Fatalf("got %+v", vm)
		}
	}
	if len(vms) != n || len(names) != n || !names[fmt.Sprintf("DC0_C0_RP0_VM%d", n-1)] {
		t.Errorf("got %d VMs of %d names, want %d", len(vms), len(names), n)
	}
}
