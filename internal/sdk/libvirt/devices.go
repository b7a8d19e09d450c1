package libvirt

import (
	"strings"

	"libvirt.org/go/libvirtxml"
)

// virtioBlkDisks is how many disks are virtio-blk, each a PCI device of its own; those beyond share a virtio-scsi controller.
const virtioBlkDisks = 20

// bus is how disks are attached: the prefix of their names, and how many a controller holds when controllers are our business.
type bus struct {
	name, prefix string
	controller   string // type; empty: each disk is a device of its own
	model        string
	perControl   int
	byTarget     bool // disks differ in the target of their address, not the unit
}

var (
	virtioBlk  = bus{name: "virtio", prefix: "vd"}
	virtioSCSI = bus{name: "scsi", prefix: "sd", controller: "scsi", model: "virtio-scsi", perControl: 256}
	ahci       = bus{name: "sata", prefix: "sd", controller: "sata", perControl: 6}
	pvscsi     = bus{name: "scsi", prefix: "sd", controller: "scsi", model: "vmpvscsi", perControl: 7, byTarget: true}
)

// family is one kind of Hardware in libvirt's words. paravirtual families also get the devices that need virtio drivers for
// comfort alone.
type family struct {
	first, beyond bus // beyond virtioBlkDisks disks
	nic           string
	paravirtual   bool
}

var families = map[Hardware]family{
	HardwareVirtio: {first: virtioBlk, beyond: virtioSCSI, nic: "virtio", paravirtual: true},
	HardwareSATA:   {first: ahci, beyond: ahci, nic: "e1000e"},
	HardwareVMware: {first: pvscsi, beyond: pvscsi, nic: "vmxnet3"},
}

func devices(spec DomainSpec, away *throwAway) *libvirtxml.DomainDeviceList {
	f := families[spec.Hardware]
	list := &libvirtxml.DomainDeviceList{
		Emulator: spec.Emulator,
		Serials:  []libvirtxml.DomainSerial{{Source: serialConsole(spec)}},
		Channels: []libvirtxml.DomainChannel{{
			Source: &libvirtxml.DomainChardevSource{UNIX: &libvirtxml.DomainChardevSourceUNIX{Mode: "bind"}},
			Target: &libvirtxml.DomainChannelTarget{VirtIO: &libvirtxml.DomainChannelTargetVirtIO{Name: "org.qemu.guest_agent.0"}},
		}},
		Videos:     []libvirtxml.DomainVideo{{Model: libvirtxml.DomainVideoModel{Type: "vga"}}}, // every guest has a driver for it
		MemBalloon: &libvirtxml.DomainMemBalloon{Model: "none"},
	}
	addDisks(list, spec.Disks, f, away)
	for _, n := range spec.NICs {
		list.Interfaces = append(list.Interfaces, adapter(n, f.nic, away))
	}
	if f.paravirtual {
		list.MemBalloon.Model = "virtio"
		list.RNGs = []libvirtxml.DomainRNG{{
			Model:   "virtio",
			Backend: &libvirtxml.DomainRNGBackend{Random: &libvirtxml.DomainRNGBackendRandom{Device: "/dev/urandom"}},
		}}
	}
	if away == nil {
		// A screen on loopback, so that a person can look; the tablet keeps its pointer where theirs is.
		list.Graphics = []libvirtxml.DomainGraphic{{VNC: &libvirtxml.DomainGraphicVNC{
			Port: -1, AutoPort: "yes",
			Listeners: []libvirtxml.DomainGraphicListener{{Address: &libvirtxml.DomainGraphicListenerAddress{Address: "127.0.0.1"}}},
		}}}
		list.Controllers = append(list.Controllers, libvirtxml.DomainController{Type: "usb", Index: number(0), Model: "qemu-xhci"})
		list.Inputs = []libvirtxml.DomainInput{{Type: "tablet", Bus: "usb"}}
	} else {
		list.Controllers = append(list.Controllers, libvirtxml.DomainController{Type: "usb", Index: number(0), Model: "none"})
	}
	return list
}

func serialConsole(spec DomainSpec) *libvirtxml.DomainChardevSource {
	if spec.ConsoleLog == "" {
		return &libvirtxml.DomainChardevSource{Pty: &libvirtxml.DomainChardevSourcePty{}}
	}
	return &libvirtxml.DomainChardevSource{File: &libvirtxml.DomainChardevSourceFile{Path: spec.ConsoleLog}}
}

