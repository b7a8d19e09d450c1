package vsphere_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func TestResolve(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{{Path: "/DC0/vm/über web/a%2fb", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Text)}}}}})
	c := dial(t, v)
	cases := []struct {
		kind vsphere.Kind
		ref  string
		want string // type of the object
	}{
		{vsphere.KindVM, "/DC0/vm/DC0_C0_RP0_VM0", "VirtualMachine"},
		{vsphere.KindVM, "DC0_C0_RP0_VM0", "VirtualMachine"},
		{vsphere.KindVM, "/DC0/vm/über web/a%2fb", "VirtualMachine"},
		{vsphere.KindVM, "a/b", "VirtualMachine"},
		{vsphere.KindFolder, "/DC0/vm/über web", "Folder"},
		{vsphere.KindFolder, "/DC0/vm", "Folder"},
		{vsphere.KindHost, "DC0_C0_H0", "HostSystem"},
		{vsphere.KindCluster, "/DC0/host/DC0_C0", "ClusterComputeResource"},
		{vsphere.KindCluster, "DC0_C0", "ClusterComputeResource"},
		{vsphere.KindDatacenter, "/DC0", "Datacenter"},
		{vsphere.KindDatacenter, "DC0", "Datacenter"},
		{vsphere.KindResourcePool, "/DC0/host/DC0_C0/Resources", "ResourcePool"},
		{vsphere.KindResourcePool, "/DC0/host/DC0_C0", "ResourcePool"},
		{vsphere.KindResourcePool, "/DC0/host/DC0_C0/DC0_C0_H0", "ResourcePool"},
		{vsphere.KindDatastore, "/DC0/datastore/LocalDS_0", "Datastore"},
		{vsphere.KindDatastore, " LocalDS_0 ", "Datastore"},
		{vsphere.KindNetwork, "/DC0/network/VM Network", "Network"},
		{vsphere.KindNetwork, "DC0_DVPG0", "DistributedVirtualPortgroup"},
	}
	for _, tc := range cases {
		t.Run(string(tc.kind)+" "+strings.ReplaceAll(tc.ref, "/", "|"), func(t *testing.T) {
			found, err := c.Resolve(t.Context(), tc.kind, tc.ref)
			if err != nil {
				t.Fatal(err)
			}
			if found.Type != tc.want {
				t.Errorf("found %v, want a %s", found, tc.want)
			}
			again, err := c.Resolve(t.Context(), tc.kind, found.Value)
			if err != nil || again != found {
				t.Errorf("by its id: %v, %v; want %v", again, err, found)
			}
		})
	}
}

func TestResolve_Refusals(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Guests: []demo.Guest{
		{Path: "/DC0/vm/a/twin", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Text)}}},
		{Path: "/DC0/vm/b/twin", Disks: []demo.GuestDisk{{Image: rig.Disk(t, 1<<20, rig.Text)}}},
	}})
	c := dial(t, v)
	cases := []struct {
		name, ref string
		kind      vsphere.Kind
		want      error
		says      string
	}{
		{"empty", " ", vsphere.KindFolder, sdk.ErrInvalid, "no folder named"},
		{"unknown name", "DC0_C0_H9", vsphere.KindHost, sdk.ErrNotFound, "did you mean DC0_C0_H0"},
		{"unknown leaf", "/DC0/vm/a/nobody", vsphere.KindVM, sdk.ErrNotFound, `/DC0/vm/a exists and has no "nobody" in it`},
		{"unknown middle", "/DC0/vm/c/nobody", vsphere.KindVM, sdk.ErrNotFound, `/DC0/vm exists and has no "c" in it`},
		{"unknown top", "/DC9/vm/c", vsphere.KindVM, sdk.ErrNotFound, `there is no "DC9" at the top`},
		{"another kind", "/DC0/vm/a", vsphere.KindDatastore, sdk.ErrInvalid, "it is a Folder, not a datastore"},
		{"no pool", "/DC0/vm/a", vsphere.KindResourcePool, sdk.ErrInvalid, "it is a Folder, not a resource pool"},
		{"ambiguous", "twin", vsphere.KindVM, sdk.ErrInvalid, "say which one: /DC0/vm/a/twin, /DC0/vm/b/twin"},
		{"unknown id", "vm-99999", vsphere.KindVM, sdk.ErrNotFound, "no VM has that name"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := c.Resolve(t.Context(), tc.kind, tc.ref)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			if text := err.Error() + strings.Join(sdk.Hints(err), " "); !strings.Contains(text, tc.says) {
				t.Errorf("error %q does not say %q", text, tc.says)
			}
		})
	}
}

func TestResolve_AsksOnce(t *testing.T) {
	v := rig.VCenter(t, demo.Options{})
	c := dial(t, v)
	before := v.Calls()
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if _, err := c.Resolve(t.Context(), vsphere.KindFolder, "/DC0/vm"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := calls(before, v.Calls()); got != 1 {
		t.Errorf("50 questions made %d calls, want 1", got)
	}
	found, err := c.Resolve(t.Context(), vsphere.KindFolder, "/DC0/vm")
	if err != nil {
		t.Fatal(err)
	}
	c.Forget(found)
	if _, err := c.Resolve(t.Context(), vsphere.KindFolder, "/DC0/vm"); err != nil {
		t.Fatal(err)
	}
	if got := calls(before, v.Calls()); got != 2 {
		t.Errorf("after Forget: %d calls, want 2", got)
	}
}
