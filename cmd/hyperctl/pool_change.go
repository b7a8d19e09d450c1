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

// unlimited is a limit that is none.
const unlimited = "unlimited"

// poolFlags are the flags of pool create and update: what is given is set.
type poolFlags struct {
	cmd                                *cobra.Command
	parent                             string
	cpuReserve, memReserve             int64
	cpuLimit, memLimit                 limitFlag
	cpuShares, memShares               sharesFlag
	both, cpuExpandable, memExpandable bool
}

func addPoolFlags(cmd *cobra.Command) *poolFlags {
	f := &poolFlags{cmd: cmd}
	flags := cmd.Flags()
	flags.Int64Var(&f.cpuReserve, "cpu-reserve", 0, "`MHZ` of CPU that are always there for it")
	flags.Var(&f.cpuLimit, "cpu-limit", "`MHZ` of CPU that it never exceeds, or unlimited")
	flags.Var(&f.cpuShares, "cpu-shares", "its part when CPU is short: `SHARES` low, normal, high or a number")
	flags.Int64Var(&f.memReserve, "mem-reserve", 0, "`MB` of memory that are always there for it")
	flags.Var(&f.memLimit, "mem-limit", "`MB` of memory that it never exceeds, or unlimited")
	flags.Var(&f.memShares, "mem-shares", "its part when memory is short: `SHARES` low, normal, high or a number")
	flags.BoolVar(&f.both, "expandable", true, "beyond its reservation it may reserve of its parent's; =false: it may not")
	flags.BoolVar(&f.cpuExpandable, "cpu-expandable", true, "the same, of CPU alone")
	flags.BoolVar(&f.memExpandable, "mem-expandable", true, "the same, of memory alone")
	cli.Group(flags, "What it gets, in MHz and MB", "cpu-reserve", "cpu-limit", "cpu-shares", "mem-reserve", "mem-limit", "mem-shares",
		"expandable", "cpu-expandable", "mem-expandable")
	for _, flag := range []string{"cpu-shares", "mem-shares"} {
		// The name is right by construction.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions([]string{"low", "normal", "high"}, cobra.ShellCompDirectiveNoFileComp))
	}
	return f
}

// update is what was given.
func (f *poolFlags) update() vsphere.UpdateResourcePoolSpec {
	s := vsphere.UpdateResourcePoolSpec{
		CPUReservationMHz: ifGiven(f.cmd, "cpu-reserve", f.cpuReserve), MemoryReservationMB: ifGiven(f.cmd, "mem-reserve", f.memReserve),
		CPULimitMHz: ifGiven(f.cmd, "cpu-limit", int64(f.cpuLimit)), MemoryLimitMB: ifGiven(f.cmd, "mem-limit", int64(f.memLimit)),
		CPUExpandable: ifGiven(f.cmd, "expandable", f.both), MemoryExpandable: ifGiven(f.cmd, "expandable", f.both),
		Parent: ifGiven(f.cmd, "parent", f.parent),
	}
	if own := ifGiven(f.cmd, "cpu-expandable", f.cpuExpandable); own != nil {
		s.CPUExpandable = own
	}
	if own := ifGiven(f.cmd, "mem-expandable", f.memExpandable); own != nil {
		s.MemoryExpandable = own
	}
	s.CPUShares, s.CPUShareCount = f.cpuShares.update()
	s.MemoryShares, s.MemoryShareCount = f.memShares.update()
	return s
}

func ifGiven[T any](cmd *cobra.Command, flag string, value T) *T {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	return &value
}

// spec is a new pool with what was given.
func (f *poolFlags) spec(name string) vsphere.ResourcePoolSpec {
	u := f.update()
	s := vsphere.ResourcePoolSpec{
		Name: name, Parent: f.parent,
		CPUReservationMHz: f.cpuReserve, CPULimitMHz: u.CPULimitMHz, CPUExpandable: u.CPUExpandable,
		MemoryReservationMB: f.memReserve, MemoryLimitMB: u.MemoryLimitMB, MemoryExpandable: u.MemoryExpandable,
	}
	s.CPUShares, s.CPUShareCount = f.cpuShares.level, f.cpuShares.count
	s.MemoryShares, s.MemoryShareCount = f.memShares.level, f.memShares.count
	return s
}

func poolCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a resource pool",
		Long: `Create a resource pool. What is not given is vCenter's default: nothing
reserved, no limit, normal shares, expandable. Without -parent it goes into the
root pool of the only cluster; where there are several, they are listed and
nothing is guessed.`,
		Example: "  hyperctl pool create dev-pool --cpu-limit 8000\n  hyperctl pool -op create -name dev-pool -cpu-reserve 2000 -cpu-limit 8000 -mem-reserve 4096 -mem-limit 16384\n" +
			"  hyperctl pool create team-a -parent dev-pool -cpu-shares high -expandable=false",
		Args: cli.MaxArgs(1),
	}
	cmd.Flags().SortFlags = false
	name := cmd.Flags().String("name", "", "the `NAME` of the new pool, as a flag")
	f := addPoolFlags(cmd)
	cmd.Flags().StringVar(&f.parent, "parent", "", "the `POOL`, cluster or host that it goes into (default the only cluster)")
	dry, out, conn := cli.AddDryRun(cmd), cli.AddOutput(cmd), cli.AddConnection(cmd)
	completeFlag(cmd, conn, "parent", "pool")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("resource pool", *name, args)
		if err != nil {
			return err
		}
		spec := f.spec(wanted)
		if err := spec.Validate(); err != nil {
			return fmt.Errorf("create resource pool %q: %w", wanted, err)
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			path, err := client.PlanResourcePool(ctx, spec)
			if err != nil {
				return err
			}
			if *dry {
				return out.Print(cmd.OutOrStdout(), cli.PlannedView(spec, "create resource pool "+path))
			}
			pool, err := client.CreateResourcePool(ctx, spec)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), poolView(pool))
		})
	}
	return cmd
}

