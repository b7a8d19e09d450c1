package need

import (
	"os"
	"regexp"
	"testing"
)

// Appliance skips the test when libguestfs cannot run here, and sets its environment for the test: QEMU without libvirt, and
// software emulation where there is no hardware virtualisation.
func Appliance(t *testing.T) {
	t.Helper()
	Tools(t, "guestfish", "qemu-img", "qemu-system-x86_64")
	Root(t) // the appliance's kernel in /boot is readable by root alone
	t.Setenv("LIBGUESTFS_BACKEND", "direct")
	if !hardwareVirtualization() {
		t.Setenv("LIBGUESTFS_BACKEND_SETTINGS", "force_tcg")
	}
}

func hardwareVirtualization() bool {
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !regexp.MustCompile(`(?m)^flags\s*:.*\b(vmx|svm)\b`).Match(cpuinfo) {
		return false
	}
	kvm, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false
	}
	return kvm.Close() == nil
}
