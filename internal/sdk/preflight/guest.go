package preflight

import (
	"fmt"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// family is what a vSphere guest id says about the engine that can fix the guest.
type family int

const (
	familyDebian  family = iota // Debian and Ubuntu: the builtin engine
	familyWindows               // virt-v2v
	familyLinux                 // virt-v2v knows many of them
	familyUnknown               // the id says Linux of some kind, or nothing
	familyForeign               // no engine
)

func guestFamily(id string) family {
	id = strings.ToLower(id)
	has := func(prefixes ...string) bool {
		for _, p := range prefixes {
			if strings.HasPrefix(id, p) {
				return true
			}
		}
		return false
	}
	switch {
	case has("debian", "ubuntu"):
		return familyDebian
	case has("win"):
		return familyWindows
	case has("rhel", "redhat", "centos", "oraclelinux", "rockylinux", "almalinux", "fedora", "sles", "sled", "suse", "opensuse",
		"amazonlinux", "vmwarephoton", "asianux", "coreos", "mandrake", "mandriva", "turbolinux", "flatcar", "miraclelinux", "pardus", "fusionos", "prolinux"):
		return familyLinux
	case id == "" || strings.Contains(id, "linux"):
		return familyUnknown
	}
	return familyForeign
}

// unsupportedGuest: FIX makes the guest fit for KVM, and each engine knows some systems.
func unsupportedGuest(in Input) []sdk.Finding {
	if !in.Plan.Fix {
		return nil
	}
	name := in.VM.GuestFullName
	if name == "" {
		name = in.VM.GuestID
	}
	const id = "source.guest.unsupported"
	builtin := in.Plan.Engine != "virt-v2v"
	switch guestFamily(in.VM.GuestID) {
	case familyDebian:
	case familyUnknown:
		return found(id, sdk.Warning,
			fmt.Sprintf("vSphere does not say which system VM %q runs (guest id %q): whether it can be fixed shows once its disks are read", in.VM.Name, in.VM.GuestID),
			"set the guest OS version in the VM's options if you know it")
	case familyWindows, familyLinux:
		if builtin {
			return found(id, sdk.Warning,
				fmt.Sprintf("VM %q runs %s: the builtin engine fixes Debian and Ubuntu only", in.VM.Name, name),
				"choose the other engine (hyperexport --engine virt-v2v), or turn FIX off (--pipeline-fix=false) when the guest has virtio drivers already")
		}
	case familyForeign:
		return found(id, sdk.Critical,
			fmt.Sprintf("VM %q runs %s, which no engine can fix", in.VM.Name, name),
			"turn FIX off (hyperexport --pipeline-fix=false) and choose hardware that the guest knows (--hardware sata)")
	}
	return nil
}

// toolsNotRunning: without VMware Tools nothing can shut the guest down gracefully, and vSphere knows neither its name nor
// its addresses.
func toolsNotRunning(in Input) []sdk.Finding {
	if in.VM.Template || in.VM.PowerState != "poweredOn" || in.VM.ToolsStatus == "guestToolsRunning" {
		return nil
	}
	const id = "source.tools.not_running"
	if in.stopsSource() {
		return found(id, sdk.Critical,
			fmt.Sprintf("VMware Tools do not run in VM %q: its guest cannot be shut down gracefully", in.VM.Name),
			"shut the guest down from inside, then run this again")
	}
	return found(id, sdk.Info,
		fmt.Sprintf("VMware Tools do not run in VM %q: its host name and addresses are not known", in.VM.Name),
		"install open-vm-tools in the guest if later steps shall check its address")
}

func hostnameMissing(in Input) []sdk.Finding {
	if in.VM.Hostname != "" || in.VM.Template {
		return nil
	}
	return found("source.hostname.missing", sdk.Info,
		fmt.Sprintf("the host name of the guest in VM %q is not known", in.VM.Name),
		"nothing; VMware Tools report it while the guest runs")
}
