package cli

import (
	"runtime/debug"
	"strings"
)

// Version is what the linker stamped into main, or else what the Go tool knows of the source, without a leading v.
func Version(stamp string) string {
	if stamp == "" {
		if info, ok := debug.ReadBuildInfo(); ok {
			stamp = info.Main.Version
		}
	}
	if stamp == "" || stamp == "(devel)" {
		return "dev"
	}
	return strings.TrimPrefix(stamp, "v")
}
