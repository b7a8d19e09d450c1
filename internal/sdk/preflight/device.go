package preflight

import (
	"fmt"
	"slices"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/vsphere"
)

const typeSRIOV = "sriov"

// passthrough: a device of the ESXi host cannot come along. SR-IOV adapters have a rule of their own.
func passthrough(in Input) []sdk.Finding {
	var labels []string
	for _, label := range in.VM.Passthrough {
		adapter := slices.ContainsFunc(in.VM.NICs, func(n vsphere.NIC) bool { return n.Type == typeSRIOV && n.Label == label })
		if !adapter {
			labels = append(labels, label)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	return found("source.device.passthrough", sdk.Critical,
		fmt.Sprintf("VM %q uses devices of its ESXi host: %s; the domain will not have them", in.VM.Name, quoted(labels)),
		"remove them from the VM, or ignore this and give the domain a device of the KVM host after the migration")
}

func usb(in Input) []sdk.Finding {
	if len(in.VM.USB) == 0 {
		return nil
	}
	return found("source.device.usb", sdk.Warning,
		fmt.Sprintf("VM %q has USB devices passed through: %s; the domain will not have them", in.VM.Name, quoted(in.VM.USB)),
		"plug them into the KVM host and attach them to the domain after the migration, when the guest needs them")
}

// tpm: the secrets in a virtual TPM cannot be exported. Windows commonly keys BitLocker to it and then does not boot.
func tpm(in Input) []sdk.Finding {
	if !in.VM.TPM {
		return nil
	}
	severity := sdk.Warning
	if guestFamily(in.VM.GuestID) == familyWindows {
		severity = sdk.Critical
	}
	return found("source.tpm", severity,
		fmt.Sprintf("VM %q has a virtual TPM, whose keys do not leave vSphere: what is encrypted with them (BitLocker, a LUKS token) asks for its recovery key", in.VM.Name),
		"suspend BitLocker or add a passphrase in the guest first and have the recovery key at hand; ignore this when nothing is keyed to the TPM")
}

func secureBoot(in Input) []sdk.Finding {
	host := in.host()
	if !in.VM.SecureBoot || host == nil || slices.Contains(host.Firmware, "uefi-secure") {
		return nil
	}
	return found("source.secure_boot", sdk.Warning,
		fmt.Sprintf("VM %q boots with Secure Boot, for which the target %s has no firmware: the domain boots without it", in.VM.Name, in.Target.URI),
		"install OVMF with Secure Boot on the KVM host (Debian: apt-get install ovmf)")
}

func noNIC(in Input) []sdk.Finding {
	if len(in.VM.NICs) > 0 {
		return nil
	}
	return found("source.nic.none", sdk.Info, fmt.Sprintf("VM %q has no network adapter", in.VM.Name),
		"nothing, when the guest needs no network")
}

func sriovNIC(in Input) []sdk.Finding {
	return each(in.VM.NICs, "source.nic.type.sriov", sdk.Warning, func(n vsphere.NIC) string {
		if n.Type != typeSRIOV {
			return ""
		}
		return fmt.Sprintf("adapter %q (%s) is an SR-IOV function of its ESXi host: the domain gets an emulated adapter in its place", n.Label, n.MAC)
	}, func(vsphere.NIC) string {
		return "nothing, when its speed suffices; else give the domain a function of the KVM host after the migration"
	})
}
