package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func vmPool() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pool VM…",
		Short: "Move VMs into a resource pool",
		Long: `Move VMs into a resource pool. They run on meanwhile. A pool of another cluster
means that the VM is relocated to a host there.`,
		Example: "  hyperctl vm pool web-01 web-02 -pool production\n  hyperctl vm -op pool -pool /DC0/host/C1/Resources/dev 'dev-*' -yes",
	}
	var spec vsphere.VMPoolSpec
	cmd.Flags().StringVar(&spec.ResourcePool, "pool", "", "the resource `POOL`: inventory path, moref or unique name; the path of a cluster or a host means its root pool")
	b := addVMBulk(cmd)
	completeFlag(cmd, b.conn, "pool", "pool")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if spec.ResourcePool == "" {
			return sdk.WithHint(sdk.Invalidf("which resource pool?"), "give it with -pool")
		}
		return b.run(args, vmChange{op: spec, question: "Change the resource pool of %s?"})
	}
	return cmd
}

func vmNetwork() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "network VM…",
		Short: "Connect VMs to another network",
		Long: `Connect adapters of VMs to another network, a standard or distributed port
group. The guest sees the same adapter with the same address. A VM with several
adapters needs -nic or -from.`,
		Example: "  hyperctl vm network web-01 -network 'VLAN 20'\n" +
			"  hyperctl vm network 'web-*' -network dvpg-prod -from 'VM Network' -yes\n" +
			"  hyperctl vm -op network -name web-01 -network backup -nic 1",
	}
	var spec vsphere.VMNetworkSpec
	cmd.Flags().StringVar(&spec.Network, "network", "", "the `NETWORK` to connect to: inventory path, moref or unique name")
	cmd.Flags().StringVar(&spec.NIC, "nic", "", "which `ADAPTER`: its position from 0, label or MAC address, or all (default the only one)")
	cmd.Flags().StringVar(&spec.From, "from", "", "only adapters that are on this `NETWORK` now")
	b := addVMBulk(cmd)
	completeFlag(cmd, b.conn, "network", "network")
	completeFlag(cmd, b.conn, "from", "network")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if spec.Network == "" {
			return sdk.WithHint(sdk.Invalidf("which network?"), "give it with -network")
		}
		return b.run(args, vmChange{op: spec, question: "Change the network of %s?"})
	}
	return cmd
}

func vmDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete VM…",
		Short: "Delete VMs with their disks",
		Long: `Delete VMs with their disks, or with -unregister take them out of the inventory
and leave their files. It is asked for one VM, too. A running VM is refused
unless -shutdown or -force says how to stop it. Templates are refused.`,
		Example: "  hyperctl vm delete web-01\n  hyperctl vm delete 'test-*' -shutdown -timeout 2m -force -yes",
	}
	var spec vsphere.VMDeleteSpec
	var shutdown bool
	var timeout time.Duration
	cmd.Flags().BoolVar(&spec.Unregister, "unregister", false, "leave the files on the datastore")
	cmd.Flags().BoolVar(&shutdown, "shutdown", false, "shut the guests of running VMs down first, through VMware Tools")
	cmd.Flags().DurationVar(&timeout, "timeout", vsphere.DefaultShutdown, "the `TIME` that a guest may take to shut down")
	cmd.Flags().BoolVar(&spec.PowerOff.Force, "force", false, "power running VMs off hard; with -shutdown only those that do not obey")
	b := addVMBulk(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		asked := spec
		switch {
		case shutdown && timeout <= 0:
			return sdk.Invalidf("-timeout: %s is no time to wait", timeout)
		case shutdown:
			asked.PowerOff.ShutdownTimeout = timeout
		case cmd.Flags().Changed("timeout"):
			return sdk.Invalidf("-timeout says nothing without -shutdown")
		}
		change := vmChange{op: asked, question: "Delete %s with all disks?", always: true, word: "delete"}
		if asked.PowerOff == (vsphere.PowerOffPolicy{}) {
			change.hint = "-shutdown lets the guests of running VMs go down first, -force powers them off hard"
		}
		if asked.Unregister {
			change.question, change.word = "Take %s out of the inventory and leave the files?", ""
		}
		return b.run(args, change)
	}
	return cmd
}
