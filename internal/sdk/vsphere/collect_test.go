package vsphere

import (
	"context"
	"errors"
	"testing"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// interrupted calls strike after each container view that is made.
type interrupted struct {
	soap.RoundTripper
	strike func()
}

func (i interrupted) RoundTrip(ctx context.Context, req, res soap.HasFault) error {
	err := i.RoundTripper.RoundTrip(ctx, req, res)
	if _, ok := req.(*methods.CreateContainerViewBody); ok {
		i.strike()
	}
	return err
}

func TestList_SessionEndsUnderTheView(t *testing.T) {
	v := rig.VCenter(t, demo.Options{Hosts: 3, VMs: 1})
	c, err := Dial(t.Context(), Config{URL: v.URL(), Username: v.Username(), Password: Secret(v.Password()), CAFile: v.CAFile()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context()) //nolint:errcheck // the test is over
	struck := 0
	c.vim.RoundTripper = interrupted{c.session, func() {
		if struck++; struck == 1 {
			v.EndSessions()
		}
	}}
	hosts, err := c.ListHosts(t.Context(), Filter{})
	if err != nil || len(hosts) != 3 || struck != 2 {
		t.Errorf("got %d hosts by %d views and %v, want 3 by 2", len(hosts), struck, err)
	}

	// Every time is too often; and it is not said that the hosts do not exist.
	c.vim.RoundTripper = interrupted{c.session, func() { struck++; v.EndSessions() }}
	if _, err := c.GetHost(t.Context(), hosts[0].Name); err == nil || errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want an error that is not ErrNotFound", err)
	}
}

func TestIsGone(t *testing.T) {
	vm, pool := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-1"}, types.ManagedObjectReference{Type: "ResourcePool", Value: "resgroup-1"}
	missing := func(fault types.BaseMethodFault) types.ObjectContent {
		return types.ObjectContent{Obj: vm, MissingSet: []types.MissingProperty{{Path: "name", Fault: types.LocalizedMethodFault{Fault: fault}}}}
	}
	for _, tt := range []struct {
		name   string
		object types.ObjectContent
		want   bool
	}{
		{"itself", missing(&types.ManagedObjectNotFound{Obj: vm}), true},
		{"what it refers to", missing(&types.ManagedObjectNotFound{Obj: pool}), false},
		{"a property that may not be read", missing(&types.NoPermission{}), false},
		{"whole", types.ObjectContent{Obj: vm}, false},
	} {
		if got := isGone(tt.object); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestNewVMSummary_ConfigurationThatCannotBeRead(t *testing.T) {
	folder, host := types.ManagedObjectReference{Type: "Folder", Value: "group-v3"}, types.ManagedObjectReference{Type: "HostSystem", Value: "host-1"}
	m := &mo.VirtualMachine{Runtime: types.VirtualMachineRuntimeInfo{PowerState: "poweredOff", ConnectionState: "inaccessible", Host: &host}}
	m.Self, m.Name = types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-1"}, "a%2fb"
	root := types.ManagedObjectReference{Type: "Folder", Value: "group-d1"}
	around := surroundings{tree: tree{m.Self: {"a%2fb", &folder}, folder: {"vm", &root}, root: {"Datacenters", nil}, host: {"esx-1", &root}}}
	got := newVMSummary(m, host, around)
	if got.Name != "a/b" || got.Path != "/vm/a%2fb" || got.Folder != "/vm" || got.Host != "esx-1" || got.ConnectionState != "inaccessible" || got.InstanceUUID != "" || got.Disks == nil {
		t.Errorf("got %+v, want name, place and state, and empty lists", got)
	}
}

func TestNewTree_AVAppIsAmongTheVMs(t *testing.T) {
	folder, pool := types.ManagedObjectReference{Type: "Folder", Value: "group-v3"}, types.ManagedObjectReference{Type: "ResourcePool", Value: "resgroup-8"}
	app := types.ManagedObjectReference{Type: "VirtualApp", Value: "resgroup-v9"}
	got := newTree([]types.ObjectContent{{Obj: app, PropSet: []types.DynamicProperty{
		{Name: "name", Val: "app"}, {Name: "parent", Val: pool}, {Name: "parentFolder", Val: folder},
	}}})
	if parent := got[app].parent; parent == nil || *parent != folder {
		t.Errorf("got %v, want the folder", parent)
	}
}

func TestNewCluster_EVC(t *testing.T) {
	m := &mo.ClusterComputeResource{}
	m.Summary = &types.ClusterComputeResourceSummary{CurrentEVCModeKey: "intel-broadwell"}
	if got := newCluster(m, tree{}, nil); got.EVCMode != "intel-broadwell" || got.CPUDemandMHz != 0 {
		t.Errorf("got %+v, want the EVC mode and no demand", got)
	}
}
