package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// logoutTimeout bounds the farewell to vCenter after the command's own context may have ended.
const logoutTimeout = 10 * time.Second

// withVCenter runs do with a session that the command's flags, the environment and the context describe, and logs out.
func withVCenter(cmd *cobra.Command, conn *cli.Connection, do func(context.Context, *vsphere.Client) error) error {
	settings, err := conn.Settings()
	if err != nil {
		return err
	}
	log, err := cli.Logger(cmd, settings.Talk, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	return session(cmd.Context(), settings.VSphere, log, logoutTimeout, do)
}

// session logs in, runs do and logs out within the farewell.
func session(ctx context.Context, v config.VSphere, log *slog.Logger, farewell time.Duration, do func(context.Context, *vsphere.Client) error) (err error) {
	client, err := vsphere.Dial(ctx, vsphere.Config{
		URL: v.URL, Username: v.Username, Password: vsphere.Secret(v.Password),
		CAFile: v.CAFile, Thumbprint: v.Thumbprint, Insecure: v.Insecure, Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		err = errors.Join(err, client.Close(ctx))
	}()
	return do(ctx, client)
}
