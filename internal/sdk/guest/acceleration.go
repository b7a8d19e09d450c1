package guest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// environment is what libguestfs is told: no libvirt between us and its QEMU, its files in dir, and software emulation where
// KVM does not work, because libguestfs itself would try KVM and fail.
func environment(ctx context.Context, dir string, memoryMB int) []string {
	env := []string{
		"LIBGUESTFS_BACKEND=direct",
		"LIBGUESTFS_TMPDIR=" + dir,
		fmt.Sprintf("LIBGUESTFS_MEMSIZE=%d", memoryMB),
	}
	if !kvmWorks(ctx) {
		env = append(env, "LIBGUESTFS_BACKEND_SETTINGS=force_tcg")
	}
	return env
}

// kvmWorks says whether QEMU can start a virtual CPU under KVM. That /dev/kvm opens proves nothing: it also does on hosts
// without hardware virtualisation, where a guest hangs.
func kvmWorks(ctx context.Context) bool {
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !hasVirtualization(cpuinfo) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err = proc.Run(ctx, proc.Cmd{
		Name:  "qemu-system-x86_64",
		Args:  []string{"-accel", "kvm", "-cpu", "host", "-nodefaults", "-display", "none", "-S", "-monitor", "stdio"},
		Stdin: strings.NewReader("quit\n"),
	})
	return err == nil
}

func hasVirtualization(cpuinfo []byte) bool {
	for line := range bytes.Lines(cpuinfo) {
		name, flags, _ := bytes.Cut(line, []byte(":"))
		if string(bytes.TrimSpace(name)) != "flags" {
			continue
		}
		for flag := range bytes.FieldsSeq(flags) {
			if string(flag) == "vmx" || string(flag) == "svm" {
				return true
			}
		}
		return false
	}
	return false
}
