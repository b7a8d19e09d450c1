package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

func vmPower() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "power VM…",
		Short: "Power VMs on or off, shut down, reboot, reset or suspend them",
		Long: `Power VMs on or off, shut down, reboot, reset or suspend them. shutdown and
reboot go through VMware Tools and wait for the guest. off and reset are as hard
as the switch of a machine. No guest that does not obey a shutdown is powered
off hard, unless -force says so.`,
		Example: "  hyperctl vm power web-01 -state on\n" +
			"  hyperctl vm -op power -name web-01 -state shutdown -timeout 10m\n" +
			"  hyperctl vm power 'web-*' db-01 -state shutdown -force -yes",
	}
	var spec vsphere.VMPowerSpec
	var state string
	cmd.Flags().StringVar(&state, "state", "", "the `STATE` to reach: "+strings.Join(powerStates(), ", "))
	cmd.Flags().DurationVar(&spec.Timeout, "timeout", vsphere.DefaultShutdown, "the `TIME` that each VM may take")
	cmd.Flags().BoolVar(&spec.Force, "force", false, "with shutdown: power off hard what cannot be asked or is not down in time")
	b := addVMBulk(cmd)
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(powerStates(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		switch {
		case state == "":
			return sdk.WithHint(sdk.Invalidf("which state?"), "give -state on, -state shutdown or another one: %s", strings.Join(powerStates(), ", "))
		case !slices.Contains(powerStates(), state):
			return cli.Unknown("state", state, powerStates())
		case spec.Timeout <= 0:
			return sdk.Invalidf("-timeout: %s is no time to wait", spec.Timeout)
		}
		asked := spec
		asked.Action = vsphere.PowerAction(state)
		names, err := b.check(asked, args)
		if err != nil {
			return err
		}
		if len(names) > 1 || strings.ContainsAny(names[0], "*?[") {
			return b.run(args, vmChange{op: asked, question: powerQuestion(asked.Action)})
		}
		return withVCenter(cmd, b.conn, func(ctx context.Context, client *vsphere.Client) error {
			return runPower(ctx, client, names[0], asked, b)
		})
	}
	return cmd
}

func powerStates() []string {
	var states []string
	for _, action := range vsphere.PowerActions() {
		states = append(states, string(action))
	}
	return states
}

func powerQuestion(action vsphere.PowerAction) string {
	switch action {
	case vsphere.ActionOn:
		return "Power %s on?"
	case vsphere.ActionOff:
		return "Power %s off hard?"
	case vsphere.ActionShutdown:
		return "Shut down the guests of %s?"
	case vsphere.ActionReboot:
		return "Reboot the guests of %s?"
	case vsphere.ActionReset:
		return "Reset %s hard?"
	case vsphere.ActionSuspend:
	}
	return "Suspend %s?"
}

// powered is the answer of vm power for one VM.
type powered struct {
	poweredVM
	Message string `json:"message,omitempty"` // how it was done, when that is not what one expects
}

// poweredVM is the columns of its CSV.
type poweredVM struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	Ref        string `json:"ref"`
	PowerState string `json:"power_state"`
	Changed    bool   `json:"changed"` // false: it was so before
}

// runPower is vm power of the one VM that is named.
func runPower(ctx context.Context, client *vsphere.Client, name string, spec vsphere.VMPowerSpec, b *vmBulk) error {
	vm, err := client.GetVM(ctx, name)
	if err != nil {
		return err
	}
	ref := []vsphere.VMRef{{Ref: vm.Ref, Name: vm.Name, Path: vm.Path}}
	if *b.dry {
		return planPower(ctx, client, vm, ref, spec, b)
	}
	result, err := b.do(ctx, client, ref, spec)
	if err != nil {
		return err
	}
	if vm, err = client.GetVM(ctx, vm.Ref); err != nil {
		return err
	}
	answer := powered{poweredVM: poweredVM{Name: vm.Name, Path: vm.Path, Ref: vm.Ref, PowerState: vm.PowerState, Changed: result.Succeeded == 1}}
	rows := []string{"Name", answer.Name, "Path", answer.Path, "Power", answer.PowerState, "Changed", yesNo(answer.Changed)}
	if answer.Changed && result.Items[0].Message != "" {
		answer.Message = result.Items[0].Message
		rows = append(rows, "Note", answer.Message)
	}
	return b.out.Print(b.cmd.OutOrStdout(), cli.View{Value: answer, Table: cli.Details(rows...), Rows: answer.poweredVM})
}

// planPower says what would be done to the one VM.
func planPower(ctx context.Context, client *vsphere.Client, vm *vsphere.VM, ref []vsphere.VMRef, spec vsphere.VMPowerSpec, b *vmBulk) error {
	result, err := sdk.RunBulk(ctx, spec.Stage(), 1, client.PlanVMItems(spec, ref), nil)
	if err != nil {
		return err
	}
	does := powerWords(vm.Path, spec)
	if result.Skipped > 0 {
		does = "do nothing: " + vm.Path + " is " + vm.PowerState + " already"
	}
	asked := struct {
		VM    string `json:"vm"`
		State string `json:"state"`
		Force bool   `json:"force,omitempty"`
	}{vm.Path, string(spec.Action), spec.Force}
	return b.out.Print(b.cmd.OutOrStdout(), cli.PlannedView(asked, does))
}

func powerWords(path string, spec vsphere.VMPowerSpec) string {
	switch spec.Action {
	case vsphere.ActionOn:
		return "power on " + path
	case vsphere.ActionOff:
		return "power off hard " + path
	case vsphere.ActionShutdown:
		text := fmt.Sprintf("shut down the guest of %s and wait up to %s", path, spec.Timeout)
		if spec.Force {
			text += ", then power it off hard"
		}
		return text
	case vsphere.ActionReboot:
		return fmt.Sprintf("reboot the guest of %s and wait up to %s", path, spec.Timeout)
	case vsphere.ActionReset:
		return "reset hard " + path
	case vsphere.ActionSuspend:
	}
	return "suspend " + path
}
