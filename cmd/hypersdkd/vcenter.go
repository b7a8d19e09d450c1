package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/cli"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// logoutTimeout bounds the farewell to vCenter after the daemon's own context has ended.
const logoutTimeout = 10 * time.Second

// source is the vCenter that the daemon works on.
type source struct {
	client *vsphere.Client
	demo   *demo.VCenter // nil: a real one
}

// dial opens the session, at a simulated vCenter of its own when asked.
func (o *options) dial(ctx context.Context, cmd *cobra.Command, conn *cli.Connection, d config.Daemon, log *slog.Logger) (*source, error) {
	s := &source{}
	v, err := o.address(ctx, cmd, conn, d, s)
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	s.client, err = vsphere.Dial(ctx, vsphere.Config{
		URL: v.URL, Username: v.Username, Password: vsphere.Secret(v.Password),
		CAFile: v.CAFile, Thumbprint: v.Thumbprint, Insecure: v.Insecure, Logger: log,
	})
	if err != nil {
		return nil, errors.Join(err, s.close(ctx))
	}
	return s, nil
}

// address finds out which vCenter: the demo's, the file's, or the one that flags, environment and contexts name.
func (o *options) address(ctx context.Context, cmd *cobra.Command, conn *cli.Connection, d config.Daemon, s *source) (config.VSphere, error) {
	byFlag := cmd.Flags().Changed("server") || cmd.Flags().Changed("context")
	if o.demo {
		if byFlag {
			return config.VSphere{}, sdk.Invalidf("--demo brings its own vCenter; leave --server and --context out")
		}
		return s.startDemo(ctx, d.StateDir)
	}
	if v, named := d.VSphere.Settings(); named && !byFlag {
		if d.VSphere.PasswordFile != "" {
			password, err := cli.ReadPassword(d.VSphere.PasswordFile, cmd.InOrStdin())
			if err != nil {
				return v, fmt.Errorf("password_file: %w", err)
			}
			v.Password = password
		}
		return v, nil
	}
	if d.VSphere.Name != "" && !byFlag {
		if err := cmd.Flags().Set("context", d.VSphere.Name); err != nil {
			return config.VSphere{}, err
		}
	}
	settings, err := conn.Settings()
	if err != nil {
		return config.VSphere{}, sdk.WithHint(err, "hypersdkd --demo brings a simulated vCenter")
	}
	return settings.VSphere, nil
}

// close logs out and ends the simulated vCenter.
func (s *source) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer cancel()
	var errs []error
	if s.client != nil {
		errs = append(errs, s.client.Close(ctx))
	}
	if s.demo != nil {
		errs = append(errs, s.demo.Close()) //nolint:contextcheck // it takes none
	}
	return errors.Join(errs...)
}