func poolUpdate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "update NAME",
		Short: "Change a resource pool",
		Long: `Change a resource pool. Only what is given and differs is sent to vCenter, and
the answer says what changed; what is so already is no change and no error.`,
		Example: "  hyperctl pool update dev-pool --cpu-limit 12000\n  hyperctl pool -op update -name dev-pool -cpu-limit 12000\n" +
			"  hyperctl pool update dev-pool -mem-limit unlimited -rename development",
		Args: cli.MaxArgs(1),
	}
	cmd.Flags().SortFlags = false
	f := addPoolFlags(cmd)
	rename := cmd.Flags().String("rename", "", "the pool's new `NAME`")
	cmd.Flags().StringVar(&f.parent, "parent", "", "move it into this `POOL`, within its cluster")
	dry, out, conn := cli.AddDryRun(cmd), cli.AddOutput(cmd), cli.AddConnection(cmd)
	name := nameFlag(cmd, conn, "pool", poolNameUsage)
	completeFlag(cmd, conn, "parent", "pool")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("resource pool", *name, args)
		if err != nil {
			return err
		}
		spec := f.update()
		spec.Name = ifGiven(cmd, "rename", *rename)
		if spec == (vsphere.UpdateResourcePoolSpec{}) {
			return sdk.WithHint(sdk.Invalidf("update resource pool %q: to what?", wanted), "give what changes: -cpu-limit, -mem-reserve, -rename, …")
		}
		if err := spec.Validate(); err != nil {
			return fmt.Errorf("update resource pool %q: %w", wanted, err)
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			view, err := updatePool(ctx, client, wanted, spec, bool(*dry))
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), view)
		})
	}
	return cmd
}

// limitFlag is a flag's value in MHz or MB; -1 is none.
type limitFlag int64

// Set parses the number, or unlimited.
func (l *limitFlag) Set(text string) error {
	if strings.EqualFold(text, unlimited) {
		*l = -1
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < -1 {
		return sdk.Invalidf("%q is no limit; write a whole number, or %s", text, unlimited)
	}
	*l = limitFlag(n)
	return nil
}

func (l *limitFlag) String() string { return strconv.FormatInt(int64(*l), 10) }

// Type is the word for the value in the help.
func (l *limitFlag) Type() string { return "N" }

// sharesFlag is a flag's value: a level, or a number of shares.
type sharesFlag struct {
	level string
	count int32
}

// Set parses the level or the number.
func (s *sharesFlag) Set(text string) error {
	switch text {
	case "low", "normal", "high":
		*s = sharesFlag{level: text}
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n < 1 {
		return sdk.Invalidf("%q are no shares; write low, normal, high or a number above 0", text)
	}
	*s = sharesFlag{count: int32(n)}
	return nil
}

func (s *sharesFlag) String() string {
	if s.count > 0 {
		return strconv.Itoa(int(s.count))
	}
	return s.level
}

// Type is the word for the value in the help.
func (s *sharesFlag) Type() string { return "SHARES" }

// update is what the flag sets; nil: nothing.
func (s *sharesFlag) update() (level *string, count *int32) {
	switch {
	case s.count > 0:
		return nil, &s.count
	case s.level != "":
		return &s.level, nil
	}
	return nil, nil
}

// updatedPool is what pool update prints.
type updatedPool struct {
	Pool    *vsphere.ResourcePool `json:"pool"`
	Changes []vsphere.PoolChange  `json:"changes"` // empty: it was so before
}

func updatePool(ctx context.Context, client *vsphere.Client, wanted string, spec vsphere.UpdateResourcePoolSpec, dry bool) (cli.View, error) {
	plan, err := client.PlanPoolUpdate(ctx, wanted, spec)
	if err != nil {
		return cli.View{}, err
	}
	if dry {
		would := []string{"change nothing: " + plan.Pool.Path + " is so already"}
		if len(plan.Changes) > 0 {
			would = nil
		}
		for _, c := range plan.Changes {
			would = append(would, fmt.Sprintf("change %s of %s from %s to %s", c.Field, plan.Pool.Path, poolValue(c.Field, c.Before), poolValue(c.Field, c.After)))
		}
		return cli.PlannedView(plan.Spec, would...), nil
	}
	pool := &plan.Pool
	if len(plan.Changes) > 0 {
		if pool, err = client.UpdateResourcePool(ctx, plan.Pool.Path, plan.Spec); err != nil {
			return cli.View{}, err
		}
	}
	t := cli.Table{Columns: []cli.Column{{Name: "CHANGED"}, {Name: "BEFORE", Right: true}, {Name: "AFTER", Right: true}}}
	for _, c := range plan.Changes {
		t.Rows = append(t.Rows, []string{c.Field, poolValue(c.Field, c.Before), poolValue(c.Field, c.After)})
	}
	view := cli.View{Value: updatedPool{pool, plan.Changes}, Rows: plan.Changes, Table: t}
	if len(plan.Changes) == 0 {
		view.Table = cli.Details("Nothing changed", pool.Path+" is so already")
	}
	return view, nil
}

// poolValue is a value of a pool for people: a limit of -1 is none.
func poolValue(field string, value any) string {
	if n, ok := value.(int64); ok && n == -1 && strings.Contains(field, "limit") {
		return unlimited
	}
	return fmt.Sprint(value)
}
