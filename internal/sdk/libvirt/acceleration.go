package libvirt

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk/proc"
)

// probeExitCode is how QEMU ends when the probe's guest ran: isa-debug-exit turns the byte v into the code v<<1 | 1.
const (
	probeByte     = 0x10
	probeExitCode = probeByte<<1 | 1
	probeLimit    = 10 * time.Second
)

// probeAcceleration answers kvm when the processor has hardware virtualization and a guest really ran on it. Neither alone is
// enough: /dev/kvm opens on hosts where guests then hang, and flags are there where KVM is not.
func probeAcceleration(ctx context.Context, log *slog.Logger, emulator string) (string, error) {
	cpuinfo, _ := os.ReadFile("/proc/cpuinfo") // none: no flags
	if !hasVirtualization(cpuinfo) {
		return AccelerationQEMU, nil
	}
	err := runProbe(ctx, emulator, "kvm", "host")
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		log.WarnContext(ctx, "no guest runs with KVM here; software emulation is used", "error", err)
		return AccelerationQEMU, nil
	}
	return AccelerationKVM, nil
}

// virtualizationFlag finds the flag of Intel's or AMD's hardware virtualization among the words of a flags line.
var virtualizationFlag = regexp.MustCompile(`(?m)^flags\s*:.*\b(vmx|svm)\b`)

func hasVirtualization(cpuinfo []byte) bool { return virtualizationFlag.Match(cpuinfo) }

// runProbe starts a virtual CPU on a firmware of ours, five bytes long, that tells QEMU to end with a code of our choice: only
// a processor that executed them can do so.
func runProbe(ctx context.Context, emulator, accel, cpu string) error {
	dir, err := os.MkdirTemp("", "hypersdk-probe-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a scratch directory
	firmware := filepath.Join(dir, "probe.bin")
	if err := os.WriteFile(firmware, probeFirmware(), 0o600); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	_, err = proc.Run(limited, proc.Cmd{
		Name: emulator,
		Args: []string{
			"-accel", accel, "-cpu", cpu, "-machine", "pc", "-m", "16", "-nodefaults", "-no-user-config", "-display", "none",
			"-no-reboot", "-bios", firmware, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04",
		},
		Grace: time.Second,
	})
	var exit *proc.ExitError
	switch {
	case errors.As(err, &exit) && exit.Code == probeExitCode:
		return nil
	case err == nil:
		return errors.New("the probe's guest ended without its code")
	}
	return err
}

// probeFirmware is 64 KiB of HLT with the program at the reset vector, 16 bytes below the end.
func probeFirmware() []byte {
	const size, resetVector = 64 << 10, 16
	image := bytes.Repeat([]byte{0xf4}, size)
	copy(image[size-resetVector:], []byte{
		0xb0, probeByte, // mov al, probeByte
		0xe6, 0xf4, // out 0xf4, al
		0xf4, // hlt
	})
	return image
}
