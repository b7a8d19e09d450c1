//go:build unix && !linux

package proc

import (
	"os/exec"
	"syscall"
)

// leadGroup makes the tool the leader of a new process group.
func leadGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
