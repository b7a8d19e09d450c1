package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/job"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/libvirt"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/migrate"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

// migrations plans and runs migrations on this machine, over the daemon's session at vCenter.
type migrations struct {
	client  *vsphere.Client
	log     *slog.Logger
	version string
}

// with opens the libvirt that the spec names, and closes it after do.
func (m *migrations) with(ctx context.Context, spec migrate.Spec, log *slog.Logger, do func(migrate.Deps) error) (err error) {
	deps := migrate.Deps{VSphere: m.client, Logger: log, Version: m.version}
	if spec.Target != nil {
		if deps.Libvirt, err = libvirt.Open(ctx, spec.Target.URI, log); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, deps.Libvirt.Close()) }() //nolint:contextcheck // it takes none
	}
	return do(deps)
}

// preview finds out what a migration would do. It changes nothing.
func (m *migrations) preview(ctx context.Context, spec migrate.Spec) (plan *migrate.Plan, err error) {
	err = m.with(ctx, spec, m.log, func(deps migrate.Deps) error {
		plan, err = migrate.Preview(ctx, deps, spec)
		return err
	})
	return plan, err
}

// run is a migration as a job: what an interrupted run left behind on disk is where it goes on.
func (m *migrations) run(ctx context.Context, t *queue.Task) (any, error) {
	var spec migrate.Spec
	if err := t.Decode(&spec); err != nil {
		return nil, err
	}
	var result *migrate.Result
	err := m.with(ctx, spec, t.Logger(slog.LevelInfo), func(deps migrate.Deps) error {
		plan, err := migrate.Preview(ctx, deps, spec)
		if err != nil {
			return err
		}
		var stages []string
		for _, s := range plan.Stages {
			stages = append(stages, s.Name)
		}
		t.Plan(stages...)
		result, err = migrate.Run(ctx, deps, spec, t.Report)
		if err != nil {
			err = fmt.Errorf("migration of %q: %w", spec.VM, err)
		}
		return err
	})
	if result == nil {
		return nil, err
	}
	for _, file := range result.Files {
		if info, serr := os.Stat(file); serr == nil && info.Mode().IsRegular() {
			t.AddArtifact(job.Artifact{Name: filepath.Base(file), Path: file, Worker: t.Job().Worker, Bytes: info.Size()})
		}
	}
	return result, err
}
