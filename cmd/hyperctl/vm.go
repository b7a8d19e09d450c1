package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func vmCommand() *cobra.Command {
	return cli.Noun("vm", "Virtual machines", vmList(), vmInfo(), vmPower(), vmSnapshot(), vmPool(), vmNetwork(), vmDelete())
}

func vmInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info NAME",
		Short:   "Show one VM with its disks, adapters and snapshots",
		Example: "  hyperctl vm info web-01\n  hyperctl vm -op info -name /DC0/vm/web-01 -json",
		Args:    cli.MaxArgs(1),
	}
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	name := nameFlag(cmd, conn, "vm", vmNameUsage)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("VM", *name, args)
		if err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			vm, err := client.GetVM(ctx, wanted)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), vmView(vm))
		})
	}
	return cmd
}

const vmNameUsage = "the VM's `NAME`, inventory path, moref or instance UUID, as a flag"

func vmView(vm *vsphere.VM) cli.View {
	return cli.View{Value: vm, Table: vmTable(vm), More: []cli.Section{
		{Title: "Disks", Table: disksTable(vm.Disks)},
		{Title: "Adapters", Table: nicsTable(vm)},
		{Title: "Snapshots", Table: snapshotsTable(vm.Snapshots)},
	}}
}

func vmTable(vm *vsphere.VM) cli.Table {
	return cli.Details(
		"Name", vm.Name,
		"Path", vm.Path,
		"Reference", vm.Ref,
		"Instance UUID", vm.InstanceUUID,
		"Datacenter", vm.Datacenter,
		"Host", vm.Host,
		"Kind", vmKind(vm),
		"Power", vm.PowerState,
		"Connection", vm.ConnectionState,
		"Guest", vm.GuestFullName,
		"Hostname", vm.Hostname,
		"VMware Tools", vm.ToolsStatus,
		"CPUs", fmt.Sprintf("%d, %d a socket", vm.CPUs, max(1, vm.CoresPerSocket)),
		"Memory", sdk.FormatBytes(vm.MemoryMB<<20),
		"Firmware", vmFirmware(vm),
		"Change tracking", yesNo(vm.CBT),
		"Passed through", strings.Join(append(append([]string{}, vm.Passthrough...), vm.USB...), ", "),
		"Annotation", vm.Annotation,
	)
}

func vmKind(vm *vsphere.VM) string {
	if vm.Template {
		return "template"
	}
	return "VM"
}

func vmFirmware(vm *vsphere.VM) string {
	text := vm.Firmware
	if vm.SecureBoot {
		text += ", secure boot"
	}
	if vm.TPM {
		text += ", TPM"
	}
	return text
}

func disksTable(disks []vsphere.Disk) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "ADDRESS"},
		{Name: "SIZE", Right: true},
		{Name: "CONTROLLER"},
		{Name: "DATASTORE"},
		{Name: "KIND"},
		{Name: "LABEL", Wide: true},
		{Name: "MODE", Wide: true},
		{Name: "FILE", Wide: true},
	}}
	for _, d := range disks {
		t.Rows = append(t.Rows, []string{
			d.Address, sdk.FormatBytes(d.CapacityBytes), d.Controller, d.Datastore, diskKind(d), d.Label, d.Mode, d.File,
		})
	}
	return t
}

// diskKind says what a migration would ask about a disk.
func diskKind(d vsphere.Disk) string {
	kind := []string{"thick"}
	switch {
	case d.RDM:
		kind[0] = "raw device"
	case d.Thin:
		kind[0] = "thin"
	}
	if d.Shared {
		kind = append(kind, "shared")
	}
	if d.HasParent {
		kind = append(kind, "on a snapshot")
	}
	if !d.DatastoreAccessible {
		kind = append(kind, "datastore not accessible")
	}
	return strings.Join(kind, ", ")
}

func nicsTable(vm *vsphere.VM) cli.Table {
	addresses := map[string][]string{}
	for _, g := range vm.GuestNICs {
		addresses[g.MAC] = append(addresses[g.MAC], g.IPs...)
	}
	t := cli.Table{Columns: []cli.Column{
		{Name: "LABEL"}, {Name: "MAC"}, {Name: "NETWORK"}, {Name: "TYPE"}, {Name: "CONNECTED"}, {Name: "ADDRESSES"}, {Name: "KEY", Right: true, Wide: true},
	}}
	for _, n := range vm.NICs {
		t.Rows = append(t.Rows, []string{
			n.Label, n.MAC, n.Network, n.Type, yesNo(n.Connected), strings.Join(addresses[n.MAC], ", "), strconv.Itoa(int(n.Key)),
		})
	}
	return t
}

func snapshotsTable(snapshots []vsphere.Snapshot) cli.Table {
	t := cli.Table{Columns: []cli.Column{{Name: "PATH"}, {Name: "CREATED"}, {Name: "CURRENT"}, {Name: "REF", Wide: true}}}
	for _, s := range snapshots {
		t.Rows = append(t.Rows, []string{s.Path, s.Created.UTC().Format("2006-01-02 15:04:05Z"), yesNo(s.Current), s.Ref})
	}
	return t
}
