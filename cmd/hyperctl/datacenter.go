package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func datacenterCommand() *cobra.Command {
	return cli.Noun("datacenter", "Datacenters", datacenterList())
}

func datacenterList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the datacenters",
		Example: "  hyperctl datacenter list\n  hyperctl datacenter -op list -pattern 'DC*' -json",
		Args:    cli.NoArgs,
	}
	pattern := cmd.Flags().String("pattern", "", "only datacenters whose name or inventory path matches the `GLOB`: DC*, /Europe/*")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			datacenters, err := client.ListDatacenters(ctx, vsphere.Filter{Name: *pattern})
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: datacenters, Table: datacentersTable(datacenters)})
		})
	}
	return cmd
}

func datacentersTable(datacenters []vsphere.Datacenter) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"},
		{Name: "PATH"},
		{Name: "STATUS"},
		{Name: "CLUSTERS", Right: true},
		{Name: "HOSTS", Right: true},
		{Name: "VMS", Right: true},
		{Name: "DATASTORES", Right: true},
		{Name: "NETWORKS", Right: true},
	}}
	for _, d := range datacenters {
		t.Rows = append(t.Rows, []string{
			d.Name, d.Path, d.OverallStatus, strconv.Itoa(d.Clusters), strconv.Itoa(d.Hosts), strconv.Itoa(d.VMs),
			strconv.Itoa(d.Datastores), strconv.Itoa(d.Networks),
		})
	}
	return t
}
