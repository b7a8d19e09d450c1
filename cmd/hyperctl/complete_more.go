package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// references offers the shortest reference to each object of a kind.
func references(kind vsphere.Kind) func(context.Context, *vsphere.Client) ([]string, error) {
	return func(ctx context.Context, c *vsphere.Client) ([]string, error) { return c.ListReferences(ctx, kind) }
}

// completeSnapshots lets the shell complete -snapshot with the snapshots of the VM that the first operand or the flag names.
func completeSnapshots(cmd *cobra.Command, conn *cli.Connection, vmFlag string) {
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("snapshot", func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		vm, _ := cmd.Flags().GetString(vmFlag)
		if len(args) > 0 {
			vm = args[0]
		}
		if vm == "" {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ask := func(ctx context.Context, c *vsphere.Client) ([]string, error) {
			source, err := c.GetTemplate(ctx, vm)
			if err != nil {
				return nil, err
			}
			return names(source.Snapshots, func(s vsphere.Snapshot) string { return s.Path }), nil
		}
		return askNames(cmd, conn, "snapshot\x00"+vm, typed, ask), cobra.ShellCompDirectiveNoFileComp
	})
}
