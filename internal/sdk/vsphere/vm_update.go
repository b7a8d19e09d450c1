package vsphere

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// UpdateVMSpec asks for changes to a VM. Empty is unchanged; so is what is as asked already.
type UpdateVMSpec struct {
	Name             string `json:"name,omitempty"`
	Folder           string `json:"folder,omitempty"`
	ResourcePool     string `json:"resource_pool,omitempty"`     // or a cluster or a host
	Datastore        string `json:"datastore,omitempty"`         // moves the VM and the disks that have no datastore of their own in Disks
	DatastoreCluster string `json:"datastore_cluster,omitempty"` // moves the VM when it is on none of its datastores
	Host             string `json:"host,omitempty"`

	VMSettings
	RemoveDisks map[string]DiskRemoval `json:"remove_disks,omitempty"`    // by address
	RemoveNICs  []string               `json:"remove_networks,omitempty"` // by position
	RemoveCDROM bool                   `json:"remove_cdrom,omitempty"`
	CloudInit   *CloudInit             `json:"cloud_init,omitempty"` // read by cloud-init at the guest's next start

	AllowRestart bool           `json:"allow_restart,omitempty"` // else a running VM that needs one is sdk.ErrConflict, before anything is changed
	PowerOff     PowerOffPolicy `json:"power_off"`               // how a restart stops it
}

// DiskRemoval is what becomes of the file of a disk that leaves a VM.
type DiskRemoval string

// The two fates of a disk's file.
const (
	KeepDisk   DiskRemoval = "keep"
	DeleteDisk DiskRemoval = "delete"
)

// Validate checks the form of the spec, without a call.
func (s *UpdateVMSpec) Validate() error {
	switch {
	case utf8.RuneCountInString(s.Name) > maxName:
		return sdk.Invalidf("name %q is longer than vSphere's %d characters", s.Name, maxName)
	case s.Datastore != "" && s.DatastoreCluster != "":
		return sdk.Invalidf("name a datastore or a datastore_cluster, not both")
	case s.RemoveCDROM && s.CDROM != nil:
		return sdk.Invalidf("cdrom is both removed and set")
	}
	for name, fate := range s.RemoveDisks {
		if _, err := parseAddress(name); err != nil {
			return fmt.Errorf("remove_disks: %w", err)
		}
		if fate != KeepDisk && fate != DeleteDisk {
			return sdk.Invalidf("remove_disks.%s %q: write keep or delete", name, fate)
		}
		if _, both := s.Disks[name]; both {
			return sdk.Invalidf("disk %s is both removed and set", name)
		}
	}
	for _, key := range s.RemoveNICs {
		if _, err := position(key); err != nil {
			return fmt.Errorf("remove_networks: %w", err)
		}
		if _, both := s.NICs[key]; both {
			return sdk.Invalidf("network %s is both removed and set", key)
		}
	}
	return s.VMSettings.Validate()
}

// UpdateVM makes a VM what spec asks for, with as few tasks as there are kinds of change: move, relocate, and one reconfiguration, which
// also renames and sends only what differs. A VM that needs a restart is stopped and started again, also when the change
// failed. It reads the VM back. A VM beside an error says that some changes were made (an *sdk.PartialError names them).
func (c *Client) UpdateVM(ctx context.Context, vm *VM, spec UpdateVMSpec, report sdk.ProgressFunc) (*VM, error) {
	u := &vmUpdate{c: c, ref: vmRef(vm), spec: spec, report: progress(report, "update", vm.Name)}
	now, err := u.run(ctx)
	if err != nil {
		return now, fmt.Errorf("update VM %q: %w", vm.Name, err)
	}
	return now, nil
}

// vmUpdate is one update under way.
type vmUpdate struct {
	c      *Client
	ref    types.ManagedObjectReference
	spec   UpdateVMSpec
	report func(int)

	vm     *VM // before the update
	change types.VirtualMachineConfigSpec
	disks  []types.VirtualMachineRelocateSpecDiskLocator
	place  vmPlace
	moved  bool     // files are elsewhere than before
	done   []string // the steps that were taken
}

func (u *vmUpdate) run(ctx context.Context) (*VM, error) {
	if err := u.spec.Validate(); err != nil {
		return nil, err
	}
	vm, whole, err := u.c.readVMWhole(ctx, u.ref)
	if err != nil {
		return nil, err
	}
	u.vm = vm
	if err := u.plan(ctx, whole); err != nil {
		return nil, err
	}
	restart := u.restarts()
	if len(restart) > 0 && !u.spec.AllowRestart {
		return nil, sdk.WithHint(sdk.Conflictf("it is running, and %s cannot be changed then", strings.Join(restart, ", ")),
			"allow the restart, or power the VM off first")
	}
	failed := u.apply(ctx, len(restart) > 0)
	if len(u.done) == 0 {
		if failed != nil {
			return nil, failed
		}
		return vm, nil
	}
	return u.readBack(ctx, failed)
}

