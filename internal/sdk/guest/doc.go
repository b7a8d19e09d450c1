// Package guest looks into a guest's disks and makes the guest boot on virtio hardware.
//
// It does all of it inside one libguestfs appliance: Open launches it, Inspect finds out what the guest is, Fix edits files and
// appends an archive to each initramfs, Validate reads back what is there, Close makes sure that it is written. No code of the
// guest is run and the host's kernel never mounts one of its file systems. FixWithVirtV2V is the second engine, for guests
// that Fix does not know.
//
// Everything that comes from a guest is hostile: sizes are bounded, and names reach the appliance only as elements of an
// argument list. Start reading in appliance.go, then inspect.go and fix.go; fstab.go, grub.go, cpio.go, initramfs.go, modules.go
// and network*.go are pure functions over bytes.
package guest
