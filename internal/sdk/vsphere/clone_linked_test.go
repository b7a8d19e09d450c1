package vsphere_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"net/url"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// plain is an ordinary govmomi client, for what others do at a vCenter.
func plain(t testing.TB, v *demo.VCenter) *govmomi.Client {
	t.Helper()
	u, err := soap.ParseURL(v.URL())
	if err != nil {
		t.Fatal(err)
	}
	sc := soap.NewClient(u, true)
	vc, err := vim25.NewClient(t.Context(), sc)
	if err != nil {
		t.Fatal(err)
	}
	c := &govmomi.Client{Client: vc, SessionManager: session.NewManager(vc)}
	if err := c.Login(t.Context(), url.UserPassword(v.Username(), v.Password())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sc.CloseIdleConnections)
	return c
}

func plainVM(t testing.TB, c *govmomi.Client, vm *vsphere.VM) *object.VirtualMachine {
	t.Helper()
	return object.NewVirtualMachine(c.Client, types.ManagedObjectReference{Type: "VirtualMachine", Value: vm.Ref})
}

func finishedTask(t testing.TB, task *object.Task, err error) {
	t.Helper()
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestClone_Linked(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	source := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "source"})
	vm := plainVM(t, plain(t, s.v), source)
	task, err := vm.CreateSnapshot(t.Context(), "base", "", false, false)
	finishedTask(t, task, err)
	task, err = vm.CreateSnapshot(t.Context(), "later", "", false, false)
	finishedTask(t, task, err)

	for name, snapshot := range map[string]string{"by-name": "base", "by-path": "base/later", "current": ""} {
		linked := s.clone(t, vsphere.CloneSpec{SourceVM: source.Ref, TargetName: name, LinkedClone: true, Snapshot: snapshot, PowerOn: true})
		if d := linked.Disks[0]; !d.HasParent || !strings.Contains(d.ParentFile, "source") || d.CapacityBytes != source.Disks[0].CapacityBytes {
			t.Errorf("%s: got disk %+v, want a child of the source's", name, d)
		}
	}
	_, err = s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: source.Ref, TargetName: "x", LinkedClone: true, Snapshot: "bas"}, nil)
	if !errors.Is(err, sdk.ErrNotFound) || !strings.Contains(strings.Join(sdk.Hints(err), " "), "base/later") {
		t.Errorf("got %v %q, want ErrNotFound with the snapshots", err, sdk.Hints(err))
	}
	_, err = s.c.Clone(t.Context(), vsphere.CloneSpec{
		SourceVM: source.Ref, TargetName: "x", LinkedClone: true,
		VMSettings: vsphere.VMSettings{Disks: map[string]vsphere.DiskSettings{"scsi0:0": {SizeGB: 20}}},
	}, nil)
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "parent") {
		t.Errorf("got %v, want a size refused on a linked disk", err)
	}
	full := s.clone(t, vsphere.CloneSpec{SourceVM: source.Ref, TargetName: "full", Snapshot: "base"})
	if full.Disks[0].HasParent {
		t.Errorf("got %+v, want a full clone without a parent", full.Disks[0])
	}
}

func TestClone_SnapshotTakenAfterTheSourceWasRead(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	spec := vsphere.CloneSpec{SourceVM: stockVM, TargetName: "linked", LinkedClone: true}
	if _, err := s.c.Clone(t.Context(), spec, nil); !errors.Is(err, sdk.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
	task, err := plainVM(t, plain(t, s.v), s.vm(t, stockVM)).CreateSnapshot(t.Context(), "base", "", false, false)
	finishedTask(t, task, err)
	if vm := s.clone(t, spec); !vm.Disks[0].HasParent {
		t.Errorf("got %+v, want a linked disk", vm.Disks[0])
	}
}

func TestClone_OfATemplate(t *testing.T) {
	s := newCloneScene(t, demo.Options{})
	template := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "golden", Template: true})
	if !template.Template || template.ResourcePool != "" {
		t.Fatalf("got %+v, want a template", template)
	}
	_, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: "golden", TargetName: "x"}, nil)
	if !errors.Is(err, sdk.ErrInvalid) || len(sdk.Hints(err)) == 0 {
		t.Errorf("got %v, want ErrInvalid that asks for a pool", err)
	}
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: template.InstanceUUID, TargetName: "x", Host: "/DC0/host/DC0_C0/DC0_C0_H0", PowerOn: true})
	if vm.Template || vm.PowerState != "poweredOn" || vm.HostPath != "/DC0/host/DC0_C0/DC0_C0_H0" || vm.ResourcePool != "/DC0/host/DC0_C0/Resources" {
		t.Errorf("got %+v", vm)
	}
}

func TestClone_DatastoresAndClusters(t *testing.T) {
	s := newCloneScene(t, demo.Options{Hosts: 1, VMs: 1, Datastores: 3, DatastoreCluster: true})
	vm := s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "clustered", DatastoreCluster: "DC0_POD0"})
	if vm.Datastore == "LocalDS_0" || vm.DatastoreCluster != "/DC0/datastore/DC0_POD0" || vm.Disks[0].Datastore != vm.Datastore {
		t.Errorf("got %s in %q, disk on %s; want one of the cluster's", vm.Datastore, vm.DatastoreCluster, vm.Disks[0].Datastore)
	}
	if got := s.v.Calls()["RecommendDatastores"]; got != 1 {
		t.Errorf("got %d recommendations, want 1", got)
	}
	vm = s.clone(t, vsphere.CloneSpec{SourceVM: stockVM, TargetName: "spread", Datastore: "LocalDS_0",
		VMSettings: vsphere.VMSettings{Disks: map[string]vsphere.DiskSettings{"scsi0:0": {Datastore: "LocalDS_1"}, "scsi0:1": {SizeGB: 1, Datastore: "LocalDS_2"}}}})
	if vm.Datastore != "LocalDS_0" || vm.Disks[0].Datastore != "LocalDS_1" || vm.Disks[1].Datastore != "LocalDS_2" {
		t.Errorf("got %s, %+v", vm.Datastore, vm.Disks)
	}
	_, err := s.c.Clone(t.Context(), vsphere.CloneSpec{SourceVM: stockVM, TargetName: "x", DatastoreCluster: "none"}, nil)
	if !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func newFolder(t testing.TB, c *govmomi.Client, parent types.ManagedObjectReference, name string) (*object.Folder, error) {
	t.Helper()
	return object.NewFolder(c.Client, parent).CreateFolder(t.Context(), name)
}