// plan finds out what differs, before anything is changed.
func (u *vmUpdate) plan(ctx context.Context, whole *mo.VirtualMachine) error {
	if name := escapeEntity(u.spec.Name); name != "" && name != whole.Name {
		u.change.Name = name
	}
	if err := u.spec.setPlain(&u.change, whole.Config); err != nil {
		return err
	}
	guestinfo, err := u.spec.CloudInit.options()
	if err != nil {
		return err
	}
	u.change.ExtraConfig = append(u.change.ExtraConfig, changedOptions(guestinfo, whole.Config.ExtraConfig)...)
	h := newHardware(u.c, whole.Config.Hardware.Device)
	if err := u.planDevices(ctx, h); err != nil {
		return err
	}
	u.change.DeviceChange, u.disks = h.changes, h.disks
	return u.planPlace(ctx, whole)
}

func (u *vmUpdate) planDevices(ctx context.Context, h *hardware) error {
	if err := h.setDisks(ctx, u.spec.Disks, false); err != nil {
		return err
	}
	if err := h.removeDisks(u.spec.RemoveDisks); err != nil {
		return err
	}
	if _, err := h.setNICs(ctx, u.spec.NICs); err != nil {
		return err
	}
	if err := h.removeNICs(u.spec.RemoveNICs); err != nil {
		return err
	}
	if u.spec.RemoveCDROM {
		h.removeCDROM()
	}
	if u.spec.CDROM != nil {
		return h.setCDROM(*u.spec.CDROM)
	}
	return nil
}

// restarts names what of the reconfiguration needs the VM off.
func (u *vmUpdate) restarts() []string {
	if u.nothing() {
		return nil
	}
	return append(NeedsRestart(u.vm, u.spec.VMSettings), NeedsRestartToRemove(u.vm, u.spec.RemoveDisks, u.spec.RemoveCDROM)...)
}

func (u *vmUpdate) nothing() bool {
	return reflect.DeepEqual(u.change, types.VirtualMachineConfigSpec{})
}

// apply takes the steps. One that is cancelled or fails ends it; a VM that was stopped is started again in any case.
func (u *vmUpdate) apply(ctx context.Context, restart bool) (err error) {
	if err := u.move(ctx); err != nil {
		return err
	}
	if err := u.followFiles(ctx); err != nil {
		return err
	}
	if u.nothing() {
		u.report(100)
		return nil
	}
	if restart {
		if err := u.c.powerOffVM(ctx, u.vm, u.spec.PowerOff); err != nil {
			return fmt.Errorf("stop it for the change: %w", err)
		}
		u.done = append(u.done, "stop")
		defer func() { err = errors.Join(err, u.start(ctx)) }()
	}
	if err := u.c.reconfigure(ctx, u.ref, u.change, u.report); err != nil {
		return fmt.Errorf("reconfigure: %w", nameTaken(err, u.spec.Name))
	}
	u.done = append(u.done, "reconfigure")
	u.report(100)
	return nil
}

// followFiles finds the device changes anew after a relocation: they name the files of the disks, which are others now.
func (u *vmUpdate) followFiles(ctx context.Context) error {
	if !u.moved || len(u.change.DeviceChange) == 0 {
		return nil
	}
	_, whole, err := u.c.readVMWhole(ctx, u.ref)
	if err != nil {
		return err
	}
	h := newHardware(u.c, whole.Config.Hardware.Device)
	if err := u.planDevices(ctx, h); err != nil {
		return err
	}
	u.change.DeviceChange = h.changes
	return nil
}

// start ends a restart. The VM ran before, so it runs again whatever became of the change, and of ctx.
func (u *vmUpdate) start(ctx context.Context) error {
	if ctx.Err() != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), dialTimeout)
		defer stop()
	}
	if err := u.c.PowerOnVM(ctx, u.vm); err != nil {
		return fmt.Errorf("start it again: %w", err)
	}
	u.done = append(u.done, "start")
	return nil
}

// nameTaken says whose name it is.
func nameTaken(err error, name string) error {
	if isFault[*types.DuplicateName](err) {
		return sdk.WithHint(fmt.Errorf("the name %q is taken in its folder: %w", name, err), "choose another name or folder")
	}
	return err
}

func (u *vmUpdate) readBack(ctx context.Context, failed error) (*VM, error) {
	if ctx.Err() != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer stop()
	}
	now, err := u.c.readVM(ctx, u.ref)
	if now == nil {
		now = u.vm
	}
	if err = errors.Join(failed, err); err != nil {
		return now, &sdk.PartialError{Done: u.done, Failed: map[string]error{cmp.Or(u.spec.Name, u.vm.Name): err}}
	}
	return now, nil
}
