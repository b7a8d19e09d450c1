package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// cloneFlags is what the command line of clone says.
type cloneFlags struct {
	source, target, bulk string
	want                 newVMFlags
}

func cloneCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "clone SOURCE TARGET",
		Short: "Clone a VM or a template, or many from a file",
		Long: `Clone a VM or a template, or, with -bulk, as many as a file lists.

Everything that is named is looked up before vCenter is asked for the first
clone. A bulk run skips what exists, so that the same command finishes a run
that was interrupted; a single clone refuses. On an interrupt vCenter is asked
to cancel, and the message says what may remain.`,
		Example: `  hyperctl clone template-vm web-01 -power-on
  hyperctl clone -source template-vm -target new-vm -power-on
  hyperctl clone template-vm linked-vm -linked -snapshot baseline
  hyperctl clone template-vm web-02 -pool production -folder /DC0/vm/web -cpus 4 -memory 8GiB
  hyperctl clone -bulk clones.yaml -max-concurrent 5`,
		Args: cli.MaxArgs(2),
	}
	f := &cloneFlags{}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.source, "source", "", "the `VM` or template to clone: name, inventory path, moref or instance UUID, as a flag")
	flags.StringVar(&f.target, "target", "", "the `NAME` of the new VM, as a flag")
	flags.StringVar(&f.bulk, "bulk", "", "make the clones that a YAML `FILE` lists, - for stdin")
	concurrent := cli.AddConcurrent(cmd)
	f.want.bind(cmd)
	dry := cli.AddDryRun(cmd)
	cli.AddProgress(cmd)
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	f.want.complete(cmd, conn, "source")
	cmd.ValidArgsFunction = completeNames(conn, "vm")
	completeFlag(cmd, conn, "source", "vm")
	_ = cmd.MarkFlagFilename("bulk", "yaml", "yml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		if f.bulk != "" {
			return runCloneBulk(cmd, conn, out, f, args, int(*concurrent), bool(*dry))
		}
		if cmd.Flags().Changed("max-concurrent") {
			return sdk.Invalidf("-max-concurrent goes with -bulk")
		}
		item, err := f.item(cmd, args)
		if err != nil {
			return err
		}
		return makeVM(cmd, conn, out, item, bool(*dry), nil)
	}
	return cmd
}

// item is the one clone that operands and flags ask for.
func (f *cloneFlags) item(cmd *cobra.Command, args []string) (vsphere.CloneItem, error) {
	source, err := named("the VM or template to clone", "-source", f.source, args, 0)
	if err != nil {
		return vsphere.CloneItem{}, err
	}
	target, err := named("the new VM's name", "-target", f.target, args, 1)
	if err != nil {
		return vsphere.CloneItem{}, err
	}
	return f.want.item(cmd, source, target)
}

// named is the operand at the place, or the flag's value, but not two different ones.
func named(what, flag, value string, args []string, at int) (string, error) {
	operand := ""
	if at < len(args) {
		operand = args[at]
	}
	switch {
	case strings.TrimSpace(operand+value) == "":
		return "", sdk.WithHint(sdk.Invalidf("%s is missing", what), "give it as an argument or with %s", flag)
	case operand != "" && value != "" && operand != value:
		return "", sdk.Invalidf("%s is given twice, as %q and as %s %q", what, operand, flag, value)
	case operand != "":
		return operand, nil
	}
	return value, nil
}

// makeVM clones, or with -dry-run says what it would do. check may refuse what was found before anything begins; nil: nothing.
func makeVM(cmd *cobra.Command, conn *cli.Connection, out *cli.Output, item vsphere.CloneItem, dry bool, check func(vsphere.ClonePlan) error) error {
	if err := item.Validate(); err != nil {
		return err
	}
	return withProgress(cmd, conn, func(ctx context.Context, client *vsphere.Client, report sdk.ProgressFunc, done func()) error {
		plan, err := planVM(ctx, client, item, check)
		if err != nil {
			return err
		}
		if dry {
			return out.Print(cmd.OutOrStdout(), cli.PlannedView(item, wouldClone(*plan)))
		}
		result, err := client.ClonePlanned(ctx, *plan, report)
		done()
		if result == nil {
			return err
		}
		if shown := out.Print(cmd.OutOrStdout(), cloneView(result)); err == nil {
			err = shown
		}
		return err
	})
}

// planVM looks up what one clone names and refuses what cannot be made.
func planVM(ctx context.Context, client *vsphere.Client, item vsphere.CloneItem, check func(vsphere.ClonePlan) error) (*vsphere.ClonePlan, error) {
	plans, err := client.PlanClones(ctx, []vsphere.CloneItem{item})
	if err == nil && check != nil {
		err = check(plans[0])
	}
	if err == nil {
		err = plans[0].Conflict()
	}
	if err != nil {
		return nil, fmt.Errorf("clone %q to %q: %w", item.SourceVM, item.TargetName, err)
	}
	return &plans[0], nil
}

func cloneView(r *vsphere.CloneResult) cli.View {
	vm := r.VM
	rows := []string{
		"Name", vm.Name,
		"Path", vm.Path,
		"Reference", vm.Ref,
		"Power", vm.PowerState,
		"Host", vm.Host,
		"Resource pool", vm.ResourcePool,
		"Datastore", vm.Datastore,
		"Address", vm.IPAddress,
	}
	for _, warning := range r.Warnings {
		rows = append(rows, "Warning", warning)
	}
	return cli.View{Value: r, Table: cli.Details(rows...)}
}

// wouldClone says for a person what a plan would do.
func wouldClone(p vsphere.ClonePlan) string {
	item := p.Item
	how := "clone "
	if item.LinkedClone {
		how = "make a linked clone of "
	}
	text := how + p.SourcePath
	if item.Snapshot != "" {
		text += " at snapshot " + item.Snapshot
	}
	text += " to " + p.Path
	for _, place := range []struct{ words, name string }{
		{" in pool ", item.ResourcePool}, {" in cluster ", item.Cluster}, {" on host ", item.Host},
		{" on datastore ", item.Datastore}, {" on datastore cluster ", item.DatastoreCluster},
	} {
		if place.name != "" {
			text += place.words + place.name
		}
	}
	switch {
	case item.CPUs > 0 && item.MemoryMB > 0:
		text += fmt.Sprintf(", with %d CPUs and %d MB of memory", item.CPUs, item.MemoryMB)
	case item.CPUs > 0:
		text += fmt.Sprintf(", with %d CPUs", item.CPUs)
	case item.MemoryMB > 0:
		text += fmt.Sprintf(", with %d MB of memory", item.MemoryMB)
	}
	if len(item.Networks) > 0 {
		text += ", on network " + strings.Join(item.Networks, ", ")
	}
	if item.CustomizationSpec != "" {
		text += ", customized by " + item.CustomizationSpec
	}
	if item.PowerOn {
		text += ", and power it on"
	}
	return text
}
