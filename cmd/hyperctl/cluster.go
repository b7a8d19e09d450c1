package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func clusterCommand() *cobra.Command {
	return cli.Noun("cluster", "Clusters of ESXi hosts", clusterList(), clusterInfo())
}

func clusterList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the clusters",
		Example: "  hyperctl cluster list\n  hyperctl cluster -op list -pattern 'prod-*' -json",
		Args:    cli.NoArgs,
	}
	pattern := cmd.Flags().String("pattern", "", "only clusters whose name or inventory path matches the `GLOB`: prod-*, /DC0/host/DC0_C?")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			clusters, err := client.ListClusters(ctx, vsphere.Filter{Name: *pattern})
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: clusters, Table: clustersTable(clusters)})
		})
	}
	return cmd
}

func clustersTable(clusters []vsphere.Cluster) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"},
		{Name: "STATUS"},
		{Name: "DRS"},
		{Name: "HA"},
		{Name: "HOSTS", Right: true},
		{Name: "CORES", Right: true},
		{Name: "CPU%", Right: true},
		{Name: "MEMORY", Right: true},
		{Name: "MEM%", Right: true},
		{Name: "VMS", Right: true},
	}}
	for _, c := range clusters {
		t.Rows = append(t.Rows, []string{
			c.Name, c.OverallStatus, drs(c), onOff(c.HA), effectiveHosts(c), strconv.Itoa(c.CPUCores),
			cli.Percent(int64(c.CPUUsageMHz), int64(c.CPUTotalMHz)),
			sdk.FormatBytes(c.MemoryMB << 20), cli.Percent(c.MemoryUsageMB, c.MemoryMB), strconv.Itoa(c.VMs),
		})
	}
	return t
}

func clusterInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info NAME",
		Short:   "Show one cluster",
		Example: "  hyperctl cluster info Cluster1\n  hyperctl cluster -op info -name /DC1/host/Cluster1 -json",
		Args:    cli.MaxArgs(1),
	}
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	name := nameFlag(cmd, conn, "cluster", "the cluster's `NAME`, inventory path or moref, as a flag")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("cluster", *name, args)
		if err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			c, err := client.GetCluster(ctx, wanted)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: c, Table: clusterTable(c)})
		})
	}
	return cmd
}

func clusterTable(c *vsphere.Cluster) cli.Table {
	ha := onOff(c.HA)
	if c.HAAdmissionControl {
		ha += ", with admission control"
	}
	return cli.Details(
		"Name", c.Name,
		"Path", c.Path,
		"Reference", c.Ref,
		"Datacenter", c.Datacenter,
		"Root pool", c.ResourcePool,
		"Status", c.OverallStatus,
		"DRS", drs(*c),
		"HA", ha,
		"EVC", c.EVCMode,
		"Hosts", effectiveHosts(*c),
		"Cores", fmt.Sprintf("%d, %d threads", c.CPUCores, c.CPUThreads),
		"CPU use", fmt.Sprintf("%s of %s (%s)", gigahertz(c.CPUUsageMHz), gigahertz(c.CPUTotalMHz), cli.Percent(int64(c.CPUUsageMHz), int64(c.CPUTotalMHz))),
		"CPU for VMs", gigahertz(c.CPUEffectiveMHz),
		"Memory use", fmt.Sprintf("%s of %s (%s)", sdk.FormatBytes(c.MemoryUsageMB<<20), sdk.FormatBytes(c.MemoryMB<<20), cli.Percent(c.MemoryUsageMB, c.MemoryMB)),
		"Memory for VMs", sdk.FormatBytes(c.MemoryEffectiveMB<<20),
		"VMs", strconv.Itoa(c.VMs),
		"Datastores", strconv.Itoa(c.Datastores),
		"Networks", strconv.Itoa(c.Networks),
	)
}

// effectiveHosts is the number of hosts, and how many of them can run VMs when not all can: "3" or "2 of 3".
func effectiveHosts(c vsphere.Cluster) string {
	if c.EffectiveHosts == c.Hosts {
		return strconv.Itoa(c.Hosts)
	}
	return fmt.Sprintf("%d of %d", c.EffectiveHosts, c.Hosts)
}

// drs is the mode of DRS, or off.
func drs(c vsphere.Cluster) string {
	if c.DRS && c.DRSMode != "" {
		return c.DRSMode
	}
	return onOff(c.DRS)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}
