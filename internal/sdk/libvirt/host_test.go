package libvirt

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/demo/need"
	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

func TestGetHost(t *testing.T) {
	c := systemClient(t)
	h, err := c.GetHost(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if h.Hostname == "" || h.CPUs < 1 || h.MemoryMB < 64 || h.FreeMemoryMB < 1 || !filepath.IsAbs(h.Emulator) ||
		!strings.HasPrefix(h.Machine, "pc-q35-") || h.Firmware[0] != FirmwareBIOS {
		t.Errorf("got %+v", h)
	}
	cpuinfo, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		t.Fatal(err)
	}
	if h.Acceleration == AccelerationKVM && !hasVirtualization(cpuinfo) {
		t.Error("acceleration kvm on a processor without hardware virtualization")
	}
	h.Firmware[0] = "changed by the caller"
	if again, err := c.GetHost(t.Context()); err != nil || again.Firmware[0] != FirmwareBIOS {
		t.Errorf("the kept answer is not ours to change: %+v, %v", again, err)
	}
}

// TestRunProbe shows the probe's guest running in software emulation, and a probe that cannot run.
func TestRunProbe(t *testing.T) {
	need.Tools(t, "qemu-system-x86_64")
	if err := runProbe(t.Context(), "qemu-system-x86_64", "tcg", "max"); err != nil {
		t.Errorf("software emulation: %v", err)
	}
	if err := runProbe(t.Context(), "qemu-system-x86_64", "no-such-accelerator", "max"); err == nil {
		t.Error("an accelerator that does not exist ran a guest")
	}
}

func TestHasVirtualization(t *testing.T) {
	for text, want := range map[string]bool{
		"flags\t\t: fpu vmx sse\n":            true,
		"model name : svm\nflags : fpu svm\n": true,
		"flags : fpu sse\n":                   false,
		"flags : fpu svm_lock vmxnet\n":       false,
		"model name : vmx\nflags : fpu\n":     false,
		"vmx flags : ept\n":                   false,
		"":                                    false,
	} {
		if got := hasVirtualization([]byte(text)); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
}

func TestEnrolledKeys(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "code.fd")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mapping := func(file string) string {
		return `"mapping":{"executable":{"filename":"` + file + `"},"nvram-template":{"filename":"` + image + `"}}`
	}
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"right":   {`{"features":["secure-boot","enrolled-keys"],` + mapping(image) + `}`, true},
		"no keys": {`{"features":["secure-boot"],` + mapping(image) + `}`, false},
		"no file": {`{"features":["secure-boot","enrolled-keys"],` + mapping(dir+"/none") + `}`, false},
		"garbage": {`{`, false},
	} {
		t.Run(name, func(t *testing.T) {
			descriptors := t.TempDir()
			if err := os.WriteFile(filepath.Join(descriptors, "10.json"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if got := enrolledKeys([]string{"/no/such/dir", descriptors}); got != c.want {
				t.Errorf("got %t, want %t", got, c.want)
			}
		})
	}
}

func TestStoragePool(t *testing.T) {
	c := systemClient(t)
	p, err := c.GetStoragePool(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	if p.Type != "dir" || !filepath.IsAbs(p.Path) || !p.Active || p.CapacityBytes <= 0 || p.AvailableBytes <= 0 {
		t.Errorf("got %+v", p)
	}
	if err := c.RefreshStoragePool(t.Context(), "default"); err != nil {
		t.Error(err)
	}
	missing := uuid.NewString()
	for what, err := range map[string]error{
		"get": second(c.GetStoragePool(t.Context(), missing)), "refresh": c.RefreshStoragePool(t.Context(), missing),
	} {
		if !errors.Is(err, sdk.ErrNotFound) || !strings.Contains(strings.Join(sdk.Hints(err), " "), "default") {
			t.Errorf("%s: %v, hints %q; want sdk.ErrNotFound that lists the pools", what, err, sdk.Hints(err))
		}
	}
}

func TestNetworksAndBridges(t *testing.T) {
	c := systemClient(t)
	name, err := c.createIsolatedNetwork(t.Context(), strings.Repeat("f", 16), self().String())
	if err != nil {
		t.Fatal(err)
	}
	bridge := bridgeOf(name)
	type answer struct{ Exists, Known bool }
	ask := func(bridge string) answer {
		exists, known, err := c.BridgeExists(t.Context(), bridge)
		if err != nil {
			t.Fatal(err)
		}
		return answer{exists, known}
	}
	list, err := c.ListNetworks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, n := range list {
		found = found || cmp.Equal(n, Network{Name: name, Bridge: bridge, Active: true})
	}
	if !found {
		t.Errorf("networks %+v, want %s with %s among them", list, name, bridge)
	}
	if got := ask(bridge); got != (answer{true, true}) {
		t.Errorf("a libvirt network's bridge: %+v", got)
	}
	// The same bridge asked of the kernel, where the daemon is: that need not be this network namespace.
	if exists, known, err := daemonHasBridge(c.target, bridge); err != nil || !exists || !known {
		t.Errorf("the kernel's answer: %t, %t, %v", exists, known, err)
	}
	if err := do(t.Context(), c, func(conn connection) error { return conn.destroyNetwork(name) }); err != nil {
		t.Fatal(err)
	}
	for _, bridge := range []string{bridge, "lo", "no-such-bridge", "../../etc", "a-name-that-is-too-long", ""} {
		if got := ask(bridge); got != (answer{false, true}) {
			t.Errorf("BridgeExists(%q) = %+v, want a known no", bridge, got)
		}
	}
}
