package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	completionTimeout  = 2 * time.Second // a person waits with a finger on the key
	completionFarewell = 300 * time.Millisecond
)

// completions say how the names of each kind of thing are read. A noun adds its line here and calls completeNames.
var completions = map[string]func(context.Context, *vsphere.Client) ([]string, error){
	"cluster": func(ctx context.Context, c *vsphere.Client) ([]string, error) {
		clusters, err := c.ListClusters(ctx, vsphere.Filter{})
		return names(clusters, func(c vsphere.Cluster) string { return c.Name }), err
	},
	"vm": func(ctx context.Context, c *vsphere.Client) ([]string, error) {
		vms, err := c.ListVMs(ctx, vsphere.Filter{})
		return names(vms, func(vm vsphere.VMSummary) string { return vm.Name }), err
	},
	"host": func(ctx context.Context, c *vsphere.Client) ([]string, error) {
		hosts, err := c.ListHosts(ctx, vsphere.Filter{})
		return names(hosts, func(h vsphere.Host) string { return h.Name }), err
	},
	"pool":              references(vsphere.KindResourcePool),
	"folder":            references(vsphere.KindFolder),
	"datastore":         references(vsphere.KindDatastore),
	"datastore cluster": references(vsphere.KindDatastoreCluster),
	"network":           references(vsphere.KindNetwork),
	"template": func(ctx context.Context, c *vsphere.Client) ([]string, error) {
		templates, err := c.ListTemplates(ctx, "")
		return names(templates, func(t vsphere.Template) string { return t.Name }), err
	},
}

// completeNames offers the names of a kind to the shell, for an operand or a flag: quickly, from the cache when vCenter was asked a
// moment ago, and without a word when it cannot be asked.
func completeNames(conn *cli.Connection, kind string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return askNames(cmd, conn, kind, typed, completions[kind]), cobra.ShellCompDirectiveNoFileComp
	}
}

// askNames asks vCenter within the time that a person waits. What is read is kept under the key.
func askNames(cmd *cobra.Command, conn *cli.Connection, key, typed string, ask func(context.Context, *vsphere.Client) ([]string, error)) []string {
	return conn.CompleteNames(key, typed, func() ([]string, error) {
		settings, err := conn.Settings()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
		defer cancel()
		var found []string
		err = session(ctx, settings.VSphere, slog.New(slog.DiscardHandler), completionFarewell,
			func(ctx context.Context, client *vsphere.Client) error {
				found, err = ask(ctx, client)
				return err
			})
		return found, err
	})
}

// nameFlag gives cmd the flag -name beside its operand, both of which the shell completes.
func nameFlag(cmd *cobra.Command, conn *cli.Connection, kind, usage string) *string {
	name := cmd.Flags().String("name", "", usage)
	cmd.ValidArgsFunction = completeNames(conn, kind)
	completeFlag(cmd, conn, "name", kind)
	return name
}

// completeFlag lets the shell complete a flag's value.
func completeFlag(cmd *cobra.Command, conn *cli.Connection, flag, kind string) {
	complete := completeNames(conn, kind)
	// The name is right by construction.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd, nil, typed) // whatever operands there are
	})
}

func names[T any](list []T, name func(T) string) []string {
	var out []string
	for _, one := range list {
		out = append(out, name(one))
	}
	return out
}
