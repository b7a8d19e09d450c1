package proc

import (
	"os/exec"
	"syscall"
)

// leadGroup makes the tool the leader of a new process group, which dies when we do.
func leadGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
