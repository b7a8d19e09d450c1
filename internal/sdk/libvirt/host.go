package libvirt

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"

	"libvirt.org/go/libvirtxml"
)

// Host is what the target can do.
type Host struct {
	Hostname     string   `json:"hostname"`
	Acceleration string   `json:"acceleration"` // kvm or qemu; probed by starting a vCPU, never by looking at /dev/kvm
	Emulator     string   `json:"emulator"`
	Machine      string   `json:"machine"` // canonical machine type used for new domains
	CPUs         int      `json:"cpus"`
	MemoryMB     int64    `json:"memory_mb"`
	FreeMemoryMB int64    `json:"free_memory_mb"` // what the kernel would give at once, its caches included
	Firmware     []string `json:"firmware"`       // bios, uefi, uefi-secure
	TPM          bool     `json:"tpm"`            // swtpm is there
}

// The values of Host.Acceleration and DomainSpec.Acceleration.
const (
	AccelerationKVM  = "kvm"
	AccelerationQEMU = "qemu" // software emulation
)

// The values of Host.Firmware; the first two are also DomainSpec.Firmware's.
const (
	FirmwareBIOS       = "bios"
	FirmwareUEFI       = "uefi"
	firmwareUEFISecure = "uefi-secure"
)

const (
	guestArch      = "x86_64" // the only one vSphere's guests have that QEMU runs here
	defaultMachine = "q35"
)

// GetHost asks and probes; the answer is kept for the client's life.
func (c *Client) GetHost(ctx context.Context) (*Host, error) {
	c.mu.Lock()
	known := c.host
	c.mu.Unlock()
	if known == nil {
		h, err := c.askHost(ctx)
		if err != nil {
			return nil, fmt.Errorf("host of %s: %w", c.target.uri, err)
		}
		c.mu.Lock()
		c.host = h
		c.mu.Unlock()
		known = h
	}
	h := *known
	h.Firmware = slices.Clone(known.Firmware)
	return &h, nil
}

func (c *Client) askHost(ctx context.Context) (*Host, error) {
	h := &Host{Acceleration: AccelerationQEMU}
	var err error
	if h.Hostname, err = call(ctx, c, connection.hostname); err != nil {
		return nil, err
	}
	node, err := call(ctx, c, connection.node)
	if err != nil {
		return nil, err
	}
	h.CPUs, h.MemoryMB, h.FreeMemoryMB = node.cpus, int64(node.memory>>20), int64(node.free>>20)
	if c.target.driver != "qemu" {
		return h, nil // libvirt's test driver emulates nothing
	}
	caps, err := c.domainCapabilities(ctx)
	if err != nil {
		return nil, err
	}
	h.Emulator, h.Machine = caps.Path, caps.Machine
	h.Firmware = firmwareOf(caps)
	h.TPM = caps.hasTPMEmulator()
	if h.Acceleration, err = probeAcceleration(ctx, c.log, h.Emulator); err != nil {
		return nil, err
	}
	return h, nil
}

// domainCaps is the part of a domain capabilities document that matters here.
type domainCaps struct {
	Path    string                  `xml:"path"`
	Machine string                  `xml:"machine"`
	OS      libvirtxml.DomainCapsOS `xml:"os"`
	TPM     struct {
		Enums []libvirtxml.DomainCapsEnum `xml:"enum"`
	} `xml:"devices>tpm"`
}

// domainCapabilities asks about software emulation, which every QEMU has: it says the same about firmware and devices as KVM.
func (c *Client) domainCapabilities(ctx context.Context) (*domainCaps, error) {
	text, err := call(ctx, c, func(conn connection) (string, error) {
		return conn.domainCapabilities(guestArch, defaultMachine, AccelerationQEMU)
	})
	if err != nil {
		return nil, err
	}
	var caps domainCaps
	if err := xml.Unmarshal([]byte(text), &caps); err != nil {
		return nil, fmt.Errorf("domain capabilities: %w", err)
	}
	if caps.Path == "" {
		return nil, errors.New("libvirt names no emulator for x86_64")
	}
	return &caps, nil
}

func (d *domainCaps) hasTPMEmulator() bool {
	return enumHas(d.TPM.Enums, "backendModel", "emulator")
}

// firmwareOf reads which firmware libvirt can choose by itself; DomainXML leaves that choice to it.
func firmwareOf(caps *domainCaps) []string {
	list := []string{FirmwareBIOS}
	if !enumHas(caps.OS.Enums, "firmware", "efi") {
		return list
	}
	list = append(list, FirmwareUEFI)
	if caps.OS.Loader != nil && enumHas(caps.OS.Loader.Enums, "secure", "yes") && enrolledKeys(firmwareDirs) {
		list = append(list, firmwareUEFISecure)
	}
	return list
}

func enumHas(enums []libvirtxml.DomainCapsEnum, name, value string) bool {
	return slices.ContainsFunc(enums, func(e libvirtxml.DomainCapsEnum) bool {
		return e.Name == name && slices.Contains(e.Values, value)
	})
}
