package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func templateDeploy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deploy TEMPLATE TARGET",
		Short: "Make a VM from a template",
		Long: `Make a VM from a template. The flags are those of clone; what is no template is
refused. A template has no resource pool: without -pool, -cluster or -host the
only cluster of its datacenter is used, and between several nothing is guessed.`,
		Example: "  hyperctl template deploy ubuntu-24 web-01 -pool production -power-on\n" +
			"  hyperctl template -op deploy -template template-name -target new-vm\n" +
			"  hyperctl template deploy ubuntu-24 web-02 -linked -snapshot base -cpus 4 -memory 8GiB",
		Args: cli.MaxArgs(2),
	}
	var template, target string
	want := &newVMFlags{}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&template, "template", "", "the `TEMPLATE`, as a flag: name, inventory path, moref or instance UUID")
	flags.StringVar(&target, "target", "", "the `NAME` of the new VM, as a flag")
	want.bind(cmd)
	dry := cli.AddDryRun(cmd)
	cli.AddProgress(cmd)
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	want.complete(cmd, conn, "template")
	cmd.ValidArgsFunction = completeNames(conn, "template")
	completeFlag(cmd, conn, "template", "template")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		source, err := named("the template", "-template", template, args, 0)
		if err != nil {
			return err
		}
		name, err := named("the new VM's name", "-target", target, args, 1)
		if err != nil {
			return err
		}
		item, err := want.item(cmd, source, name)
		if err != nil {
			return err
		}
		return makeVM(cmd, conn, out, item, bool(*dry), isTemplate)
	}
	return cmd
}

func isTemplate(p vsphere.ClonePlan) error {
	if p.SourceTemplate {
		return nil
	}
	return sdk.WithHint(sdk.Conflictf("%s is a VM, not a template", p.SourcePath), "hyperctl clone makes a VM from a VM; hyperctl template create makes a template of one")
}

func templateRevert() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revert TEMPLATE",
		Short: "Turn a template back into a VM",
		Long: `Turn a template back into a VM. One that hyperctl or Terraform converted goes
back to its name, folder and resource pool; for any other say where it goes.
The VM stays off, and its disks are not touched.`,
		Example: "  hyperctl template revert ubuntu-24\n  hyperctl template -op revert -name ubuntu-24 -pool production",
		Args:    cli.MaxArgs(1),
	}
	var pool, host string
	cmd.Flags().StringVar(&pool, "pool", "", "the resource `POOL`, or cluster, that it goes to (default where it was before it was converted)")
	cmd.Flags().StringVar(&host, "host", "", "the `HOST` that it goes to; needed in a cluster without DRS")
	dry, out, conn := cli.AddDryRun(cmd), cli.AddOutput(cmd), cli.AddConnection(cmd)
	name := nameFlag(cmd, conn, "template", "the template's `NAME`, inventory path, moref or instance UUID, as a flag")
	completeFlag(cmd, conn, "pool", "pool")
	completeFlag(cmd, conn, "host", "host")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		wanted, err := cli.Operand("template", *name, args)
		if err != nil {
			return err
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			view, err := revertTemplate(ctx, client, wanted, pool, host, bool(*dry))
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), view)
		})
	}
	return cmd
}

// revertSpec is what template revert asks for.
type revertSpec struct {
	Template     string `json:"template"`
	ResourcePool string `json:"resource_pool,omitempty"`
	Host         string `json:"host,omitempty"`
}

func revertTemplate(ctx context.Context, client *vsphere.Client, wanted, pool, host string, dry bool) (cli.View, error) {
	t, err := client.GetTemplate(ctx, wanted)
	if err != nil {
		return cli.View{}, err
	}
	if !t.Template {
		return cli.View{}, sdk.Conflictf("%s is a VM already", t.Path)
	}
	if dry {
		return cli.PlannedView(revertSpec{wanted, pool, host}, "turn the template "+t.Path+" into a VM"), nil
	}
	if err := client.RevertTemplate(ctx, t.Ref, pool, host); err != nil {
		if errors.Is(err, sdk.ErrInvalid) && pool == "" && host == "" {
			return cli.View{}, sdk.WithHint(sdk.Invalidf("%s was not converted from a VM, so where it would go is not known", t.Path), "give -pool: a resource pool, or a cluster")
		}
		return cli.View{}, err
	}
	now, err := client.GetTemplate(ctx, t.Ref)
	if err != nil {
		return cli.View{}, err
	}
	return templateView(now), nil
}
