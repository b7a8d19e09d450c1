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

const poolNameUsage = "the pool's `NAME`, inventory path or moref, as a flag; a cluster means its root pool"

func poolCommand() *cobra.Command {
	return cli.Noun("pool", "Resource pools of clusters and hosts", poolList(), poolInfo(), poolCreate(), poolUpdate(), poolDelete())
}

func poolList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the resource pools",
		Example: "  hyperctl pool list\n  hyperctl pool -op list -pattern 'dev-*' -json\n  hyperctl pool list -pattern '/DC0/host/*/Resources/*'",
		Args:    cli.NoArgs,
	}
	pattern := cmd.Flags().String("pattern", "", "only pools whose name or inventory path matches the `GLOB`: dev-*, /DC0/host/prod/Resources/*")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			pools, err := client.ListResourcePools(ctx, *pattern)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: pools, Table: poolsTable(pools)})
		})
	}
	return cmd
}

func poolsTable(pools []vsphere.ResourcePool) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"}, {Name: "IN"},
		{Name: "CPU RESERVED", Right: true}, {Name: "CPU LIMIT", Right: true},
		{Name: "MEM RESERVED", Right: true}, {Name: "MEM LIMIT", Right: true},
		{Name: "VMS", Right: true}, {Name: "POOLS", Right: true},
		{Name: "CPU SHARES", Wide: true}, {Name: "MEM SHARES", Wide: true}, {Name: "EXPANDABLE", Wide: true},
		{Name: "CPU USE", Right: true, Wide: true}, {Name: "MEM USE", Right: true, Wide: true}, {Name: "REF", Wide: true}, {Name: "PATH", Wide: true},
	}}
	for _, p := range pools {
		t.Rows = append(t.Rows, []string{
			p.Name, poolPlace(&p),
			megahertz(p.CPUReservationMHz), megahertz(p.CPULimitMHz), megabytes(p.MemoryReservationMB), megabytes(p.MemoryLimitMB),
			count(p.VMs), count(p.Pools),
			shares(p.CPUShares, p.CPUShareCount), shares(p.MemoryShares, p.MemoryShareCount), expandable(&p),
			megahertz(p.CPUUsageMHz), megabytes(p.MemoryUsageMB), p.Ref, p.Path,
		})
	}
	return t
}

// poolPlace is what a pool is in: its parent or, of a root pool, the cluster or host.
func poolPlace(p *vsphere.ResourcePool) string {
	if p.ParentPath != "" {
		return p.ParentPath
	}
	return p.Owner
}

func megahertz(n int64) string { return quantity(n, "MHz") }

func megabytes(n int64) string { return quantity(n, "MB") }

func quantity(n int64, unit string) string {
	if n == -1 {
		return unlimited
	}
	return fmt.Sprintf("%d %s", n, unit)
}

func count(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

func shares(level string, n int32) string {
	if level == "custom" {
		return fmt.Sprintf("custom %d", n)
	}
	return level
}

func expandable(p *vsphere.ResourcePool) string {
	switch {
	case p.CPUExpandable && p.MemoryExpandable:
		return "yes"
	case p.CPUExpandable:
		return "CPU"
	case p.MemoryExpandable:
		return "memory"
	}
	return "no"
}

func poolInfo() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info NAME",
		Short:   "Show one resource pool and what it holds",
		Example: "  hyperctl pool info dev-pool\n  hyperctl pool -op info -name /DC0/host/prod/Resources/dev-pool -json",
		Args:    cli.MaxArgs(1),
	}
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	name := nameFlag(cmd, conn, "pool", poolNameUsage)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("resource pool", *name, args)
		if err != nil {
			return err
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			pool, err := client.GetResourcePool(ctx, wanted)
			if err != nil {
				return err
			}
			contents, err := client.ListPoolContents(ctx, pool.Ref)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), poolContentsView(pool, contents))
		})
	}
	return cmd
}

// poolAnswer is what pool info prints.
type poolAnswer struct {
	*vsphere.ResourcePool
	Contents *vsphere.PoolContents `json:"contents"`
}

func poolContentsView(p *vsphere.ResourcePool, contents *vsphere.PoolContents) cli.View {
	holds := func(names []string) cli.Table {
		t := cli.Table{Columns: []cli.Column{{Name: "NAME"}}}
		for _, name := range names {
			t.Rows = append(t.Rows, []string{name})
		}
		return t
	}
	return cli.View{Value: poolAnswer{p, contents}, Table: poolTable(p), More: []cli.Section{
		{Title: "VMs", Table: holds(contents.VMs)}, {Title: "Pools", Table: holds(contents.Pools)},
	}}
}

