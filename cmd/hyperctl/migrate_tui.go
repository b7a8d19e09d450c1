package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/tui"
)

// runUI opens the full-screen UI on the terminal and returns when it is left. What it began and what became of it is told
// afterwards, where it stays readable.
func runUI(ctx context.Context, cmd *cobra.Command, conn *cli.Connection, version string) error {
	in, out, ok := cli.Terminal(cmd)
	if !ok {
		return sdk.WithHint(sdk.Invalidf("the terminal UI needs a terminal on standard input and output"),
			"name a VM to migrate it without one: hyperctl migrate VM")
	}
	settings, err := conn.Settings()
	if err != nil {
		return err
	}
	environment, err := config.FromEnvironment()
	if err != nil {
		return err
	}
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	var done []tui.Summary
	// On the screen there is no room for a log.
	err = session(ctx, settings.VSphere, slog.New(slog.DiscardHandler), logoutTimeout, func(ctx context.Context, client *vsphere.Client) error {
		life, stop := context.WithCancel(ctx)
		defer stop()
		backend := tui.NewSDKBackend(life, client, nil, version)
		var err error
		done, err = tui.Run(life, backend, tui.Options{Dir: dir, TargetURI: environment.Libvirt.URI}, in, out)
		return err
	})
	if errors.Is(err, tui.ErrQuit) {
		err = cli.Quit(err)
	}
	var told []error
	for _, summary := range done {
		_, err := fmt.Fprintln(cmd.ErrOrStderr(), summary.Line())
		told = append(told, err)
	}
	return errors.Join(append([]error{err}, told...)...)
}