// addDisks appends the disks and the controllers they hang on. Only the first disk has a boot order: a firmware that cannot
// boot it must say so, and not try a data disk or the network.
func addDisks(list *libvirtxml.DomainDeviceList, disks []DomainDisk, f family, away *throwAway) {
	split := len(disks)
	if f.first != f.beyond {
		split = min(split, virtioBlkDisks)
	}
	addBus(list, disks[:split], f.first, away)
	addBus(list, disks[split:], f.beyond, away)
	if len(disks) > 0 {
		list.Disks[0].Boot = &libvirtxml.DomainDeviceBoot{Order: 1}
	}
}

func addBus(list *libvirtxml.DomainDeviceList, disks []DomainDisk, b bus, away *throwAway) {
	for i, d := range disks {
		disk := libvirtxml.DomainDisk{
			Device: "disk",
			Driver: diskDriver(d.Format, away),
			Source: &libvirtxml.DomainDiskSource{File: &libvirtxml.DomainDiskSourceFile{File: d.Path}},
			Target: &libvirtxml.DomainDiskTarget{Dev: diskName(b.prefix, i), Bus: b.name},
			Serial: d.Serial,
		}
		if b.controller != "" {
			control, place := i/b.perControl, i%b.perControl
			if place == 0 {
				list.Controllers = append(list.Controllers, libvirtxml.DomainController{
					Type: b.controller, Index: number(control), Model: b.model,
				})
			}
			disk.Address = &libvirtxml.DomainAddress{Drive: driveAddress(control, place, b.byTarget)}
		}
		list.Disks = append(list.Disks, disk)
	}
}

// diskDriver keeps QEMU's default cache mode, write-back that honours the guest's flushes: it is as safe as none, and works on
// file systems without O_DIRECT. A throw-away disk need not reach the platter at all. Discarded blocks go back to the host.
func diskDriver(format string, away *throwAway) *libvirtxml.DomainDiskDriver {
	driver := &libvirtxml.DomainDiskDriver{Name: "qemu", Type: format, Discard: "unmap"}
	if away != nil {
		driver.Cache = "unsafe"
	}
	return driver
}

func driveAddress(control, place int, byTarget bool) *libvirtxml.DomainAddressDrive {
	a := &libvirtxml.DomainAddressDrive{Controller: number(control), Bus: number(0), Target: number(0), Unit: number(place)}
	if byTarget {
		a.Target, a.Unit = a.Unit, a.Target
	}
	return a
}

func adapter(n DomainNIC, model string, away *throwAway) libvirtxml.DomainInterface {
	source, linkDown := nicSource(n, away)
	nic := libvirtxml.DomainInterface{
		MAC:    &libvirtxml.DomainInterfaceMAC{Address: strings.ToLower(strings.ReplaceAll(n.MAC, "-", ":"))},
		Source: source,
		Model:  &libvirtxml.DomainInterfaceModel{Type: model},
	}
	if linkDown {
		nic.Link = &libvirtxml.DomainInterfaceLink{State: "down"}
	}
	return nic
}

// nicSource keeps the adapters of a throw-away domain off every network but its own; QEMU's built-in one is always there, and
// with the link down nobody is on it.
func nicSource(n DomainNIC, away *throwAway) (source *libvirtxml.DomainInterfaceSource, linkDown bool) {
	network := func(name string) *libvirtxml.DomainInterfaceSource {
		return &libvirtxml.DomainInterfaceSource{Network: &libvirtxml.DomainInterfaceSourceNetwork{Network: name}}
	}
	switch {
	case away != nil && away.network != "":
		return network(away.network), n.LinkDown
	case away != nil:
		return &libvirtxml.DomainInterfaceSource{User: &libvirtxml.DomainInterfaceSourceUser{}}, true
	case n.Bridge != "":
		return &libvirtxml.DomainInterfaceSource{Bridge: &libvirtxml.DomainInterfaceSourceBridge{Bridge: n.Bridge}}, n.LinkDown
	}
	return network(n.Network), n.LinkDown
}

func number(n int) *uint {
	u := uint(n)
	return &u
}
