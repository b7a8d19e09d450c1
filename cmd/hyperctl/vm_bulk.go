package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// vmBulk is what the verbs have in common that change one VM or several: which VMs, the consent, the dry run, how many at once,
// the progress and the summary.
type vmBulk struct {
	cmd  *cobra.Command
	out  *cli.Output
	conn *cli.Connection
	dry  *cli.DryRun
	yes  *cli.Consent
	max  *cli.Concurrent
	name *string
}

const vmsUsage = "a `VM`, as a flag: name, inventory path, moref, instance UUID or a glob"

// vmsHelp ends the description of every verb that takes several VMs.
const vmsHelp = `

A VM is its name, inventory path, moref or instance UUID, or a glob over names
or whole paths ('web-*', '/DC0/vm/test/*'), which chooses no templates. Several
VMs are shown, and changed only with consent: asked on a terminal, given by
-yes elsewhere. A VM that is so already is skipped, so that the same command
goes on where one was interrupted.`

func addVMBulk(cmd *cobra.Command) *vmBulk {
	b := &vmBulk{cmd: cmd, dry: cli.AddDryRun(cmd), yes: cli.AddConsent(cmd), max: cli.AddConcurrent(cmd)}
	cmd.Long += vmsHelp
	cmd.Args = cobra.ArbitraryArgs
	cli.AddProgress(cmd)
	b.out, b.conn = cli.AddOutput(cmd), cli.AddConnection(cmd)
	b.name = cmd.Flags().String("name", "", vmsUsage)
	completeFlag(cmd, b.conn, "name", "vm")
	complete := completeNames(b.conn, "vm")
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		found, directive := complete(cmd, nil, typed)
		return slices.DeleteFunc(found, func(name string) bool { return slices.Contains(args, name) }), directive
	}
	return b
}

// vmChange is an operation as a verb asks for it.
type vmChange struct {
	op       vsphere.VMOperation
	question string // with a %s for the VMs: "Delete %s with all disks?"
	always   bool   // asked also for one VM that is named
	word     string // to be typed; empty: y
	hint     string // for a VM that runs; may be empty
}

// names are the VMs as the command line has them.
func (b *vmBulk) names(args []string) ([]string, error) {
	names := slices.Clone(args)
	if *b.name != "" {
		names = append(names, *b.name)
	}
	if len(names) == 0 {
		return nil, sdk.WithHint(sdk.Invalidf("which VM?"), "give names as arguments, or one with -name")
	}
	return names, nil
}

// check refuses what cannot be meant, before anybody is asked.
func (b *vmBulk) check(op vsphere.VMOperation, args []string) ([]string, error) {
	if err := b.out.Check(); err != nil {
		return nil, err
	}
	if err := op.Validate(); err != nil {
		return nil, err
	}
	return b.names(args)
}

// run does the change to the VMs that args name.
func (b *vmBulk) run(args []string, change vmChange) error {
	names, err := b.check(change.op, args)
	if err != nil {
		return err
	}
	return withVCenter(b.cmd, b.conn, func(ctx context.Context, client *vsphere.Client) error {
		vms, err := client.FindVMs(ctx, names)
		if err != nil {
			return err
		}
		if *b.dry {
			return b.plan(ctx, client, vms, change.op)
		}
		if err := b.consent(ctx, vms, names, change); err != nil {
			return err
		}
		result, err := b.do(ctx, client, vms, change.op)
		if change.hint != "" && errors.Is(err, vsphere.ErrRunning) {
			err = sdk.WithHint(err, "%s", change.hint)
		}
		return b.show(ctx, result, err)
	})
}

// plan prints what would be done. That something could not be done is an error, as it would be.
func (b *vmBulk) plan(ctx context.Context, client *vsphere.Client, vms []vsphere.VMRef, op vsphere.VMOperation) error {
	result, err := sdk.RunBulk(ctx, op.Stage(), int(*b.max), client.PlanVMItems(op, vms), nil)
	t := cli.Table{Columns: []cli.Column{{Name: "NAME"}, {Name: "WOULD"}}}
	would := make([]string, len(result.Items))
	for i, o := range result.Items {
		text := strings.TrimPrefix(o.Message, "would ")
		switch o.Status {
		case sdk.Succeeded:
		case sdk.Skipped:
			text = "do nothing: " + o.Message
		default:
			text = "fail: " + o.Message
		}
		t.Rows = append(t.Rows, []string{o.Name, text})
		would[i] = o.Name + ": " + text
	}
	spec := struct {
		Operation string              `json:"operation"`
		Spec      vsphere.VMOperation `json:"spec"`
		VMs       []vsphere.VMRef     `json:"vms"`
	}{op.Stage(), op, vms}
	view := cli.View{Value: cli.Planned{DryRun: true, Would: would, Spec: spec}, Table: t, Rows: result.Items}
	if perr := b.out.Print(b.cmd.OutOrStdout(), view); perr != nil {
		return perr
	}
	return err
}

// consent shows the VMs and asks, where the change is to several VMs or cannot be taken back.
func (b *vmBulk) consent(ctx context.Context, vms []vsphere.VMRef, names []string, change vmChange) error {
	glob := slices.ContainsFunc(names, func(name string) bool { return strings.ContainsAny(name, "*?[") })
	if len(vms) == 1 && !glob && !change.always {
		return nil
	}
	which := vms[0].Path
	if len(vms) > 1 {
		which = fmt.Sprintf("these %d VMs", len(vms))
	}
	return b.yes.Confirm(ctx, fmt.Sprintf(change.question, which), change.word, func(w io.Writer) error {
		if len(vms) == 1 {
			return nil
		}
		t := cli.Table{Columns: []cli.Column{{Name: "VM"}, {Name: "POWER"}, {Name: "PATH"}}}
		for _, vm := range vms {
			t.Rows = append(t.Rows, []string{vm.Name, vm.PowerState, vm.Path})
		}
		return t.Write(w)
	})
}

// do does the operation, with progress on stderr.
func (b *vmBulk) do(ctx context.Context, client *vsphere.Client, vms []vsphere.VMRef, op vsphere.VMOperation) (*sdk.BulkResult, error) {
	settings, err := b.conn.Settings()
	if err != nil {
		return nil, err
	}
	progress, err := cli.NewProgress(b.cmd, settings.Talk, b.cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	defer progress.Close()
	stop := context.AfterFunc(ctx, func() {
		fmt.Fprintln(progress, "interrupted: asking vCenter to cancel; once more to stop at once")
	})
	defer stop()
	return sdk.RunBulk(ctx, op.Stage(), int(*b.max), client.VMItems(op, vms), func(p sdk.Progress) {
		if p.Status != "" && p.Status != sdk.Running {
			p.Message = "" // the summary says it
		}
		progress.Report(p)
	})
}

// show prints the summary. Of one VM that failed the error says it all.
func (b *vmBulk) show(ctx context.Context, result *sdk.BulkResult, err error) error {
	if result == nil || err != nil && result.Total == 1 {
		return err
	}
	if perr := b.out.Print(b.cmd.OutOrStdout(), cli.BulkView(result)); perr != nil {
		return perr
	}
	if err != nil && ctx.Err() != nil {
		return sdk.WithHint(err, "the same command goes on: what is done already is skipped")
	}
	return err
}
