package vsphere

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/vmware/govmomi/task"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/export"
)

// Source serves the VM's disks for export over HttpNfcLease. The VM must be powered off.
func (c *Client) Source(vm *VM) export.Source { return &source{c: c, vm: vm} }

type source struct {
	c  *Client
	vm *VM
}

// Lease implements export.Source.
func (s *source) Lease(ctx context.Context) (export.Lease, error) {
	res, err := methods.ExportVm(ctx, s.c.vim, &types.ExportVm{This: vmRef(s.vm)})
	if err != nil {
		return nil, fmt.Errorf("export VM %q: %w", s.vm.Name, exportError(err))
	}
	l := newLease(s.c, s.vm, res.Returnval)
	err = l.waitReady(ctx)
	if err == nil {
		l.start(ctx)
		return l, nil
	}
	_ = l.end(ctx, err) // it never became ready; the first error says why
	return nil, fmt.Errorf("export VM %q: %w", s.vm.Name, exportError(err))
}

// exportError says what is in the way of a lease.
func exportError(err error) error {
	switch faultOf(err).(type) {
	case *types.InvalidPowerState:
		return sdk.WithHint(err, "a lease needs the VM powered off: shut it down first")
	case *types.TaskInProgress, *types.InvalidState, *types.ResourceInUse:
		return sdk.WithHint(fmt.Errorf("%w: %w", export.ErrBusy, err),
			"another export or task holds the VM; an export that was killed holds it until its lease times out")
	}
	return err
}

// waitReady waits until the server has opened the disks.
func (l *lease) waitReady(ctx context.Context) error {
	var state types.HttpNfcLeaseState
	var info *types.HttpNfcLeaseInfo
	var fault *types.LocalizedMethodFault
	err := l.c.watch(ctx, l.ref, []string{"state", "info", "error"}, func(changed map[string]any) bool {
		if v, ok := changed["state"].(types.HttpNfcLeaseState); ok {
			state = v
		}
		if v, ok := changed["info"].(types.HttpNfcLeaseInfo); ok {
			info = &v
		}
		if v, ok := changed["error"].(types.LocalizedMethodFault); ok {
			fault = &v
		}
		return state == types.HttpNfcLeaseStateError || state == types.HttpNfcLeaseStateDone ||
			(state == types.HttpNfcLeaseStateReady && info != nil)
	})
	if err != nil {
		return fmt.Errorf("wait for the lease: %w", err)
	}
	if state != types.HttpNfcLeaseStateReady {
		return leaseFault(state, fault)
	}
	l.timeout = time.Duration(info.LeaseTimeout) * time.Second
	return l.setDisks(info.DeviceUrl)
}

func leaseFault(state types.HttpNfcLeaseState, fault *types.LocalizedMethodFault) error {
	if fault == nil || fault.Fault == nil {
		return sdk.Unavailablef("the lease is in state %s", state)
	}
	err := classify(&task.Error{LocalizedMethodFault: fault})
	if errors.Is(err, sdk.ErrDenied) || errors.Is(err, sdk.ErrConflict) || errors.Is(err, sdk.ErrUnavailable) {
		return fmt.Errorf("the lease ended: %w", err)
	}
	return sdk.Kind(sdk.ErrUnavailable, fmt.Errorf("the lease ended: %w", err))
}

// setDisks maps the lease's files to the VM's disks by controller and unit, never by order.
func (l *lease) setDisks(urls []types.HttpNfcLeaseDeviceUrl) error {
	for _, device := range urls {
		if device.Disk == nil || !*device.Disk { // an NVRAM file
			continue
		}
		disk, err := diskOfKey(l.vm, device.Key)
		if err != nil {
			return err
		}
		u, err := l.c.vim.ParseURL(device.Url) // puts vCenter's own name for "*"
		if err != nil || u.Scheme != "https" {
			return sdk.Invalidf("the lease's URL for %s is not usable", disk.Address)
		}
		name := device.TargetId
		if name == "" {
			name = path.Base(u.Path)
		}
		if _, twice := l.files[disk.Address]; twice {
			return sdk.Invalidf("the lease lists disk %s twice", disk.Address)
		}
		l.files[disk.Address] = file{url: u, pin: device.SslThumbprint}
		l.disks = append(l.disks, export.SourceDisk{
			Address: disk.Address, DeviceID: device.Key, Name: name,
			CapacityBytes: disk.CapacityBytes, FileBytes: device.FileSize,
		})
	}
	return nil
}

type file struct {
	url *url.URL
	pin string // thumbprint of the host that serves it; empty: vCenter did not say
}

var deviceKeyPattern = regexp.MustCompile(`^([A-Za-z]+)([0-9]+):([0-9]+)$`)

// diskOfKey finds the VM's disk that a lease means by its device key, like /vm-42/ParaVirtualSCSIController0:1.
func diskOfKey(vm *VM, key string) (*Disk, error) {
	last := key[strings.LastIndex(key, "/")+1:]
	if m := deviceKeyPattern.FindStringSubmatch(last); m != nil {
		if class, ok := controllerKinds[m[1]]; ok {
			address := class.prefix + m[2] + ":" + m[3]
			for i := range vm.Disks {
				if d := &vm.Disks[i]; d.Address == address && d.Controller == class.kind {
					return d, nil
				}
			}
		}
	}
	return nil, sdk.WithHint(sdk.Conflictf("the lease's disk %q is none of the VM's", last),
		"the VM's hardware may have changed since it was read; run again")
}
