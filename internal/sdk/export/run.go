package export

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/journal"
)

const (
	// busyTimeout is how long Run waits for another lease on the VM: longer than a lease outlives a killed client.
	busyTimeout = 6 * time.Minute
	firstPause  = 500 * time.Millisecond
	longPause   = 30 * time.Second
)

// runner is one Run.
type runner struct {
	src     Source
	spec    Spec
	journal *journal.Journal
	report  sdk.ProgressFunc
	pauses  *backoff.ExponentialBackOff
	encode  encoding
	disks   []*disk
	ova     *ova  // while one is written
	stale   bool  // what is around the disks must be made (anew), because a disk is
	pack    *disk // counts the attempts at what is not a disk: the descriptor and the archive around the disks

	mu    sync.Mutex
	state section
	notes []string
}

// disk is one disk of the spec on its way.
type disk struct {
	spec     DiskSpec
	kept     string // path of the kept VMDK, or of the OVA; empty: none
	image    bool   // still to be converted
	keep     bool   // still to be kept
	attempts int
	invalid  int // attempts that ended in a wrong stream
	meter    meter
	wire     atomic.Int64
	result   Disk
}

func (d *disk) done() bool { return !d.image && !d.keep }

// Run exports the disks in one pass each, in parallel, and records what is done in the journal: a second Run with the same
// spec skips the disks whose files still match. An image appears under its final name only when it is whole and synced. On
// cancellation the lease is aborted, partial files are removed and finished disks stay. Progress is bytes of disk covered.
//
// A cut connection or a lost lease is tried again with a new lease, Attempts times for each disk. A file that is in the way
// is sdk.ErrConflict; a stream that is wrong twice is sdk.ErrInvalid.
//
// An OVA is one file, written disk after disk: an OVA that is not whole is begun anew by the next Run.
func Run(ctx context.Context, src Source, spec Spec, j *journal.Journal, report sdk.ProgressFunc) (*Result, error) {
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	pauses := backoff.NewExponentialBackOff()
	pauses.InitialInterval, pauses.MaxInterval = firstPause, longPause
	r := &runner{src: src, spec: spec.defaults(), journal: j, report: report, pauses: pauses, pack: &disk{}}
	r.pack.spec = DiskSpec{ID: r.spec.Name, Address: string(r.spec.Keep)}
	if err := r.resume(ctx); err != nil {
		return nil, err
	}
	if !r.done() {
		r.chooseEncoding(ctx)
		err := r.rounds(ctx)
		r.dropOVA()
		if err != nil {
			return nil, err
		}
	}
	return r.result(), nil
}

// resume finds out what is whole already.
func (r *runner) resume(ctx context.Context) error {
	if _, err := r.journal.Get(sectionName, &r.state); err != nil {
		return err
	}
	if r.state.Files == nil {
		r.state.Files = map[string]record{}
	}
	for _, spec := range r.spec.Disks {
		d := &disk{spec: spec, kept: r.keptPath(spec.ID)}
		d.result = Disk{ID: spec.ID, Address: spec.Address, Path: spec.Path, SourcePath: d.kept, Transport: "nfc"}
		if spec.Path != "" {
			d.result.Format = spec.Format
			whole, err := r.reuse(ctx, spec.Path, r.made(spec))
			if err != nil {
				return err
			}
			d.image = !whole
		}
		if d.kept != "" {
			whole, err := r.reuse(ctx, d.kept, r.madeKept())
			if err != nil {
				return err
			}
			d.keep = !whole
			r.stale = r.stale || d.keep
		}
		d.meter = meter{report: r.report, item: spec.ID, wire: &d.wire}
		r.disks = append(r.disks, d)
	}
	for _, path := range r.descriptorPaths() {
		if _, err := r.reuse(ctx, path, madeDescriptor); err != nil {
			return err
		}
	}
	return nil
}

// made says how a disk's image is made.
func (r *runner) made(spec DiskSpec) string {
	if spec.Format == "raw" {
		return "raw"
	}
	return fmt.Sprintf("qcow2 %s %d", r.spec.Compression.Mode, r.spec.Compression.Level)
}

// done says whether nothing is left to do.
func (r *runner) done() bool {
	for _, d := range r.disks {
		if !d.done() {
			return false
		}
	}
	return r.described()
}

// rounds opens a lease, exports what is left over it, and begins again with a new lease while that may help.
func (r *runner) rounds(ctx context.Context) error {
	for {
		lease, err := r.lease(ctx)
		if err != nil {
			return err
		}
		err = r.round(ctx, lease)
		endErr := lease.End(ctx, err)
		if err == nil {
			if endErr != nil { // everything is here; the lease ends by itself
				r.notes = append(r.notes, endErr.Error())
			}
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("export: %w", context.Cause(ctx))
		}
		if _, final := errors.AsType[*finalError](err); final {
			return err
		}
		if err := r.pause(ctx); err != nil {
			return err
		}
	}
}

// lease opens one, and tries again while the server cannot be reached or another lease is open.
func (r *runner) lease(ctx context.Context) (Lease, error) {
	busySince := time.Now()
	for attempt := 1; ; attempt++ {
		lease, err := r.src.Lease(ctx)
		if err == nil {
			return lease, nil
		}
		busy := errors.Is(err, ErrBusy) && time.Since(busySince) < busyTimeout
		again := errors.Is(err, sdk.ErrUnavailable) && attempt < r.spec.Attempts
		if ctx.Err() != nil || (!busy && !again) {
			return nil, err
		}
		r.report.Report(sdk.Progress{Stage: "export", Status: sdk.Running, Message: "waiting: " + err.Error()})
		if err := r.pause(ctx); err != nil {
			return nil, err
		}
	}
}

