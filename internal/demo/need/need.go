// Package need is how a test says what it needs of the machine: tools, root, a built guest. A test whose need is not met says
// so and skips; under HYPERSDK_TEST_STRICT=1, which `make test` sets after it installed everything, it fails instead.
package need

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Tools skips the test when one of the tools is not on PATH.
func Tools(t testing.TB, names ...string) {
	t.Helper()
	var missing []string
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		Missing(t, "not installed: "+strings.Join(missing, ", ")+"; run scripts/setup-kvm-host.sh")
	}
}

// Root skips the test when it does not run as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Missing(t, "needs root")
	}
}

// Missing skips the test with the reason, or fails it in strict mode.
func Missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("HYPERSDK_TEST_STRICT") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}
