package proc

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// packages names the Debian package of each tool that the module runs. Other distributions use mostly the same names.
var packages = map[string]string{
	"dnsmasq":              "dnsmasq-base",
	"guestfish":            "libguestfs-tools",
	"libguestfs-test-tool": "libguestfs-tools",
	"libvirtd":             "libvirt-daemon-system",
	"mmdebstrap":           "mmdebstrap",
	"nbdcopy":              "libnbd-bin",
	"nbdinfo":              "libnbd-bin",
	"nbdkit":               "nbdkit",
	"qemu-img":             "qemu-utils",
	"qemu-io":              "qemu-utils",
	"qemu-nbd":             "qemu-utils",
	"qemu-system-aarch64":  "qemu-system-arm",
	"qemu-system-x86_64":   "qemu-system-x86",
	"supermin":             "supermin",
	"swtpm":                "swtpm",
	"virsh":                "libvirt-clients",
	"virt-cat":             "libguestfs-tools",
	"virt-customize":       "libguestfs-tools",
	"virt-filesystems":     "libguestfs-tools",
	"virt-inspector":       "libguestfs-tools",
	"virt-v2v":             "virt-v2v",
	"virt-v2v-in-place":    "virt-v2v",
	"virt-xml-validate":    "libvirt-clients",
}

// Find returns the path of a tool, or sdk.ErrNotFound with a hint that names the Debian package. A name with a slash is
// taken as a path.
func Find(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	if errors.Is(err, exec.ErrDot) {
		return "", sdk.Invalidf("%s is only in the current directory, which is not searched", name)
	}
	if filepath.Base(name) != name {
		return "", sdk.Kind(sdk.ErrNotFound, fmt.Errorf("%s cannot be run: %w", name, errors.Unwrap(err)))
	}
	notFound := sdk.NotFoundf("%s is not installed, or not on PATH", name)
	if pkg, ok := packages[name]; ok {
		return "", sdk.WithHint(notFound, "install it: apt-get install %s", pkg)
	}
	return "", sdk.WithHint(notFound, "install %s and make sure that it is on PATH", name)
}
