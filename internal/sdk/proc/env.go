package proc

import (
	"os"
	"slices"
	"strings"
)

// inherited are the names that a tool gets from our own environment: where things are, never what a tool does. This is
// the one place outside internal/config that reads the environment, because it only passes values on.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ",
	"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_DIRS", "XDG_RUNTIME_DIR", // libguestfs and libvirt keep caches and sockets there
	"SSH_AUTH_SOCK", "SSH_ASKPASS", // a qemu+ssh connection
	"VIRTIO_WIN", "VIRT_TOOLS_DATA_DIR", // virt-v2v
	"SystemRoot", "TEMP", "TMP", // Windows
}

// inheritedPrefixes let the whole family of a tool's own settings through.
var inheritedPrefixes = []string{"LIBGUESTFS_", "SUPERMIN_"}

// environment is what a tool sees: the inherited names, messages that can be parsed, then extra, of which the last wins.
func environment(extra []string) []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if slices.Contains(inherited, name) || hasPrefix(name) {
			env = append(env, kv)
		}
	}
	return append(append(env, "LANG=C", "LC_ALL=C"), extra...)
}

func hasPrefix(name string) bool {
	return slices.ContainsFunc(inheritedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}
