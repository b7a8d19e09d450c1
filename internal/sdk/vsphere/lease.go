package vsphere

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

const (
	defaultLeaseTimeout = 5 * time.Minute // when the server does not say
	renewalRetry        = 250 * time.Millisecond
	renewalCall         = 10 * time.Second
)

// lease implements export.Lease over an HttpNfcLease.
type lease struct {
	c       *Client
	vm      *VM
	ref     types.ManagedObjectReference
	disks   []export.SourceDisk
	files   map[string]file
	timeout time.Duration
	percent atomic.Int32

	stop  context.CancelFunc // ends the goroutines below
	work  sync.WaitGroup
	lost  chan struct{}
	lose  sync.Once
	cause error // why it was lost; set before lost is closed
	ended sync.Once
}

func newLease(c *Client, vm *VM, ref types.ManagedObjectReference) *lease {
	return &lease{c: c, vm: vm, ref: ref, files: map[string]file{}, lost: make(chan struct{}), stop: func() {}}
}

// start renews and observes the lease until End. Both outlive ctx: an export that is being canceled still ends its lease.
func (l *lease) start(ctx context.Context) {
	if l.timeout <= 0 {
		l.timeout = defaultLeaseTimeout
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop = stop
	l.work.Go(func() { l.renew(background) })
	l.work.Go(func() { l.observe(background) })
}

// Disks implements export.Lease.
func (l *lease) Disks() []export.SourceDisk { return l.disks }

// Progress implements export.Lease. The next renewal carries it.
func (l *lease) Progress(percent int) { l.percent.Store(int32(min(max(percent, 0), 100))) }

// Lost implements export.Lease.
func (l *lease) Lost() <-chan struct{} { return l.lost }

// Err implements export.Lease.
func (l *lease) Err() error {
	select {
	case <-l.lost:
		return l.cause
	default:
		return nil
	}
}

func (l *lease) lostTo(err error) {
	l.lose.Do(func() {
		l.cause = sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("the export lease was lost: %w", err))
		close(l.lost)
	})
}

// renew reports progress, which is what keeps a lease alive, several times in each timeout. A failed renewal is tried again
// until the server must have given the lease up.
func (l *lease) renew(ctx context.Context) {
	interval := renewalInterval(l.timeout)
	last, wait := time.Now(), interval
	for {
		pause(ctx, wait)
		if ctx.Err() != nil || l.Err() != nil {
			return
		}
		err := l.renewOnce(ctx)
		switch {
		case err == nil:
			last, wait = time.Now(), interval
			continue
		case ctx.Err() != nil:
			return
		case errors.Is(err, sdk.ErrNotFound), time.Since(last) >= l.timeout:
			l.lostTo(err)
			return
		}
		l.c.log.Debug("renew export lease", "vm", l.vm.Name, "error", err)
		if wait == interval {
			wait = renewalRetry
		} else {
			wait *= 2
		}
		wait = min(wait, interval)
	}
}

func (l *lease) renewOnce(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, renewalCall)
	defer cancel()
	_, err := methods.HttpNfcLeaseProgress(ctx, l.c.vim, &types.HttpNfcLeaseProgress{This: l.ref, Percent: l.percent.Load()})
	return err
}

// renewalInterval is a quarter of the timeout between 2 and 30 seconds, but never more than half of it.
func renewalInterval(timeout time.Duration) time.Duration {
	return min(max(timeout/4, 2*time.Second), 30*time.Second, timeout/2)
}

// observe learns at once when the server ends the lease.
func (l *lease) observe(ctx context.Context) {
	for ctx.Err() == nil {
		var ended error
		var fault *types.LocalizedMethodFault
		err := l.c.watch(ctx, l.ref, []string{"state", "error"}, func(changed map[string]any) bool {
			if v, ok := changed["error"].(types.LocalizedMethodFault); ok {
				fault = &v
			}
			state, _ := changed["state"].(types.HttpNfcLeaseState)
			if state == types.HttpNfcLeaseStateError || state == types.HttpNfcLeaseStateDone {
				ended = leaseFault(state, fault)
			}
			return ended != nil
		})
		switch {
		case ctx.Err() != nil:
			return
		case ended != nil:
			l.lostTo(ended)
			return
		case errors.Is(err, sdk.ErrNotFound) && l.renewOnce(ctx) != nil: // the collector may be gone, not the lease
			l.lostTo(err)
			return
		}
		pause(ctx, watchPause)
	}
}

// Open implements export.Lease.
func (l *lease) Open(ctx context.Context, address string) (io.ReadCloser, error) {
	f, ok := l.files[address]
	if !ok {
		return nil, sdk.Invalidf("the lease has no disk %s", address)
	}
	body, err := l.c.download(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("download disk %s: %w", address, err)
	}
	return body, nil
}

// Descriptor implements export.Lease.
func (l *lease) Descriptor(ctx context.Context, name string, files []export.DescriptorFile) (string, error) {
	ovfFiles := make([]types.OvfFile, len(files))
	for i, f := range files {
		ovfFiles[i] = types.OvfFile{DeviceId: f.DeviceID, Path: f.Path, Size: f.Bytes, Capacity: f.Capacity}
	}
	res, err := methods.CreateDescriptor(ctx, l.c.vim, &types.CreateDescriptor{
		This: *l.c.vim.ServiceContent.OvfManager, Obj: vmRef(l.vm),
		Cdp: types.OvfCreateDescriptorParams{Name: name, OvfFiles: ovfFiles},
	})
	if err != nil {
		return "", fmt.Errorf("make the OVF descriptor of VM %q: %w", l.vm.Name, err)
	}
	for _, problem := range res.Returnval.Error {
		return "", fmt.Errorf("make the OVF descriptor of VM %q: %s", l.vm.Name, problem.LocalizedMessage)
	}
	return res.Returnval.OvfDescriptor, nil
}

// End implements export.Lease.
func (l *lease) End(ctx context.Context, cause error) error {
	var err error
	l.ended.Do(func() {
		l.stop()
		l.work.Wait()
		err = l.end(ctx, cause)
	})
	return err
}

func (l *lease) end(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	var err error
	if cause == nil {
		_, err = methods.HttpNfcLeaseComplete(ctx, l.c.vim, &types.HttpNfcLeaseComplete{This: l.ref})
	} else {
		_, err = methods.HttpNfcLeaseAbort(ctx, l.c.vim, &types.HttpNfcLeaseAbort{
			This:  l.ref,
			Fault: &types.LocalizedMethodFault{Fault: new(types.MethodFault), LocalizedMessage: cause.Error()},
		})
	}
	if err == nil || errors.Is(err, sdk.ErrNotFound) || (cause != nil && l.Err() != nil) {
		return nil // ended already
	}
	return fmt.Errorf("end the export lease of VM %q: %w", l.vm.Name, err)
}
