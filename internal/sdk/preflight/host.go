package preflight

import (
	"fmt"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

const mebibyte = 1 << 20

func firmwareMissing(in Input) []sdk.Finding {
	host := in.host()
	if host == nil || in.VM.Firmware != "uefi" || slices.Contains(host.Firmware, "uefi") || slices.Contains(host.Firmware, "uefi-secure") {
		return nil
	}
	return found("target.firmware.missing", sdk.Critical,
		fmt.Sprintf("VM %q boots by UEFI, for which the target %s has no firmware", in.VM.Name, in.Target.URI),
		"install OVMF on the KVM host (Debian: apt-get install ovmf) and restart libvirtd")
}

func accelerationMissing(in Input) []sdk.Finding {
	host := in.host()
	if host == nil || host.Acceleration == "kvm" {
		return nil
	}
	return found("target.acceleration.missing", sdk.Warning,
		fmt.Sprintf("target host %q has no working KVM: guests run in software emulation, many times slower", host.Hostname),
		"enable virtualization in the host's firmware (or nested virtualization, when it is a VM itself) and load kvm_intel or kvm_amd")
}

// memoryLow: more than the host has can never work; more than is free now may, once others stop.
func memoryLow(in Input) []sdk.Finding {
	host := in.host()
	if host == nil {
		return nil
	}
	const id = "target.memory.low"
	need := size(in.VM.MemoryMB * mebibyte)
	switch {
	case host.MemoryMB > 0 && in.VM.MemoryMB > host.MemoryMB:
		return found(id, sdk.Critical,
			fmt.Sprintf("VM %q has %s of memory, target host %q only %s", in.VM.Name, need, host.Hostname, size(host.MemoryMB*mebibyte)),
			"choose a larger host, or give the VM less memory first")
	case host.FreeMemoryMB > 0 && in.VM.MemoryMB > host.FreeMemoryMB:
		return found(id, sdk.Warning,
			fmt.Sprintf("VM %q has %s of memory, target host %q has %s free now", in.VM.Name, need, host.Hostname, size(host.FreeMemoryMB*mebibyte)),
			"stop another domain before this one starts")
	}
	return nil
}

func cpusLow(in Input) []sdk.Finding {
	host := in.host()
	if host == nil || host.CPUs == 0 || in.VM.CPUs <= host.CPUs {
		return nil
	}
	return found("target.cpus.low", sdk.Warning,
		fmt.Sprintf("VM %q has %d vCPUs, target host %q has %d CPUs: they will share", in.VM.Name, in.VM.CPUs, host.Hostname, host.CPUs),
		"choose a larger host, or give the VM fewer vCPUs first")
}
