package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/api"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/queue"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const (
	vcenterSlots   = 16 // clones and the like: vCenter and its hosts do the work
	migrationSlots = 2  // each moves disks through this machine
	handBack       = 20 * time.Second
)

// jobs are the queue and the workers of this process.
type jobs struct {
	queue   *queue.Queue
	workers []*queue.Worker
}

// startJobs opens the queue in the state directory and begins to work on it.
func startJobs(ctx context.Context, dir string, client *vsphere.Client, m *migrations, log *slog.Logger) (j *jobs, err error) {
	j = &jobs{}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.close(ctx))
		}
	}()
	if j.queue, err = queue.Open(ctx, queue.Options{Embedded: queue.Embedded{Dir: filepath.Join(dir, "jobs")}, Logger: log}); err != nil {
		return j, fmt.Errorf("open the queue: %w", err)
	}
	host := hostName()
	for _, spec := range []queue.WorkerSpec{
		{Name: host, Slots: vcenterSlots, Handlers: vcenterJobs(client)},
		{Name: host + "-migration", Slots: migrationSlots, Handlers: map[string]queue.Handler{api.KindMigration: m.run}},
	} {
		spec.Labels, spec.Version = map[string]string{"host": host}, m.version
		spec.Abort = func(id string) {
			log.Error("a job goes on although its lease is lost, and is about to start elsewhere: this process ends", "job", id)
			abort()
		}
		w, err := j.queue.Work(spec) //nolint:contextcheck // it runs until it is stopped
		if err != nil {
			return j, err
		}
		j.workers = append(j.workers, w)
	}
	return j, nil
}

var notInWorkerName = regexp.MustCompile(`[^A-Za-z0-9_.-]`)

func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "hypersdkd"
	}
	return notInWorkerName.ReplaceAllString(name, "-")
}

// close hands the jobs that run back to the queue, and ends it.
func (j *jobs) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handBack)
	defer cancel()
	var errs []error
	for _, w := range j.workers {
		errs = append(errs, w.Stop(ctx))
	}
	if j.queue != nil {
		j.queue.Close()
	}
	return errors.Join(errs...)
}