func (r *runner) pause(ctx context.Context) error {
	timer := time.NewTimer(r.pauses.NextBackOff())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("export: %w", context.Cause(ctx))
	case <-timer.C:
		return nil
	}
}

// finalError is an error that another attempt will not cure.
type finalError struct{ err error }

func (e *finalError) Error() string { return e.err.Error() }
func (e *finalError) Unwrap() error { return e.err }

// round exports the unfinished disks over one lease. An error that is not a finalError asks for another round.
func (r *runner) round(parent context.Context, lease Lease) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	defer cancelWhenLost(lease, cancel)()

	served, err := r.match(lease)
	if err != nil {
		return &finalError{err}
	}
	if r.spec.Keep == KeepOVA && !r.described() {
		if err := r.openOVA(ctx, lease, served); err != nil {
			return r.judge(ctx, r.pack, err)
		}
	}
	progress := func() { lease.Progress(r.percent()) }
	slots := make(chan struct{}, r.parallel())
	errs := make([]error, len(r.disks))
	var work sync.WaitGroup
	for i, d := range r.disks {
		if d.done() {
			continue
		}
		slots <- struct{}{}
		if ctx.Err() != nil || (r.spec.Keep == KeepOVA && anyError(errs)) { // an OVA's disks keep their order
			break
		}
		work.Go(func() {
			defer func() { <-slots }()
			err := r.exportDisk(ctx, lease, d, served[d.spec.Address], progress)
			if lost := lease.Err(); err != nil && lost != nil {
				err = lost // what the transfer says of it is only the consequence
			}
			errs[i] = r.judge(ctx, d, err)
			if final, ok := errors.AsType[*finalError](errs[i]); ok {
				cancel(final)
			}
		})
	}
	work.Wait()
	if err := firstError(errs); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := r.describe(ctx, lease, served); err != nil {
		return r.judge(ctx, r.pack, err)
	}
	return nil
}

// cancelWhenLost ends the transfers of a lease that ends without us. The caller calls stop.
func cancelWhenLost(lease Lease, cancel context.CancelCauseFunc) (stop func()) {
	stopped := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-lease.Lost():
			cancel(lease.Err())
		case <-stopped:
		}
	})
	return func() {
		close(stopped)
		watch.Wait()
	}
}

// parallel is how many disks go at once. An OVA takes them one after another, since a tar is written from its beginning.
func (r *runner) parallel() int {
	if r.spec.Keep == KeepOVA {
		return 1
	}
	return r.spec.Parallel
}

// match finds the spec's disks in the lease, by address.
func (r *runner) match(lease Lease) (map[string]SourceDisk, error) {
	served := map[string]SourceDisk{}
	for _, s := range lease.Disks() {
		served[s.Address] = s
	}
	for _, d := range r.disks {
		s, ok := served[d.spec.Address]
		if !ok {
			return nil, sdk.WithHint(sdk.NotFoundf("%s: the source does not serve disk %s", d.spec.ID, d.spec.Address),
				"independent and raw-mapped disks are not exported by vSphere")
		}
		d.meter.total.Store(s.CapacityBytes)
	}
	return served, nil
}

// judge decides what an error means for the next round and counts it for the disk.
func (r *runner) judge(ctx context.Context, d *disk, err error) error {
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pauses.Reset()
		return nil
	}
	name := fmt.Sprintf("%s (%s)", d.spec.ID, d.spec.Address)
	if cause := context.Cause(ctx); cause != nil {
		if _, otherDisk := errors.AsType[*finalError](cause); otherDisk || errors.Is(cause, context.Canceled) {
			d.meter.end(sdk.Canceled, "")
			return fmt.Errorf("export %s: %w", name, context.Canceled)
		}
		err = cause
	}
	d.attempts++
	err = fmt.Errorf("export %s: %w", name, err)
	if !d.again(err, r.spec.Attempts) {
		if d.attempts > 1 {
			err = fmt.Errorf("%w (attempt %d)", err, d.attempts)
		}
		d.meter.end(sdk.Failed, err.Error())
		return &finalError{err}
	}
	d.meter.say(fmt.Sprintf("attempt %d of %d after: %v", d.attempts+1, r.spec.Attempts, err))
	return err
}

// again says whether another attempt may end better: a cut transfer many times, a wrong stream once, anything else not.
func (d *disk) again(err error, most int) bool {
	switch {
	case isDiskFull(err) || d.attempts >= most:
		return false
	case isCut(err):
		return true
	case errors.Is(err, sdk.ErrInvalid):
		d.invalid++
		return d.invalid < 2
	}
	return false
}

// percent of the whole export, for the lease.
func (r *runner) percent() int {
	var done, total int64
	for _, d := range r.disks {
		total += d.meter.total.Load()
		done += d.meter.high.Load()
	}
	if total == 0 {
		return 0
	}
	return int(done * 100 / total)
}

func anyError(errs []error) bool { return firstError(errs) != nil }

// firstError prefers the final error that stopped the others to what they said when they were stopped.
func firstError(errs []error) error {
	var first error
	for _, err := range errs {
		if _, final := errors.AsType[*finalError](err); final {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}
