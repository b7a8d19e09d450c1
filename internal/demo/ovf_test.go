package demo_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/ovf"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/rig"
)

func TestDescriptor_DescribesTheVM(t *testing.T) {
	g := demo.Guest{
		Path: "/DC0/vm/web-01", GuestID: "ubuntu64Guest", Firmware: "uefi", CPUs: 4, MemoryMB: 2048,
		Disks: []demo.GuestDisk{
			{Image: rig.Disk(t, 1<<20, rig.Text)},
			{Image: rig.Disk(t, 2<<20, rig.Text), Address: "scsi1:3", Controller: "lsilogic"},
			{Image: rig.Disk(t, 3<<20, rig.Text), Address: "sata0:1"},
			{Image: rig.Disk(t, 4<<20, rig.Text), Address: "ide1:0"},
			{Image: rig.Disk(t, 5<<20, rig.Text), Address: "nvme0:2"},
		},
		NICs: []demo.GuestNIC{{}, {Network: "VLAN 20 <prod>", Type: "e1000e", MAC: "00:50:56:01:02:03"}},
	}
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	vm := findVM(t, c, g.Path)
	_, info := export(t, vm)
	params := types.OvfCreateDescriptorParams{Name: "web-01", Description: "a <b> & c", ExportOption: []string{"mac"}}
	for _, item := range info.Items {
		file := item.File()
		file.Size = 1234
		params.OvfFiles = append(params.OvfFiles, file)
	}
	res, err := ovf.NewManager(c.Client).CreateDescriptor(t.Context(), vm, params)
	if err != nil {
		t.Fatal(err)
	}
	env, err := ovf.Unmarshal(strings.NewReader(res.OvfDescriptor))
	if err != nil {
		t.Fatalf("%v in\n%s", err, res.OvfDescriptor)
	}
	if diff := cmp.Diff(wantHardware, summary(env)); diff != "" {
		t.Errorf("descriptor (-want +got):\n%s\n%s", diff, res.OvfDescriptor)
	}
}

var wantHardware = []string{
	"file disk-0.vmdk 1234", "file disk-1.vmdk 1234", "file disk-2.vmdk 1234", "file disk-3.vmdk 1234", "file disk-4.vmdk 1234",
	"file nvram 1234",
	"disk vmdisk1 1048576 file1", "disk vmdisk2 2097152 file2", "disk vmdisk3 3145728 file3", "disk vmdisk4 4194304 file4",
	"disk vmdisk5 5242880 file5",
	"network VM Network", "network VLAN 20 <prod>",
	"os ubuntu64Guest", "annotation a <b> & c", "family vmx-20",
	"3 4", "4 2048",
	"5 IDE 1 at 1",
	"6 VirtualSCSI SCSI controller 0 at 0", "6 lsilogic SCSI controller 1 at 1",
	"20 vmware.sata.ahci SATA controller 0 at 0", "20 vmware.nvme.controller NVME controller 0 at 0",
	"17 ovf:/disk/vmdisk1 on SCSI controller 0:0", "17 ovf:/disk/vmdisk2 on SCSI controller 1:3",
	"17 ovf:/disk/vmdisk3 on SATA controller 0:1", "17 ovf:/disk/vmdisk4 on IDE 1:0", "17 ovf:/disk/vmdisk5 on NVME controller 0:2",
	"10 VmxNet3 VM Network", "10 E1000e VLAN 20 <prod> 00:50:56:01:02:03",
	"config firmware=efi", "extra nvram=ovf:/file/file6",
}

// summary writes an envelope down in lines.
func summary(env *ovf.Envelope) []string {
	var lines []string
	add := func(parts ...string) { lines = append(lines, strings.Join(parts, " ")) }
	for _, f := range env.References {
		add("file", f.Href, itoa(f.Size))
	}
	for _, d := range env.Disk.Disks {
		add("disk", d.DiskID, d.Capacity, *d.FileRef)
	}
	for _, n := range env.Network.Networks {
		add("network", n.Name)
	}
	vs := env.VirtualSystem
	add("os", *vs.OperatingSystem.OSType)
	add("annotation", vs.Annotation.Annotation)
	hw := vs.VirtualHardware[0]
	add("family", *hw.System.VirtualSystemType)
	names := map[string]string{}
	for _, item := range hw.Item {
		names[item.InstanceID] = item.ElementName
		kind := itoa(uint(*item.ResourceType))
		switch {
		case item.VirtualQuantity != nil:
			add(kind, itoa(*item.VirtualQuantity))
		case len(item.HostResource) > 0:
			add(kind, item.HostResource[0], "on", names[*item.Parent]+":"+*item.AddressOnParent)
		case len(item.Connection) > 0 && item.Address != nil && *item.Address == "00:50:56:01:02:03":
			add(kind, *item.ResourceSubType, item.Connection[0], *item.Address)
		case len(item.Connection) > 0:
			add(kind, *item.ResourceSubType, item.Connection[0])
		case item.ResourceSubType != nil:
			add(kind, *item.ResourceSubType, item.ElementName, "at", *item.Address)
		default:
			add(kind, item.ElementName, "at", *item.Address)
		}
	}
	for _, c := range hw.Config {
		add("config", c.Key+"="+c.Value)
	}
	for _, c := range hw.ExtraConfig {
		add("extra", c.Key+"="+c.Value)
	}
	return lines
}

func TestDescriptor_OnlyDevicesOfTheVM(t *testing.T) {
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{guest(t, webPath)}}))
	params := types.OvfCreateDescriptorParams{OvfFiles: []types.OvfFile{{DeviceId: "/vm-1/ParaVirtualSCSIController9:0", Path: "x.vmdk"}}}
	_, err := ovf.NewManager(c.Client).CreateDescriptor(t.Context(), findVM(t, c, webPath), params)
	wantFault[*types.InvalidArgument](t, err)
}

func TestDescriptor_OnlyTheDisksNamed(t *testing.T) {
	g := guest(t, webPath)
	g.Disks = append(g.Disks, demo.GuestDisk{Image: rig.Disk(t, 2<<20, rig.Zero)})
	c := login(t, rig.VCenter(t, demo.Options{Guests: []demo.Guest{g}}))
	vm := findVM(t, c, webPath)
	_, info := export(t, vm)
	params := types.OvfCreateDescriptorParams{OvfFiles: []types.OvfFile{info.Items[1].File()}}
	res, err := ovf.NewManager(c.Client).CreateDescriptor(t.Context(), vm, params)
	if err != nil {
		t.Fatal(err)
	}
	env, err := ovf.Unmarshal(strings.NewReader(res.OvfDescriptor))
	if err != nil {
		t.Fatal(err)
	}
	if len(env.Disk.Disks) != 1 || env.Disk.Disks[0].Capacity != "2097152" {
		t.Errorf("got disks %+v, want the second alone", env.Disk.Disks)
	}
}
