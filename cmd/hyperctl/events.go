package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// eventsCommand has no verbs: what it does follows from its flags.
func eventsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what vCenter recorded, the newest first, or as it happens",
		Example: "  hyperctl events -since 1h\n" +
			"  hyperctl events -since 24h -types VmPoweredOnEvent,VmCreatedEvent\n" +
			"  hyperctl events -entity /DC1/vm/web-01 -severity warning,error -json\n" +
			"  hyperctl events -follow",
		Args: cli.NoArgs,
	}
	var spec vsphere.EventsSpec
	flags := cmd.Flags()
	flags.StringVar(&spec.Since, "since", "", "from when on: `TIME` as 24h, \"24h ago\" or RFC 3339 (default: all that vCenter keeps; with -follow: now)")
	flags.StringVar(&spec.Until, "until", "", "until when: `TIME` in the same forms (default now)")
	flags.StringSliceVar(&spec.Types, "types", nil, "only these `TYPES`, with commas: VmPoweredOnEvent, VmEvent for all of VMs")
	flags.StringVar(&spec.Entity, "entity", "", "only of this object and what is in it: `NAME`, inventory path or moref")
	flags.StringVar(&spec.Recursion, "recursion", "", "with -entity: all, self or children (default all)")
	flags.StringSliceVar(&spec.Severity, "severity", nil, "only these `SEVERITIES`, with commas: info, user, warning, error")
	flags.StringVar(&spec.User, "user", "", "only what this `USER` caused")
	flags.IntVar(&spec.Limit, "limit", 0, "at most `N`, the newest (default 1000)")
	follow := flags.Bool("follow", false, "go on with every new event, the oldest first, until interrupted")
	out, conn, daemon := cli.AddOutput(cmd), cli.AddConnection(cmd), cli.AddDaemon(cmd)
	// The names are right by construction.
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions(vsphere.Severities(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("recursion", cobra.FixedCompletions([]string{"all", "self", "children"}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := out.Check(); err != nil {
			return err
		}
		if err := spec.Validate(); err != nil {
			return err
		}
		return withInventory(cmd, conn, daemon, func(ctx context.Context, client inventory) error {
			if *follow {
				return followEvents(ctx, cmd, client, spec, out)
			}
			result, err := client.ListEvents(ctx, spec)
			if err != nil {
				return err
			}
			if result.Truncated {
				fmt.Fprintf(cmd.ErrOrStderr(), "there are older events; -limit above %d shows more\n", len(result.Events))
			}
			return out.Print(cmd.OutOrStdout(), cli.View{Value: result.Events, Table: eventsTable(result.Events)})
		})
	}
	return cmd
}

// followEvents prints each event as it happens: a row, or a line of JSON.
func followEvents(ctx context.Context, cmd *cobra.Command, client inventory, spec vsphere.EventsSpec, out *cli.Output) error {
	rows := cli.Rows{}
	return client.StreamEvents(ctx, spec, func(e vsphere.Event) error {
		return out.PrintNext(cmd.OutOrStdout(), &rows, cli.View{Value: e, Table: eventsTable([]vsphere.Event{e})})
	})
}

func eventsTable(events []vsphere.Event) cli.Table {
	t := cli.Table{Columns: []cli.Column{{Name: "TIME"}, {Name: "SEVERITY"}, {Name: "TYPE"}, {Name: "USER"}, {Name: "MESSAGE"}}}
	for _, e := range events {
		t.Rows = append(t.Rows, []string{e.CreatedAt.Format(time.RFC3339), e.Severity, e.EventType, e.User, e.Message})
	}
	return t
}
