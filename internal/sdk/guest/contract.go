package guest

import (
	"context"
	"log/slog"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// Disk is one image of the guest, in boot order. FIX writes to it: give an overlay.
type Disk struct {
	Path   string
	Format string // qcow2 or raw
}

// Spec opens an appliance.
type Spec struct {
	Disks    []Disk
	ReadOnly bool
	MemoryMB int          // of the appliance; 0: 768
	Logger   *slog.Logger // nil: silent
}

// Appliance is one running libguestfs appliance with the guest's disks attached. It is not safe for concurrent use.
type Appliance struct{}

// Open launches the appliance. It refuses nothing about the guest yet. Canceling ctx kills it.
func Open(ctx context.Context, spec Spec) (*Appliance, error) { panic("contract") }

// Close syncs, shuts the appliance down and waits for it: after a nil error what was written is in the images.
func (a *Appliance) Close(ctx context.Context) error { panic("contract") }

// Inspection is what INSPECT knows of a guest.
type Inspection struct {
	Type        string            `json:"type"`   // linux, windows, unknown
	Distro      string            `json:"distro"` // debian, ubuntu, …
	Family      string            `json:"family"` // debian, rhel, suse, …, windows
	Product     string            `json:"product"`
	Version     string            `json:"version"` // 12.8
	Arch        string            `json:"arch"`
	Hostname    string            `json:"hostname"`
	Root        string            `json:"root"` // device of the root filesystem in the appliance
	RootUUID    string            `json:"root_uuid"`
	Mounts      map[string]string `json:"mounts"` // mount point -> device
	Filesystems []Filesystem      `json:"filesystems"`
	Kernels     []Kernel          `json:"kernels"`
	Bootloader  string            `json:"bootloader"` // grub2, grub2-bls, systemd-boot, …
	Firmware    string            `json:"firmware"`   // bios or uefi, as the disk is laid out
	InitTool    string            `json:"init_tool"`  // initramfs-tools, dracut, mkinitcpio, none
	Network     []string          `json:"network"`    // ifupdown, netplan, networkmanager, networkd, …
	VMwareTools bool              `json:"vmware_tools"`
	Findings    []sdk.Finding     `json:"findings"`
}

// Filesystem is one that was found.
type Filesystem struct {
	Device string `json:"device"`
	Type   string `json:"type"`
	UUID   string `json:"uuid"`
	Label  string `json:"label,omitempty"`
}

// Kernel is one that is installed.
type Kernel struct {
	Version   string   `json:"version"`
	Image     string   `json:"image"`               // /boot/vmlinuz-…
	Initramfs string   `json:"initramfs,omitempty"` // /boot/initrd.img-…
	Virtio    []string `json:"virtio"`              // virtio drivers it has: modules or built in
	InInitrd  bool     `json:"in_initrd"`           // the initramfs can already find a virtio disk
}

// Inspect finds out what the guest is. A guest that cannot be recognised is ErrInvalid with what was seen.
func (a *Appliance) Inspect(ctx context.Context) (*Inspection, error) { panic("contract") }

// FixSpec says what FIX may do.
type FixSpec struct {
	Fstab       string // stabilize-all (default), bypath-only, noop
	Bootloader  bool   // rewrite root= in GRUB's configuration
	Initramfs   bool   // make the initramfs find virtio disks
	Network     bool   // pin interface names by MAC
	VMwareTools bool   // mask VMware tools' services
	NICs        []NIC  // the source's adapters, in order
	DryRun      bool   // list the edits and write nothing
}

// NIC tells FIX which address an interface has and what VMware called its slot.
type NIC struct {
	MAC string
}

// Edit is one change that FIX made to the guest.
type Edit struct {
	Path   string `json:"path"`
	Action string `json:"action"`           // modify, create, append, link
	Before string `json:"before,omitempty"` // text, for text files; a size for binary ones
	After  string `json:"after,omitempty"`
	Reason string `json:"reason"`
}

// FixResult lists what was done.
type FixResult struct {
	Edits    []Edit        `json:"edits"`
	Findings []sdk.Finding `json:"findings"`
}

// Fix makes the guest boot on virtio hardware by plain edits; it runs no code of the guest. Inspect must have succeeded. A
// family it does not know is ErrInvalid with the engines that may.
func (a *Appliance) Fix(ctx context.Context, spec FixSpec, report sdk.ProgressFunc) (*FixResult, error) {
	panic("contract")
}

// Validate reads back, after Fix: that fstab and the bootloader name filesystems that exist, that each kernel's initramfs
// has the virtio drivers, that a UEFI guest has the fallback loader.
func (a *Appliance) Validate(ctx context.Context) ([]sdk.Finding, error) { panic("contract") }

// FixWithVirtV2V runs virt-v2v-in-place over the disks (overlays) instead of Inspect and Fix.
func FixWithVirtV2V(ctx context.Context, disks []Disk, log *slog.Logger, report sdk.ProgressFunc) (*FixResult, error) {
	panic("contract")
}
