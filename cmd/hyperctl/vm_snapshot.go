package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func vmSnapshot() *cobra.Command {
	return cli.Noun("snapshot", "Snapshots of VMs", vmSnapshotList(), vmSnapshotCreate(), vmSnapshotRevert(), vmSnapshotRemove())
}

func vmSnapshotList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list VM",
		Short:   "List the snapshots of a VM, parents first",
		Example: "  hyperctl vm snapshot list web-01\n  hyperctl vm snapshot -op list -name web-01 -json",
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
			list, err := client.ListSnapshots(ctx, wanted)
			if err != nil {
				return err
			}
			list.Snapshots = append([]vsphere.Snapshot{}, list.Snapshots...) // [] where there are none
			return out.Print(cmd.OutOrStdout(), cli.View{Value: list, Table: snapshotList(list.Snapshots), Rows: list.Snapshots})
		})
	}
	return cmd
}

func snapshotList(snapshots []vsphere.Snapshot) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "PATH"}, {Name: "CREATED"}, {Name: "CURRENT"}, {Name: "MEMORY"}, {Name: "DESCRIPTION"}, {Name: "QUIESCED", Wide: true}, {Name: "REF", Wide: true},
	}}
	for _, s := range snapshots {
		t.Rows = append(t.Rows, []string{
			s.Path, s.Created.UTC().Format("2006-01-02 15:04:05Z"), yesNo(s.Current), yesNo(s.Memory), s.Description, yesNo(s.Quiesced), s.Ref,
		})
	}
	return t
}

func vmSnapshotCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create VM…",
		Short: "Take a snapshot of each VM",
		Long: `Take a snapshot of each VM, on top of its current one. A VM that has a snapshot
of that name is skipped.`,
		Example: "  hyperctl vm snapshot create web-01 -snapshot before-upgrade\n" +
			"  hyperctl vm snapshot create 'web-*' -snapshot nightly -quiesce -yes",
	}
	var spec vsphere.VMSnapshotSpec
	cmd.Flags().StringVar(&spec.Name, "snapshot", "", "the `NAME` of the snapshot")
	cmd.Flags().StringVar(&spec.Description, "description", "", "what is said about it, as `TEXT`")
	cmd.Flags().BoolVar(&spec.Memory, "with-memory", false, "with the memory of a running VM: going back makes it run again")
	cmd.Flags().BoolVar(&spec.Quiesce, "quiesce", false, "VMware Tools quiesce the file systems of a running VM first")
	b := addVMBulk(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return b.run(args, vmChange{op: spec, question: "Take a snapshot of %s?"})
	}
	return cmd
}

func vmSnapshotRevert() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revert VM…",
		Short: "Bring each VM back to a snapshot; what was written since is lost",
		Long: `Bring each VM back to its snapshot of that name: its configuration and its
disks become what they were, and what was written since is lost. It is off
afterwards, unless the snapshot holds memory. It is asked for one VM, too.`,
		Example: "  hyperctl vm snapshot revert web-01 -snapshot before-upgrade\n  hyperctl vm snapshot revert 'lab-*' -snapshot clean -yes",
	}
	var spec vsphere.VMRevertSpec
	cmd.Flags().StringVar(&spec.Snapshot, "snapshot", "", "the snapshot's `NAME`, or its path below others: base/nightly")
	cmd.Flags().BoolVar(&spec.SuppressPowerOn, "suppress-power-on", false, "leave it off though the snapshot holds memory")
	b := addVMBulk(cmd)
	completeSnapshots(cmd, b.conn, "name")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return b.run(args, vmChange{op: spec, question: "Bring %s back to the snapshot and lose what was written since?", always: true})
	}
	return cmd
}

func vmSnapshotRemove() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "remove VM…",
		Short: "Remove a snapshot of each VM; the VM stays as it is",
		Long: `Remove the snapshot of that name, or all, from each VM. The VM stays as it is:
the changes are merged into its disks, which takes time. A VM that has no such
snapshot is skipped.`,
		Example: "  hyperctl vm snapshot remove web-01 -snapshot before-upgrade\n  hyperctl vm snapshot remove 'web-*' -all -yes",
	}
	var spec vsphere.VMRemoveSnapshotSpec
	cmd.Flags().StringVar(&spec.Snapshot, "snapshot", "", "the snapshot's `NAME`, or its path below others: base/nightly")
	cmd.Flags().BoolVar(&spec.Children, "children", false, "with the snapshots below it; else they hang where it hung")
	cmd.Flags().BoolVar(&spec.All, "all", false, "every snapshot")
	b := addVMBulk(cmd)
	completeSnapshots(cmd, b.conn, "name")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		return b.run(args, vmChange{op: spec, question: "Remove snapshots of %s?"})
	}
	return cmd
}
