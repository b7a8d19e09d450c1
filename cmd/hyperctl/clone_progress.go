package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// withProgress is withVCenter for work whose progress shows on stderr. do calls done before it prints its answer.
func withProgress(cmd *cobra.Command, conn *cli.Connection, do func(ctx context.Context, client *vsphere.Client, report sdk.ProgressFunc, done func()) error) error {
	settings, err := conn.Settings()
	if err != nil {
		return err
	}
	progress, err := cli.NewProgress(cmd, settings.Talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	done := sync.OnceFunc(progress.Close)
	defer done()
	log, err := cli.Logger(cmd, settings.Talk, progress)
	if err != nil {
		return err
	}
	return session(cmd.Context(), settings.VSphere, log, logoutTimeout, func(ctx context.Context, client *vsphere.Client) error {
		stop := context.AfterFunc(ctx, func() {
			fmt.Fprintln(progress, "interrupted: asking vCenter to cancel; once more to stop at once")
		})
		defer stop()
		return do(ctx, client, progress.Report, done)
	})
}