func poolTable(p *vsphere.ResourcePool) cli.Table {
	return cli.Details(
		"Name", p.Name,
		"Path", p.Path,
		"Reference", p.Ref,
		"In", poolPlace(p),
		"CPU reserved", megahertz(p.CPUReservationMHz),
		"CPU limit", megahertz(p.CPULimitMHz),
		"CPU shares", shares(p.CPUShares, p.CPUShareCount),
		"Memory reserved", megabytes(p.MemoryReservationMB),
		"Memory limit", megabytes(p.MemoryLimitMB),
		"Memory shares", shares(p.MemoryShares, p.MemoryShareCount),
		"Expandable", expandable(p),
		"CPU left to reserve", megahertz(p.CPUUnreservedMHz),
		"Memory left to reserve", megabytes(p.MemoryUnreservedMB),
		"CPU use", megahertz(p.CPUUsageMHz),
		"Memory use", megabytes(p.MemoryUsageMB),
	)
}

func poolView(p *vsphere.ResourcePool) cli.View {
	return cli.View{Value: p, Table: poolTable(p)}
}

func poolDelete() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Delete a resource pool",
		Long: `Delete a resource pool. One that holds VMs or pools is refused unless
-move-children moves them to its parent; that asks, or needs -yes where there
is no terminal. An empty pool is deleted without a question, and no VM is ever
deleted.`,
		Example: "  hyperctl pool delete dev-pool\n  hyperctl pool -op delete -name dev-pool\n  hyperctl pool delete dev-pool -move-children -yes",
		Args:    cli.MaxArgs(1),
	}
	move := cmd.Flags().Bool("move-children", false, "move its VMs and pools to its parent first")
	consent, dry := cli.AddConsent(cmd), cli.AddDryRun(cmd)
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	name := nameFlag(cmd, conn, "pool", poolNameUsage)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("resource pool", *name, args)
		if err != nil {
			return err
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			view, err := deletePool(ctx, client, wanted, *move, bool(*dry), consent)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), view)
		})
	}
	return cmd
}

// deletedPool is what pool delete prints.
type deletedPool struct {
	Name    string                `json:"name"`
	Path    string                `json:"path"`
	Ref     string                `json:"ref"`
	Deleted bool                  `json:"deleted"` // true
	MovedTo string                `json:"moved_to,omitempty"`
	Moved   *vsphere.PoolContents `json:"moved,omitempty"`
}

func deletePool(ctx context.Context, client *vsphere.Client, wanted string, move, dry bool, consent *cli.Consent) (cli.View, error) {
	pool, err := client.GetResourcePool(ctx, wanted)
	if err != nil {
		return cli.View{}, err
	}
	contents, err := client.ListPoolContents(ctx, pool.Ref)
	if err != nil {
		return cli.View{}, err
	}
	answer := deletedPool{Name: pool.Name, Path: pool.Path, Ref: pool.Ref, Deleted: true}
	policy, held := vsphere.RefuseUnlessEmpty, contents.String()
	would := []string{"delete resource pool " + pool.Path}
	switch {
	case held == "":
	case pool.Parent == "": // the SDK refuses a root pool
	case !move:
		return cli.View{}, sdk.WithHint(sdk.Conflictf("delete resource pool %q: it holds %s", wanted, held),
			"move them elsewhere first, or give -move-children: then they move to %s", pool.ParentPath)
	default:
		policy, answer.MovedTo, answer.Moved = vsphere.MoveChildren, pool.ParentPath, contents
		would = append([]string{"move " + held + " to " + pool.ParentPath}, would...)
	}
	if dry && pool.Parent != "" {
		return cli.PlannedView(nil, would...), nil
	}
	if policy == vsphere.MoveChildren {
		question := fmt.Sprintf("Delete resource pool %s and move %s to %s?", pool.Path, held, pool.ParentPath)
		if err := consent.Ask(ctx, question, ""); err != nil {
			return cli.View{}, err
		}
	}
	if err := client.DeleteResourcePool(ctx, pool.Path, policy); err != nil {
		return cli.View{}, err
	}
	rows := []string{"Deleted", pool.Path}
	if answer.Moved != nil {
		rows = append(rows, "Moved", held+" to "+answer.MovedTo)
	}
	return cli.View{Value: answer, Table: cli.Details(rows...)}, nil
}
