package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func vcenterCommand() *cobra.Command {
	return cli.Noun("vcenter", "The vCenter itself", vcenterInfo())
}

func vcenterInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info",
		Short:   "Show name, version and API of the vCenter",
		Example: "  hyperctl vcenter info\n  hyperctl vcenter -op info -json",
		Args:    cli.NoArgs,
	}
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			v, err := client.GetVCenter(ctx)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: v, Table: vcenterTable(v)})
		})
	}
	return cmd
}

func vcenterTable(v *vsphere.VCenter) cli.Table {
	return cli.Details(
		"Name", v.Name,
		"Full name", v.FullName,
		"Version", v.Version,
		"Build", v.Build,
		"API", v.APIType+" "+v.APIVersion,
		"OS type", v.OSType,
		"Instance UUID", v.InstanceUUID,
		"URL", v.URL,
	)
}
