package guest

import "github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"

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

// NIC tells FIX which address an interface has.
type NIC struct {
	MAC string
}

// Edit is one change that FIX made to the guest.
type Edit struct {
	Path   string `json:"path"`
	Action string `json:"action"`           // modify, create, append, link, remove
	Before string `json:"before,omitempty"` // text, for text files; a size for binary ones
	After  string `json:"after,omitempty"`
	Reason string `json:"reason"`
}

// FixResult lists what was done.
type FixResult struct {
	Edits    []Edit        `json:"edits"`
	Findings []sdk.Finding `json:"findings"`
}
