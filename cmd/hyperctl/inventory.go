package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/client"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// inventory is what the commands that only read ask: vCenter itself, or a daemon.
type inventory interface {
	ListHosts(context.Context, vsphere.Filter) ([]vsphere.Host, error)
	GetHost(context.Context, string) (*vsphere.Host, error)
	ListClusters(context.Context, vsphere.Filter) ([]vsphere.Cluster, error)
	GetCluster(context.Context, string) (*vsphere.Cluster, error)
	ListDatacenters(context.Context, vsphere.Filter) ([]vsphere.Datacenter, error)
	GetVCenter(context.Context) (*vsphere.VCenter, error)
	ListVMs(context.Context, vsphere.Filter) ([]vsphere.VMSummary, error)
	GetVM(context.Context, string) (*vsphere.VM, error)
	ListSnapshots(context.Context, string) (*vsphere.VMSnapshots, error)
	ListResourcePools(context.Context, string) ([]vsphere.ResourcePool, error)
	GetMetrics(context.Context, vsphere.MetricsSpec) (*vsphere.Metrics, error)
	StreamMetrics(context.Context, vsphere.MetricsSpec, func(*vsphere.Metrics) error) error
	ListEvents(context.Context, vsphere.EventsSpec) (*vsphere.EventsResult, error)
	StreamEvents(context.Context, vsphere.EventsSpec, func(vsphere.Event) error) error
}

var (
	_ inventory = (*vsphere.Client)(nil)
	_ inventory = (*client.Client)(nil)
)

// withInventory runs do with the daemon that is given, or else with a session of this command's own.
func withInventory(cmd *cobra.Command, conn *cli.Connection, daemon *cli.Daemon, do func(context.Context, inventory) error) error {
	settings, err := daemon.Given()
	if err != nil {
		return err
	}
	if settings.Remote.URL != "" {
		return onDaemon(cmd, settings, func(ctx context.Context, c *client.Client) error { return do(ctx, c) })
	}
	return withVCenter(cmd, conn, func(ctx context.Context, c *vsphere.Client) error { return do(ctx, c) })
}
