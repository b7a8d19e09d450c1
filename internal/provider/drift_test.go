package provider

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// drift is a change behind Terraform's back, and what the next plan has to change because of it.
type drift struct {
	change func()
	plans  []string // attributes, with dots inside nested ones
}

// follow makes one change after the other, without putting any right: each plan has to show all that went before and just the
// attributes of the new one. Then one apply puts everything right.
func (w *workspace) follow(address string, drifts []drift) {
	w.t.Helper()
	planned := map[string]bool{}
	for i, d := range drifts {
		d.change()
		for _, attribute := range d.plans {
			planned[attribute] = true
		}
		got, want := w.planned(address), slices.Sorted(maps.Keys(planned))
		if !slices.Equal(got, want) {
			w.t.Fatalf("after change %d, of %v, the plan changes\n%v\nwant\n%v", i, d.plans, got, want)
		}
	}
	w.apply()
}

// planned is what a plan changes of a resource in place, sorted; what is known only after the apply is left out.
func (w *workspace) planned(address string) []string {
	w.t.Helper()
	w.terraform(0, "plan", "-input=false", "-out=drift.plan")
	var plan struct {
		Changes []struct {
			Address string
			Change  struct {
				Actions       []string
				Before, After map[string]any
				Unknown       map[string]any `json:"after_unknown"`
			}
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal([]byte(w.terraform(0, "show", "-json", "drift.plan")), &plan); err != nil {
		w.t.Fatal(err)
	}
	var changed []string
	for _, c := range plan.Changes {
		if c.Address != address {
			continue
		}
		if !slices.Equal(c.Change.Actions, []string{"update"}) {
			w.t.Fatalf("the plan is to %v %s", c.Change.Actions, address)
		}
		changed = append(changed, differences("", c.Change.Before, c.Change.After, c.Change.Unknown)...)
	}
	slices.Sort(changed)
	return changed
}

// differences are the paths of the leaves that differ. An element of a map that only one side has is one leaf.
func differences(at string, before, after, unknown map[string]any) []string {
	var all []string
	keys := maps.Clone(before)
	maps.Copy(keys, after)
	for key := range keys {
		was, is := before[key], after[key]
		a, nested := was.(map[string]any)
		b, too := is.(map[string]any)
		later, _ := unknown[key].(map[string]any)
		switch {
		case unknown[key] == true:
		case nested && too:
			all = append(all, differences(at+key+".", a, b, later)...)
		case !reflect.DeepEqual(was, is):
			all = append(all, at+key)
		}
	}
	return all
}

func TestClone_DriftOfEachAttributeIsPlannedBack(t *testing.T) {
	b := cloneBenchOf(t, demo.Options{Datastores: 2, Guests: []demo.Guest{golden(t), guestAt(t, "/DC0/vm/elsewhere/other")}})
	b.define(goldenPath, types.VAppPropertyInfo{Key: 1, Id: "hostname", Type: "string", UserConfigurable: types.NewBool(true), DefaultValue: "localhost"})
	b.defineLabels("VirtualMachine", "owner")
	for _, name := range []string{"a", "b"} {
		_, err := b.c.CreateResourcePool(t.Context(), vsphere.ResourcePoolSpec{Name: name, Parent: poolCluster})
		b.must(err)
	}
	w := newWorkspace(t, b.config(
		`folder = "/DC0/vm"`, `resource_pool = "/DC0/host/DC0_C0/Resources/a"`, `host = "/DC0/host/DC0_C0/DC0_C0_H0"`, `datastore = "LocalDS_0"`,
		`cpus = 4`, `cores_per_socket = 2`, `memory = 1024`, `annotation = "ours"`, `allow_restart = true`,
		`cpu_allocation = { reservation = 100, limit = 2000, shares = "custom", share_count = 1000 }`,
		`memory_allocation = { reservation = 64, limit = 4096, shares = "normal" }`,
		`disks = { "scsi0:1" = { size = 1, mode = "persistent" }, "scsi0:2" = { size = 1, on_remove = "delete" } }`,
		`networks = { "0" = { network = "VM Network" }, "1" = { network = "VM Network", type = "vmxnet3", mac = "00:50:56:00:00:42" }, "2" = { network = "VM Network" } }`,
		`cdrom = { client = true }`, `extra_config = { "guestinfo.a" = "1", "guestinfo.b" = "2" }`, `vapp_properties = { hostname = "web-01" }`,
		`cloud_init = { metadata = "instance-id: a" }`, `tags = ["env/prod"]`, `custom_attributes = { owner = "ops" }`,
	))
	w.apply()
	vm := b.vm(clonePath)
	ref := machineReference(vm.Ref)
	change := func(spec vsphere.UpdateVMSpec) func() { return func() { b.change(vm.Ref, spec) } }
	sets := func(s vsphere.VMSettings) func() { return change(vsphere.UpdateVMSpec{VMSettings: s}) }
	theirs := "theirs"
	disk := func(slot string, d vsphere.DiskSettings) func() {
		return sets(vsphere.VMSettings{Disks: map[string]vsphere.DiskSettings{slot: d}})
	}
	nic := func(slot string, n vsphere.NICSettings) func() {
		return sets(vsphere.VMSettings{NICs: map[string]vsphere.NICSettings{slot: n}})
	}
	extra := func(key, value string) func() {
		return sets(vsphere.VMSettings{ExtraConfig: map[string]string{key: value}})
	}
	w.follow(cloneAddress, []drift{
		{change(vsphere.UpdateVMSpec{Name: "renamed"}), []string{"name"}},
		{change(vsphere.UpdateVMSpec{Folder: "/DC0/vm/elsewhere"}), []string{"folder"}},
		{change(vsphere.UpdateVMSpec{ResourcePool: "/DC0/host/DC0_C0/Resources/b"}), []string{"resource_pool"}},
		{change(vsphere.UpdateVMSpec{Host: "/DC0/host/DC0_C0/DC0_C0_H2"}), []string{"host"}},
		{change(vsphere.UpdateVMSpec{Datastore: "LocalDS_1"}), []string{"datastore"}},
		{sets(vsphere.VMSettings{CPUs: 2}), []string{"cpus"}},
		{sets(vsphere.VMSettings{CoresPerSocket: 1}), []string{"cores_per_socket"}},
		{sets(vsphere.VMSettings{MemoryMB: 2048}), []string{"memory"}},
		{sets(vsphere.VMSettings{Annotation: &theirs}), []string{"annotation"}},
		{sets(vsphere.VMSettings{CPUAllocation: &vsphere.VMAllocation{Reservation: types.NewInt64(50)}}), []string{"cpu_allocation.reservation"}},
		{sets(vsphere.VMSettings{CPUAllocation: &vsphere.VMAllocation{Limit: types.NewInt64(-1)}}), []string{"cpu_allocation.limit"}},
		{sets(vsphere.VMSettings{CPUAllocation: &vsphere.VMAllocation{Shares: "custom", ShareCount: 1001}}), []string{"cpu_allocation.share_count"}},
		{sets(vsphere.VMSettings{MemoryAllocation: &vsphere.VMAllocation{Reservation: types.NewInt64(0)}}), []string{"memory_allocation.reservation"}},
		{sets(vsphere.VMSettings{MemoryAllocation: &vsphere.VMAllocation{Limit: types.NewInt64(8192)}}), []string{"memory_allocation.limit"}},
		{sets(vsphere.VMSettings{MemoryAllocation: &vsphere.VMAllocation{Shares: "low"}}), []string{"memory_allocation.shares"}},
		{disk("scsi0:1", vsphere.DiskSettings{Mode: "independent_persistent"}), []string{"disks.scsi0:1.mode"}},
		{change(vsphere.UpdateVMSpec{RemoveDisks: map[string]vsphere.DiskRemoval{"scsi0:2": vsphere.DeleteDisk}}), []string{"disks.scsi0:2"}},
		{nic("0", vsphere.NICSettings{Network: "DC0_DVPG0"}), []string{"networks.0.network"}},
		{nic("1", vsphere.NICSettings{MAC: "00:50:56:00:00:43"}), []string{"networks.1.mac"}},
		{nic("1", vsphere.NICSettings{Type: "e1000e"}), []string{"networks.1.type"}},
		{change(vsphere.UpdateVMSpec{RemoveNICs: []string{"2"}}), []string{"networks.2"}},
		{sets(vsphere.VMSettings{CDROM: &vsphere.CDROMSettings{ISO: "[LocalDS_0] iso/x.iso"}}), []string{"cdrom.client", "cdrom.iso"}},
		{extra("guestinfo.a", "theirs"), []string{"extra_config.guestinfo.a"}},
		{extra("guestinfo.b", ""), []string{"extra_config.guestinfo.b"}},
		{sets(vsphere.VMSettings{VAppProperties: map[string]string{"hostname": "theirs"}}), []string{"vapp_properties.hostname"}},
		{extra("guestinfo.metadata", "theirs"), []string{"cloud_init.metadata"}},
		{func() { b.must(b.c.SetTags(t.Context(), ref, nil, []string{"env/prod"})) }, []string{"tags"}},
		{func() {
			b.must(b.c.SetCustomAttributes(t.Context(), ref, "VM", map[string]string{"owner": "nobody"}, nil))
		}, []string{"custom_attributes.owner"}},
		{func() { b.must(b.c.PowerOnVM(t.Context(), b.vm(vm.Ref))) }, []string{"power"}},
	})
	if now := b.vm(clonePath); now.InstanceUUID != vm.InstanceUUID || now.PowerState != "poweredOff" || len(now.NICs) != 3 {
		t.Errorf("it is not the VM it was: %+v", now)
	}
	disk("scsi0:1", vsphere.DiskSettings{SizeGB: 2})() // what nobody can take back is said
	if said := w.terraform(1, "plan", "-input=false"); !strings.Contains(said, "A disk cannot shrink") {
		t.Errorf("a disk that others enlarged: %s", said)
	}
}

func TestResourcePool_DriftOfEachAttributeIsPlannedBack(t *testing.T) {
	b := newPoolBench(t, demo.Options{})
	b.defineLabels("ResourcePool", "owner")
	b.create(vsphere.ResourcePoolSpec{Name: "elsewhere", Parent: poolCluster})
	w := newWorkspace(t, b.pool(named, inRoot, `cpu = { reservation = 200, limit = 800, shares = "custom", share_count = 50 }`,
		`memory = { reservation = 100, expandable = false }`, `scale_descendants_shares = "disabled"`, `tags = ["env/prod"]`, `custom_attributes = { owner = "ops" }`))
	w.apply()
	pool := b.get(poolRoot + "/prod")
	change := func(spec vsphere.UpdateResourcePoolSpec) func() { return func() { b.change(pool.Ref, spec) } }
	w.follow(poolAddress, []drift{
		{change(vsphere.UpdateResourcePoolSpec{Name: new("other")}), []string{"name"}},
		{change(vsphere.UpdateResourcePoolSpec{CPUReservationMHz: types.NewInt64(100)}), []string{"cpu.reservation"}},
		{change(vsphere.UpdateResourcePoolSpec{CPULimitMHz: types.NewInt64(-1)}), []string{"cpu.limit"}},
		{change(vsphere.UpdateResourcePoolSpec{CPUExpandable: types.NewBool(false)}), []string{"cpu.expandable"}},
		{change(vsphere.UpdateResourcePoolSpec{CPUShareCount: types.NewInt32(51)}), []string{"cpu.share_count"}},
		{change(vsphere.UpdateResourcePoolSpec{CPUShares: new("low")}), []string{"cpu.shares"}},
		{change(vsphere.UpdateResourcePoolSpec{MemoryReservationMB: types.NewInt64(0)}), []string{"memory.reservation"}},
		{change(vsphere.UpdateResourcePoolSpec{MemoryLimitMB: types.NewInt64(500)}), []string{"memory.limit"}},
		{change(vsphere.UpdateResourcePoolSpec{MemoryExpandable: types.NewBool(true)}), []string{"memory.expandable"}},
		{change(vsphere.UpdateResourcePoolSpec{MemoryShares: new("high")}), []string{"memory.shares"}},
		{change(vsphere.UpdateResourcePoolSpec{ScaleDescendantsShares: new(vsphere.ScaleCPUAndMemory)}), []string{"scale_descendants_shares"}},
		{func() { b.must(b.c.SetTags(t.Context(), pool.Reference(), nil, []string{"env/prod"})) }, []string{"tags"}},
		{func() {
			b.must(b.c.SetCustomAttributes(t.Context(), pool.Reference(), "resource pool", map[string]string{"owner": "nobody"}, nil))
		}, []string{"custom_attributes.owner"}},
		{change(vsphere.UpdateResourcePoolSpec{Parent: new(poolRoot + "/elsewhere")}), []string{"parent"}},
	})
	if now := b.get(poolRoot + "/prod"); now.Ref != pool.Ref || now.CPU() != pool.CPU() || now.Memory() != pool.Memory() {
		t.Errorf("got %+v, want the pool as it was, %+v", now, pool)
	}
}
