package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	powerOn       = "on"
	powerShutdown = "shutdown"

	defaultShutdown = 5 * time.Minute
)

// powerSpec is what vm power asks for.
type powerSpec struct {
	VM      string        `json:"vm"`
	State   string        `json:"state"` // on or shutdown
	Timeout time.Duration `json:"-"`     // of a shutdown
}

func vmPower() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "power NAME",
		Short: "Power a VM on, or shut its guest down",
		Long: `Power a VM on, or shut its guest down through VMware Tools and wait until it
is off. A VM that is in the wanted state already is fine. No VM is ever powered
off hard.`,
		Example: "  hyperctl vm power web-01 -state on\n  hyperctl vm -op power -name web-01 -state shutdown -timeout 10m",
		Args:    cli.MaxArgs(1),
	}
	var spec powerSpec
	cmd.Flags().StringVar(&spec.State, "state", "", "the `STATE` to reach: on or shutdown")
	cmd.Flags().DurationVar(&spec.Timeout, "timeout", defaultShutdown, "the `TIME` that the guest may take to shut down")
	dry, out, conn := cli.AddDryRun(cmd), cli.AddOutput(cmd), cli.AddConnection(cmd)
	name := nameFlag(cmd, conn, "vm", vmNameUsage)
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc("state", cobra.FixedCompletions([]string{powerOn, powerShutdown}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		var err error
		if spec.VM, err = cli.Operand("VM", *name, args); err != nil {
			return err
		}
		if err := spec.validate(); err != nil {
			return err
		}
		return withVCenter(cmd, conn, func(ctx context.Context, client *vsphere.Client) error {
			return runPower(ctx, client, spec, bool(*dry), func(v cli.View) error { return out.Print(cmd.OutOrStdout(), v) })
		})
	}
	return cmd
}

func (s powerSpec) validate() error {
	switch {
	case s.State == "":
		return sdk.WithHint(sdk.Invalidf("which state?"), "give -state on or -state shutdown")
	case s.State != powerOn && s.State != powerShutdown:
		return cli.Unknown("state", s.State, []string{powerOn, powerShutdown})
	case s.Timeout <= 0:
		return sdk.Invalidf("-timeout: %s is no time to wait", s.Timeout)
	}
	return nil
}

// powered is the answer of vm power.
type powered struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	Ref        string `json:"ref"`
	PowerState string `json:"power_state"`
	Changed    bool   `json:"changed"` // false: it was so before
}

func runPower(ctx context.Context, client *vsphere.Client, spec powerSpec, dry bool, show func(cli.View) error) error {
	vm, err := client.GetVM(ctx, spec.VM)
	if err != nil {
		return err
	}
	answer := powered{Name: vm.Name, Path: vm.Path, Ref: vm.Ref, PowerState: "poweredOn"}
	does, do := "power on "+vm.Path, func() error { return client.PowerOnVM(ctx, vm) }
	if spec.State == powerShutdown {
		answer.PowerState = "poweredOff"
		does = fmt.Sprintf("shut down the guest of %s and wait up to %s", vm.Path, spec.Timeout)
		do = func() error { return client.ShutdownVM(ctx, vm, spec.Timeout) }
	}
	answer.Changed = vm.PowerState != answer.PowerState
	if dry && !answer.Changed {
		return show(cli.PlannedView(spec, "do nothing: "+vm.Path+" is "+vm.PowerState+" already"))
	}
	if dry {
		return show(cli.PlannedView(spec, does))
	}
	if answer.Changed {
		if err := do(); err != nil {
			return err
		}
	}
	return show(cli.View{Value: answer, Table: cli.Details("Name", answer.Name, "Path", answer.Path, "Power", answer.PowerState, "Changed", yesNo(answer.Changed))})
}
