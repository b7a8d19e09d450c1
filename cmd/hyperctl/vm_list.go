package main

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// vmStates are the short words for vSphere's power states.
var vmStates = map[string]string{"on": "poweredOn", "off": "poweredOff", "suspended": "suspended"}

func vmList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the VMs",
		Example: "  hyperctl vm list -pattern 'web-*' -state on\n" +
			"  hyperctl vm -op list -datacenter DC1 -tag env/prod -o wide",
		Args: cli.NoArgs,
	}
	var filter vsphere.Filter
	flags := cmd.Flags()
	flags.StringVar(&filter.Name, "pattern", "", "only VMs whose name or inventory path matches the `GLOB`: web-*, /DC0/vm/*/web-0?")
	flags.StringVar(&filter.Datacenter, "datacenter", "", "only in this `DATACENTER`: name, inventory path or moref")
	flags.StringVar(&filter.Cluster, "cluster", "", "only on the hosts of this `CLUSTER`: name, inventory path or moref")
	flags.StringVar(&filter.Folder, "folder", "", "only below this `FOLDER`, however deep: inventory path, moref or unique name")
	flags.StringSliceVar(&filter.States, "state", nil, "only in these `STATES`, with commas: on, off, suspended")
	flags.StringVar(&filter.Guest, "guest", "", "only with a guest system that matches the `GLOB`: debian*, *Windows*")
	flags.StringSliceVar(&filter.Tags, "tag", nil, "only with this `TAG`, category/name or id (repeatable: with all of them)")
	templates := flags.Bool("templates", false, "templates, too")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{"on", "off", "suspended"}, cobra.ShellCompDirectiveNoFileComp))
	completeFlag(cmd, conn, "cluster", "cluster")
	completeFlag(cmd, conn, "folder", "folder")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		asked := filter
		asked.States = nil
		for _, word := range filter.States {
			state, err := vmState(word)
			if err != nil {
				return err
			}
			asked.States = append(asked.States, state)
		}
		if !*templates {
			asked.Templates = new(bool)
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			vms, err := client.ListVMs(ctx, asked)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: vms, Table: vmsTable(vms)})
		})
	}
	return cmd
}

func vmState(word string) (string, error) {
	for short, state := range vmStates {
		if word == short || word == state {
			return state, nil
		}
	}
	return "", cli.Unknown("state", word, []string{"on", "off", "suspended"})
}

func vmsTable(vms []vsphere.VMSummary) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"},
		{Name: "POWER"},
		{Name: "HOST"},
		{Name: "CPUS", Right: true},
		{Name: "MEMORY", Right: true},
		{Name: "DISKS", Right: true},
		{Name: "ADDRESS"},
		{Name: "GUEST"},
		{Name: "TOOLS", Wide: true},
		{Name: "FIRMWARE", Wide: true},
		{Name: "SNAPSHOTS", Right: true, Wide: true},
		{Name: "NETWORKS", Wide: true},
		{Name: "DATASTORES", Wide: true},
		{Name: "CLUSTER", Wide: true},
		{Name: "POOL", Wide: true},
		{Name: "REF", Wide: true},
		{Name: "PATH", Wide: true},
	}}
	for _, vm := range vms {
		var bytes float64
		var networks, datastores []string
		for _, d := range vm.Disks {
			bytes += d.CapacityGB * (1 << 30)
			datastores = with(datastores, d.Datastore)
		}
		for _, n := range vm.NICs {
			networks = with(networks, n.Network)
		}
		address := ""
		if len(vm.IPAddresses) > 0 {
			address = vm.IPAddresses[0]
		}
		t.Rows = append(t.Rows, []string{
			vm.Name, vmPowerWord(vm), vm.Host, strconv.Itoa(vm.CPUs), sdk.FormatBytes(vm.MemoryMB << 20), sdk.FormatBytes(int64(bytes)),
			address, vm.GuestFullName,
			vm.ToolsStatus, vm.Firmware, strconv.Itoa(vm.SnapshotCount), strings.Join(networks, ", "), strings.Join(datastores, ", "),
			vm.Cluster, vm.ResourcePool, vm.Ref, vm.Path,
		})
	}
	return t
}

// vmPowerWord is the short word for a VM's state, or what else there is to know of it.
func vmPowerWord(vm vsphere.VMSummary) string {
	if vm.Template {
		return "template"
	}
	if vm.ConnectionState != "" && vm.ConnectionState != "connected" {
		return vm.ConnectionState
	}
	for short, state := range vmStates {
		if vm.PowerState == state {
			return short
		}
	}
	return vm.PowerState
}

// with adds a name that is not there yet.
func with(names []string, name string) []string {
	for _, n := range names {
		if n == name {
			return names
		}
	}
	return append(names, name)
}
