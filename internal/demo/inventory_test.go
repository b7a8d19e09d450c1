package demo_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func TestAbout_IsAVCenter8(t *testing.T) {
	about := dial(t, rig.VCenter(t, demo.Options{})).ServiceContent.About
	if about.Version != "8.0.3" || about.ApiVersion != "8.0.3.0" || about.ApiType != "VirtualCenter" {
		t.Errorf("got %+v, want a vCenter 8.0.3", about)
	}
}

// identities lists who is who: the vCenter, every VM by path with its reference and UUIDs.
func identities(t *testing.T, c *govmomi.Client) []string {
	t.Helper()
	v, err := view.NewManager(c.Client).CreateContainerView(t.Context(), c.ServiceContent.RootFolder, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	var vms []mo.VirtualMachine
	if err := v.Retrieve(t.Context(), []string{"VirtualMachine"}, []string{"name", "config.uuid", "config.instanceUuid", "config.hardware.device"}, &vms); err != nil {
		t.Fatal(err)
	}
	ids := []string{c.ServiceContent.About.InstanceUuid}
	for _, vm := range vms {
		id := fmt.Sprint(vm.Self.Value, " ", vm.Name, " ", vm.Config.Uuid, " ", vm.Config.InstanceUuid)
		for _, d := range object.VirtualDeviceList(vm.Config.Hardware.Device).SelectByType((*types.VirtualEthernetCard)(nil)) {
			id += " " + d.(types.BaseVirtualEthernetCard).GetVirtualEthernetCard().MacAddress
		}
		ids = append(ids, id)
	}
	slices.Sort(ids[1:])
	return ids
}

func TestRestart_IsTheSameVCenter(t *testing.T) {
	disk := rig.Disk(t, 1<<20, rig.Text)
	opts := demo.Options{Guests: []demo.Guest{
		{Path: "/DC0/vm/prod/web-01", PoweredOn: true, Disks: []demo.GuestDisk{{Image: disk}}, NICs: []demo.GuestNIC{{Network: "blue"}, {}}},
		{Path: "/DC0/vm/prod/web-02", Disks: []demo.GuestDisk{{Image: disk}}},
	}}
	var runs [2][]string
	for i := range runs {
		opts.Faults.CutAfter = int64(i) // faults are no part of the identity
		v := rig.VCenter(t, opts)
		runs[i] = identities(t, login(t, v))
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(runs[0], runs[1]); diff != "" {
		t.Errorf("second run differs (-first +second):\n%s", diff)
	}
	other := login(t, rig.VCenter(t, demo.Options{}))
	if other.ServiceContent.About.InstanceUuid == runs[0][0] {
		t.Error("a vCenter with other guests has the same instance UUID")
	}
}

func TestGuest_FoundUnderAnyName(t *testing.T) {
	disk := rig.Disk(t, 1<<20, rig.Zero)
	paths := []string{
		"/DC0/vm/with space", "/DC0/vm/a%2fb", "/DC0/vm/100%25", "/DC0/vm/прод/Zürich 東京", "/DC0/vm/same", "/DC0/vm/f/same", `/DC0/vm/back%5cslash`,
	}
	var opts demo.Options
	for _, p := range paths {
		opts.Guests = append(opts.Guests, demo.Guest{Path: p, Disks: []demo.GuestDisk{{Image: disk}}})
	}
	v := rig.VCenter(t, opts)
	c := login(t, v)
	for _, p := range paths {
		vm := findVM(t, c, p)
		_, info := export(t, vm)
		res, _, err := get(t, c, "GET", info.DeviceUrl[0].Url, nil)
		if err != nil || res.StatusCode != 200 {
			t.Errorf("%s: got %v and %v, want 200", p, res, err)
		}
		flat := diskPath(t, c, vm)
		res, body, err := get(t, c, "GET", folderURL(t, v, flat), basicAuth(v))
		if err != nil || res.StatusCode != 200 || len(body) != 1<<20 {
			t.Errorf("%s: got %v, %v and %d bytes at %q, want the flat disk", p, res, err, len(body), flat)
		}
	}
}

// diskPath is the path of the first disk's extent on its datastore, as a client derives it.
func diskPath(t *testing.T, c *govmomi.Client, vm *object.VirtualMachine) string {
	t.Helper()
	props := properties(t, c, vm.Reference(), "config.hardware.device")
	disk := object.VirtualDeviceList(props.Config.Hardware.Device).SelectByType((*types.VirtualDisk)(nil))[0]
	var p object.DatastorePath
	p.FromString(disk.GetVirtualDevice().Backing.(*types.VirtualDiskFlatVer2BackingInfo).FileName)
	return p.Path[:len(p.Path)-len(".vmdk")] + "-flat.vmdk"
}

func TestGuest_HardwareIsAsAsked(t *testing.T) {
	disk := rig.Disk(t, 1<<20, rig.Zero)
	g := demo.Guest{
		Path: "/DC0/vm/all", Firmware: "uefi", CPUs: 3, MemoryMB: 3072,
		Disks: []demo.GuestDisk{
			{Image: disk}, {Image: disk}, {Image: disk, Address: "scsi1:0", Controller: "lsilogic"},
			{Image: disk, Address: "scsi2:15", Controller: "lsisas"}, {Image: disk, Address: "scsi3:1", Controller: "buslogic"},
			{Image: disk, Address: "sata1:29"}, {Image: disk, Address: "ide0:1"}, {Image: disk, Address: "nvme3:14"},
		},
		NICs: []demo.GuestNIC{{MAC: "00:50:56:AA:bb:cc"}, {Network: "blue", Type: "e1000"}, {Network: "blue", Type: "e1000e"}},
	}
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	vm := properties(t, c, findVM(t, c, g.Path).Reference(), "config")
	got := []string{fmt.Sprint(vm.Config.Firmware, " ", vm.Config.Hardware.NumCPU, " ", vm.Config.Hardware.MemoryMB, " ", vm.Config.GuestFullName)}
	devices := object.VirtualDeviceList(vm.Config.Hardware.Device)
	for _, d := range devices {
		dev := d.GetVirtualDevice()
		switch d := d.(type) {
		case *types.VirtualDisk:
			b := dev.Backing.(*types.VirtualDiskFlatVer2BackingInfo)
			parent := devices.FindByKey(dev.ControllerKey)
			got = append(got, fmt.Sprintf("%s %d %s %d %s:%d thin=%v", dev.DeviceInfo.GetDescription().Label, dev.Key, b.FileName,
				d.CapacityInBytes, devices.Type(parent), *dev.UnitNumber, *b.ThinProvisioned))
		case types.BaseVirtualEthernetCard:
			got = append(got, fmt.Sprintf("%s %d %s %s", dev.DeviceInfo.GetDescription().Label, dev.Key, devices.Type(d.(types.BaseVirtualDevice)),
				d.GetVirtualEthernetCard().MacAddress))
		}
	}
	want := []string{
		"efi 3 3072 Debian GNU/Linux 12 (64-bit)",
		"Hard disk 1 2000 [LocalDS_0] all/all.vmdk 1048576 pvscsi:0 thin=true",
		"Hard disk 2 2001 [LocalDS_0] all/all_1.vmdk 1048576 pvscsi:1 thin=true",
		"Hard disk 3 2016 [LocalDS_0] all/all_2.vmdk 1048576 lsilogic:0 thin=true",
		"Hard disk 4 2047 [LocalDS_0] all/all_3.vmdk 1048576 lsilogic-sas:15 thin=true",
		"Hard disk 5 2049 [LocalDS_0] all/all_4.vmdk 1048576 buslogic:1 thin=true",
		"Hard disk 6 16059 [LocalDS_0] all/all_5.vmdk 1048576 ahci:29 thin=true",
		"Hard disk 7 3001 [LocalDS_0] all/all_6.vmdk 1048576 ide:1 thin=true",
		"Hard disk 8 32059 [LocalDS_0] all/all_7.vmdk 1048576 nvme:14 thin=true",
		"Network adapter 1 4000 ethernet 00:50:56:aa:bb:cc",
	}
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Errorf("hardware (-want +got):\n%s", diff)
	}
	if got, want := len(got), len(want)+2; got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
}

func TestGuest_ToolsFollowThePower(t *testing.T) {
	g := guest(t, webPath)
	g.Hostname, g.IPs, g.PoweredOn = "web-01.example", []string{"192.0.2.7", "2001:db8::7"}, true
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	vm := findVM(t, c, webPath)

	on := properties(t, c, vm.Reference(), "guest", "summary.guest").Guest
	if on.ToolsRunningStatus != "guestToolsRunning" || on.HostName != g.Hostname || on.IpAddress != "192.0.2.7" ||
		len(on.Net) != 1 || !slices.Equal(on.Net[0].IpAddress, g.IPs) || on.Net[0].Network != "VM Network" {
		t.Errorf("running: got %+v", on)
	}
	if err := vm.ShutdownGuest(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state, err := vm.PowerState(t.Context()); err != nil || state != types.VirtualMachinePowerStatePoweredOn {
		t.Errorf("right after the call: got %v and %v, want still on", state, err)
	}
	if err := vm.WaitForPowerState(t.Context(), types.VirtualMachinePowerStatePoweredOff); err != nil {
		t.Fatal(err)
	}
	off := properties(t, c, vm.Reference(), "guest").Guest
	if off.ToolsRunningStatus != "guestToolsNotRunning" || off.HostName != g.Hostname || off.IpAddress != "" || len(off.Net) != 0 {
		t.Errorf("off: got %+v, want only the last hostname", off)
	}
	wantFault[*types.InvalidPowerState](t, vm.ShutdownGuest(t.Context()))

	task, err := vm.PowerOn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := task.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	again := properties(t, c, vm.Reference(), "guest").Guest
	if again.ToolsRunningStatus != "guestToolsRunning" || len(again.Net) != 1 {
		t.Errorf("on again: got %+v", again)
	}
}

func TestShutdownGuest_NeedsTools(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{}))
	wantFault[*types.ToolsUnavailable](t, findVM(t, c, "/DC0/vm/DC0_C0_RP0_VM0").ShutdownGuest(t.Context()))
}
