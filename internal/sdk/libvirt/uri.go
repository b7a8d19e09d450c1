package libvirt

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/hypersdk/terraform-provider-hypersdk/internal/sdk"
)

// target is a parsed connection URI: a driver of a daemon on this machine.
type target struct {
	uri    string
	driver string // qemu or test
	path   string // system, session, default
	socket string // asked for by ?socket=; empty: the usual ones
}

// parseURI accepts the URIs of daemons on this machine.
func parseURI(uri string) (target, error) {
	if uri == "" {
		return target{}, sdk.WithHint(sdk.Invalidf("libvirt URI is empty"), "qemu:///system is the usual one")
	}
	u, err := url.Parse(uri)
	if err != nil {
		return target{}, sdk.Invalidf("libvirt URI %q cannot be read: %v", uri, err)
	}
	driver, transport, _ := strings.Cut(u.Scheme, "+")
	if driver != "qemu" && driver != "test" {
		return target{}, sdk.WithHint(sdk.Invalidf("libvirt URI %q: the driver %q is not one this program defines domains for", uri, driver),
			"use qemu:///system, or qemu:///session for a user's own daemon")
	}
	if u.Host != "" || u.User != nil || (transport != "" && transport != "unix") {
		return target{}, sdk.WithHint(sdk.Invalidf("libvirt URI %q names a remote host, and disks are written where libvirt runs", uri),
			"run this program on the KVM host with qemu:///system; migrating to a remote host comes with the daemon executor (executor = \"daemon\")")
	}
	t := target{uri: uri, driver: driver, path: strings.TrimPrefix(u.Path, "/"), socket: u.Query().Get("socket")}
	if driver == "qemu" && t.path != "system" && t.path != "session" {
		return target{}, sdk.Invalidf("libvirt URI %q: the path is neither /system nor /session", uri)
	}
	return t, nil
}

// daemonURI is the URI as the daemon itself understands it.
func (t target) daemonURI() string { return fmt.Sprintf("%s:///%s", t.driver, t.path) }

// sockets lists where the daemon may listen, the likeliest first: the one daemon for everything, then the modular QEMU daemon.
func (t target) sockets() []string {
	if t.socket != "" {
		return []string{t.socket}
	}
	dirs := []string{"/var/run/libvirt", "/run/libvirt"}
	if t.path == "session" {
		dirs = []string{fmt.Sprintf("/run/user/%d/libvirt", os.Getuid())}
		if cache, err := os.UserCacheDir(); err == nil {
			dirs = append(dirs, filepath.Join(cache, "libvirt"))
		}
	}
	var paths []string
	for _, name := range []string{"libvirt-sock", "virtqemud-sock"} {
		for _, dir := range dirs {
			paths = append(paths, filepath.Join(dir, name))
		}
	}
	return paths
}
