package libvirt

import (
	"encoding/xml"
	"fmt"

	"libvirt.org/go/libvirtxml"
)

// DomainXML renders the domain; pure, so that golden files can hold it.
func DomainXML(spec DomainSpec) (string, error) { return renderDomain(spec, nil) }

// throwAway makes a domain one of a boot check: nothing of it outlives it.
type throwAway struct {
	mark    bootCheckMark
	network string // isolated libvirt network of all adapters; empty: their links are down
}

func renderDomain(spec DomainSpec, away *throwAway) (string, error) {
	if err := spec.validate(); err != nil {
		return "", err
	}
	metadata, err := renderMetadata(spec.Metadata, away)
	if err != nil {
		return "", fmt.Errorf("metadata of domain %q: %w", spec.Name, err)
	}
	d := libvirtxml.Domain{
		Type:        spec.Acceleration,
		Name:        spec.Name,
		UUID:        spec.UUID,
		Description: spec.Description,
		Metadata:    &libvirtxml.DomainMetadata{XML: metadata},
		Memory:      &libvirtxml.DomainMemory{Value: uint(spec.MemoryMB), Unit: "MiB"},
		VCPU:        &libvirtxml.DomainVCPU{Value: uint(spec.CPUs)},
		OS:          operatingSystem(spec, away),
		Features:    features(spec),
		CPU:         processor(spec),
		Clock:       clock(spec),
		OnPoweroff:  "destroy",
		OnReboot:    "restart",
		OnCrash:     "destroy",
		PM: &libvirtxml.DomainPM{
			SuspendToMem:  &libvirtxml.DomainPMPolicy{Enabled: "no"},
			SuspendToDisk: &libvirtxml.DomainPMPolicy{Enabled: "no"},
		},
		Devices: devices(spec, away),
	}
	text, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("domain %q: %w", spec.Name, err)
	}
	return text + "\n", nil
}

func renderMetadata(m Metadata, away *throwAway) (string, error) {
	var element any = metadataElement{Metadata: m}
	if away != nil {
		element = bootCheckElement{bootCheckMark: away.mark}
	}
	inner, err := xml.MarshalIndent(element, "    ", "  ")
	return "\n" + string(inner) + "\n  ", err
}

// operatingSystem leaves the firmware's files to libvirt, which knows the host's: it fills in the read-only loader and the
// NVRAM's template when the domain is defined. Booting is by the order on the first disk, so no boot element is here.
func operatingSystem(spec DomainSpec, away *throwAway) *libvirtxml.DomainOS {
	machine := spec.Machine
	if machine == "" {
		machine = defaultMachine
	}
	os := &libvirtxml.DomainOS{Type: &libvirtxml.DomainOSType{Arch: guestArch, Machine: machine, Type: "hvm"}}
	if spec.Firmware == FirmwareUEFI {
		secure := yesNo(spec.SecureBoot)
		os.Firmware = "efi"
		os.FirmwareInfo = &libvirtxml.DomainOSFirmwareInfo{Features: []libvirtxml.DomainOSFirmwareFeature{
			{Enabled: secure, Name: "enrolled-keys"},
			{Enabled: secure, Name: "secure-boot"},
		}}
		if spec.NVRAM != "" {
			os.NVRam = &libvirtxml.DomainNVRam{NVRam: spec.NVRAM}
		}
		return os
	}
	if away != nil {
		// SeaBIOS, and through it GRUB, then say on the serial console why they cannot boot.
		os.BIOS = &libvirtxml.DomainBIOS{UseSerial: "yes"}
	}
	return os
}

func features(spec DomainSpec) *libvirtxml.DomainFeatureList {
	list := &libvirtxml.DomainFeatureList{
		ACPI:   &libvirtxml.DomainFeature{},
		APIC:   &libvirtxml.DomainFeatureAPIC{},
		VMPort: &libvirtxml.DomainFeatureState{State: "off"}, // guests that find it think they run on VMware
	}
	if spec.SecureBoot {
		list.SMM = &libvirtxml.DomainFeatureSMM{State: "on"}
	}
	return list
}

func processor(spec DomainSpec) *libvirtxml.DomainCPU {
	cpu := &libvirtxml.DomainCPU{Mode: "maximum"} // all that software emulation can do
	if spec.Acceleration == AccelerationKVM {
		cpu = &libvirtxml.DomainCPU{Mode: "host-passthrough", Check: "none", Migratable: "on"}
	}
	cores := max(spec.CoresPerCPU, 1)
	cpu.Topology = &libvirtxml.DomainCPUTopology{Sockets: spec.CPUs / cores, Cores: cores, Threads: 1}
	return cpu
}

func clock(spec DomainSpec) *libvirtxml.DomainClock {
	c := &libvirtxml.DomainClock{Offset: "utc", Timer: []libvirtxml.DomainTimer{{Name: "rtc", TickPolicy: "catchup"}}}
	if spec.Acceleration == AccelerationKVM {
		c.Timer = append(c.Timer, libvirtxml.DomainTimer{Name: "pit", TickPolicy: "delay"})
	}
	c.Timer = append(c.Timer, libvirtxml.DomainTimer{Name: "hpet", Present: "no"})
	return c
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// diskName is the name the device has in Linux: vda … vdz, vdaa ….
func diskName(prefix string, index int) string {
	var letters []byte
	for n := index + 1; n > 0; n = (n - 1) / 26 {
		letters = append([]byte{byte('a' + (n-1)%26)}, letters...)
	}
	return prefix + string(letters)
}
