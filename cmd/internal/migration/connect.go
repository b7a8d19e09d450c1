package migration

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/config"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// logoutTimeout bounds the farewell to vCenter after the command's own context may have ended.
const logoutTimeout = 10 * time.Second

// Connect opens the sessions that the spec needs.
func Connect(ctx context.Context, v config.VSphere, spec migrate.Spec, log *slog.Logger, version string) (migrate.Deps, error) {
	deps := migrate.Deps{Logger: log, Version: version}
	var err error
	if spec.Target != nil {
		if deps.Libvirt, err = libvirt.Open(ctx, spec.Target.URI, log); err != nil {
			return deps, err
		}
	}
	deps.VSphere, err = vsphere.Dial(ctx, vsphere.Config{
		URL: v.URL, Username: v.Username, Password: vsphere.Secret(v.Password),
		CAFile: v.CAFile, Thumbprint: v.Thumbprint, Insecure: v.Insecure, Logger: log,
	})
	if err != nil {
		return deps, errors.Join(err, Disconnect(ctx, deps))
	}
	return deps, nil
}

// Disconnect ends the sessions, also after ctx was canceled.
func Disconnect(ctx context.Context, deps migrate.Deps) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logoutTimeout)
	defer cancel()
	var errs []error
	if deps.VSphere != nil {
		errs = append(errs, deps.VSphere.Close(ctx))
	}
	if deps.Libvirt != nil {
		errs = append(errs, deps.Libvirt.Close()) //nolint:contextcheck // it takes none
	}
	return errors.Join(errs...)
}

// Blocked is the error of a preview that found what would stop the migration; nil when nothing would. what is the word for it:
// export or migration.
func Blocked(what string, plan *migrate.Plan) error {
	if len(plan.Blocking) == 0 {
		return nil
	}
	return sdk.WithHint(sdk.Conflictf("%s of %q would be stopped by %s", what, plan.Name, ids(plan.Blocking)),
		"do what the findings say, or let one pass with --ignore ID")
}
