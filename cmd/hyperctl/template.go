package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func templateCommand() *cobra.Command {
	return cli.Noun("template", "Templates of VMs", templateList(), templateCreate(), templateDeploy(), templateRevert())
}

func templateList() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the templates",
		Example: "  hyperctl template list\n  hyperctl template -op list -pattern 'ubuntu-*' -json",
		Args:    cli.NoArgs,
	}
	pattern := cmd.Flags().String("pattern", "", "only templates whose name or inventory path matches the `GLOB`: ubuntu-*, /DC0/vm/golden/*")
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			templates, err := client.ListTemplates(ctx, *pattern)
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: templates, Table: templatesTable(templates)})
		})
	}
	return cmd
}

func templatesTable(templates []vsphere.Template) cli.Table {
	t := cli.Table{Columns: []cli.Column{
		{Name: "NAME"}, {Name: "FOLDER"}, {Name: "SNAPSHOTS"}, {Name: "REF", Wide: true}, {Name: "INSTANCE UUID", Wide: true}, {Name: "ANNOTATION", Wide: true},
	}}
	for _, one := range templates {
		t.Rows = append(t.Rows, []string{one.Name, one.Folder, snapshotNames(one.Snapshots), one.Ref, one.InstanceUUID, one.Annotation})
	}
	return t
}

func snapshotNames(snapshots []vsphere.Snapshot) string {
	return few(names(snapshots, func(s vsphere.Snapshot) string { return s.Path }))
}

func templateView(t *vsphere.Template) cli.View {
	return cli.View{Value: t, Table: cli.Details(
		"Name", t.Name,
		"Path", t.Path,
		"Reference", t.Ref,
		"Template", yesNo(t.Template),
		"Snapshots", snapshotNames(t.Snapshots),
		"Annotation", t.Annotation,
	)}
}

func templateCreate() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create VM",
		Short: "Make a template of a VM",
		Long: `Make a template of a VM: the VM itself becomes one, or, with -target, a copy
of it does and the VM stays as it is.

A template is always off, so a VM that runs is refused unless it is copied.
With -snapshot a snapshot is taken first, which linked clones can share: a
template takes none. What an interrupted run leaves is found by the same
command, which goes on from there.`,
		Example: "  hyperctl template create ubuntu-24 -snapshot base\n  hyperctl template -op create -vm source-vm\n" +
			"  hyperctl template create web-01 -target web-golden -folder /DC0/vm/golden",
		Args: cli.MaxArgs(1),
	}
	spec, source := &vsphere.TemplateSpec{}, ""
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&source, "vm", "", "the `VM`, as a flag: name, inventory path, moref or instance UUID")
	flags.StringVar(&spec.Name, "target", "", "copy the VM and make the copy, of this `NAME`, the template")
	flags.StringVar(&spec.Snapshot, "snapshot", "", "take a snapshot of this `NAME` first, for linked clones")
	flags.StringVar(&spec.Folder, "folder", "", "the `FOLDER` that the template goes to (default where the VM is)")
	flags.StringVar(&spec.Annotation, "annotation", "", "the `TEXT` of its notes (default the VM's)")
	flags.StringVar(&spec.ResourcePool, "pool", "", "with -target, the resource `POOL` to copy in (default the VM's)")
	flags.StringVar(&spec.Host, "host", "", "with -target, the `HOST` to copy on (default vCenter chooses)")
	flags.StringVar(&spec.Datastore, "datastore", "", "with -target, the `DATASTORE` of the copy (default the VM's)")
	dry := cli.AddDryRun(cmd)
	cli.AddProgress(cmd)
	out, conn := cli.AddOutput(cmd), cli.AddConnection(cmd)
	cmd.ValidArgsFunction = completeNames(conn, "vm")
	for flag, kind := range map[string]string{"vm": "vm", "folder": "folder", "pool": "pool", "host": "host", "datastore": "datastore"} {
		completeFlag(cmd, conn, flag, kind)
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		var err error
		if spec.Source, err = operandVM(source, args); err != nil {
			return err
		}
		if err := checkTemplate(cmd, spec); err != nil {
			return err
		}
		return withProgress(cmd, conn, func(ctx context.Context, client *vsphere.Client, report sdk.ProgressFunc, done func()) error {
			view, err := makeTemplate(ctx, client, *spec, bool(*dry), report)
			done()
			if err != nil {
				return err
			}
			return out.Print(cmd.OutOrStdout(), view)
		})
	}
	return cmd
}

// checkTemplate says which of the two ways it is, and refuses what belongs to the other.
func checkTemplate(cmd *cobra.Command, spec *vsphere.TemplateSpec) error {
	spec.Method = vsphere.TemplateByConvert
	if cmd.Flags().Changed("target") {
		spec.Method = vsphere.TemplateByClone
		if strings.TrimSpace(spec.Name) == "" {
			return sdk.Invalidf("-target: the template has no name")
		}
		return nil
	}
	for _, flag := range []string{"pool", "host", "datastore"} {
		if cmd.Flags().Changed(flag) {
			return sdk.WithHint(sdk.Invalidf("-%s: a VM that becomes a template stays where it is", flag), "with -target NAME a copy becomes the template, and goes where you say")
		}
	}
	return nil
}

func makeTemplate(ctx context.Context, client *vsphere.Client, spec vsphere.TemplateSpec, dry bool, report sdk.ProgressFunc) (cli.View, error) {
	source, err := client.GetTemplate(ctx, spec.Source)
	switch {
	case errors.Is(err, sdk.ErrNotFound) && spec.Method == vsphere.TemplateByConvert && spec.Folder != "" && !dry:
		spec.Name = path.Base(spec.Source) // an interrupted run may have moved it: CreateTemplate looks there
	case err != nil:
		return cli.View{}, err
	case spec.Method == vsphere.TemplateByConvert:
		if err := convertible(source); err != nil {
			return cli.View{}, err
		}
		spec.Name = source.Name
	}
	if dry {
		return cli.PlannedView(spec, wouldMakeTemplate(source, spec)...), nil
	}
	result, err := client.CreateTemplate(ctx, spec, report)
	if err != nil {
		return cli.View{}, err
	}
	return templateView(&result.Template), nil
}

// convertible refuses what cannot become a template in place.
func convertible(vm *vsphere.Template) error {
	switch {
	case vm.Template:
		return sdk.WithHint(sdk.Conflictf("%s is a template already", vm.Path), "-target NAME makes another one of it")
	case vm.PowerState != "poweredOff":
		return sdk.WithHint(sdk.Conflictf("%s is %s, and a template is always off", vm.Path, vm.PowerState),
			"shut it down first, hyperctl vm power %s -state shutdown, or make the template of a copy, -target NAME", strconv.Quote(vm.Name))
	}
	return nil
}

func wouldMakeTemplate(vm *vsphere.Template, spec vsphere.TemplateSpec) []string {
	var would []string
	of := vm.Path
	if spec.Method == vsphere.TemplateByClone {
		would, of = append(would, fmt.Sprintf("copy %s to %s", vm.Path, spec.Name)), spec.Name
	}
	if spec.Folder != "" && spec.Method == vsphere.TemplateByConvert {
		would = append(would, fmt.Sprintf("move %s to %s", of, spec.Folder))
	}
	if spec.Snapshot != "" {
		would = append(would, fmt.Sprintf("take snapshot %s of %s", spec.Snapshot, of))
	}
	return append(would, "make "+of+" a template")
}
