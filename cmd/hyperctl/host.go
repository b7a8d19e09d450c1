package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func hostCommand() *cobra.Command {
	return cli.Noun("host", "ESXi hosts", hostList(), hostInfo())
}

func hostList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the ESXi hosts",
		Example: "  hyperctl host list\n  hyperctl host -op list -pattern 'esxi-*' -json",
		Args:    cli.NoArgs,
	}
	pattern := cmd.Flags().String("pattern", "", "only hosts whose name or inventory path matches the `GLOB`: esxi-*, /DC0/host/*/esxi-0?")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			hosts, err := client.ListHosts(ctx, vsphere.Filter{Name: *pattern})
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: hosts, Table: hostsTable(hosts)})
		})
	}
	return cmd
}

func hostsTable(hosts []vsphere.Host) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"},
		{Name: "STATE"},
		{Name: "CLUSTER"},
		{Name: "CORES", Right: true},
		{Name: "CPU%", Right: true},
		{Name: "MEMORY", Right: true},
		{Name: "MEM%", Right: true},
		{Name: "VERSION"},
		{Name: "VMS", Right: true},
		{Name: "BUILD", Wide: true},
		{Name: "UPTIME", Wide: true},
		{Name: "MODEL", Wide: true},
		{Name: "REF", Wide: true},
		{Name: "PATH", Wide: true},
	}}
	for _, h := range hosts {
		t.Rows = append(t.Rows, []string{
			h.Name, hostState(h), h.Cluster,
			strconv.Itoa(h.CPUCores), cli.Percent(int64(h.CPUUsageMHz), int64(h.CPUTotalMHz)),
			sdk.FormatBytes(h.MemoryMB << 20), cli.Percent(h.MemoryUsageMB, h.MemoryMB),
			h.Version, strconv.Itoa(h.VMs),
			h.Build, uptime(h.UptimeSeconds), strings.TrimSpace(h.Vendor + " " + h.Model), h.Ref, h.Path,
		})
	}
	return t
}

func hostInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info NAME",
		Short:   "Show one ESXi host",
		Example: "  hyperctl host info esxi-01\n  hyperctl host -op info -name esxi-01 -json",
		Args:    cli.MaxArgs(1),
	}
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	name := nameFlag(cmd, conn, "host", "the host's `NAME`, inventory path or moref, as a flag")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("host", *name, args)
		if err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			h, err := client.GetHost(ctx, wanted)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: h, Table: hostTable(h)})
		})
	}
	return cmd
}

func hostTable(h *vsphere.Host) cli.Table {
	return cli.Details(
		"Name", h.Name,
		"Path", h.Path,
		"Reference", h.Ref,
		"Datacenter", h.Datacenter,
		"Cluster", h.Cluster,
		"State", hostState(*h),
		"Power", h.PowerState,
		"Uptime", uptime(h.UptimeSeconds),
		"Hardware", h.Vendor+" "+h.Model,
		"CPU", h.CPUModel,
		"Cores", fmt.Sprintf("%d in %d sockets, %d threads", h.CPUCores, h.CPUSockets, h.CPUThreads),
		"CPU use", fmt.Sprintf("%s of %s (%s)", gigahertz(h.CPUUsageMHz), gigahertz(h.CPUTotalMHz), cli.Percent(int64(h.CPUUsageMHz), int64(h.CPUTotalMHz))),
		"Memory use", fmt.Sprintf("%s of %s (%s)", sdk.FormatBytes(h.MemoryUsageMB<<20), sdk.FormatBytes(h.MemoryMB<<20), cli.Percent(h.MemoryUsageMB, h.MemoryMB)),
		"Version", h.Version+" build "+h.Build,
		"VMs", strconv.Itoa(h.VMs),
		"Datastores", strconv.Itoa(h.Datastores),
	)
}

func hostState(h vsphere.Host) string {
	if h.Maintenance {
		return "maintenance"
	}
	return h.State
}

func gigahertz(mhz int) string {
	switch {
	case mhz < 1000:
		return fmt.Sprintf("%d MHz", mhz)
	case mhz < 10000:
		return fmt.Sprintf("%.1f GHz", float64(mhz)/1000)
	}
	return fmt.Sprintf("%.0f GHz", float64(mhz)/1000)
}

func uptime(seconds int64) string {
	if seconds <= 0 {
		return ""
	}
	d := time.Duration(seconds) * time.Second
	if days := int(d.Hours()) / 24; days > 0 {
		return fmt.Sprintf("%d d %d h", days, int(d.Hours())%24)
	}
	return d.String()
}
